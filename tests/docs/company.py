"""The company of the documents, as it is before dirfactor comes: people, a group, and nothing of ours."""

from pathlib import Path

from docs.names import of_domain
from docs.place import Place
from docs.powershell import PowerShell
from docs.windows import CommandPrompt
from rig.kannel import Kannel
from rig.ports import LOOPBACK, free_port
from rig.samba import DomainController

PASSWORD = DomainController.admin_password
PEOPLE = {
    "alice": ("Alice Archer", "+43 664 0000091"),
    "bob": ("Bob Baker", "+43 664 0000092"),
    "carol": ("Carol Carter", "+43 664 0000093"),
    "helen": ("Helen Hart", "+43 664 0000094"),
}
TEMPS = tuple(f"temp{number}" for number in range(8))
IN_VPN_USERS = ("alice", "bob", "carol")


def hire(dc: DomainController) -> None:
    """Puts the company into an empty domain."""
    people, groups = f"OU=People,{dc.base_dn}", f"OU=Groups,{dc.base_dn}"
    dc.ldapmodify("\n".join(f"dn: {dn}\nchangetype: add\nobjectClass: organizationalUnit\n" for dn in (people, groups)))
    dns = {
        name: dc.add_user(
            full,
            PASSWORD,
            parent=people,
            sAMAccountName=name,
            userPrincipalName=f"{name}@{dc.domain}",
            mobile=number,
            mail=f"{name}@example.test",
        )
        for name, (full, number) in PEOPLE.items()
    }
    # left over from a trial without our schema
    dc.ldapmodify(f"dn: {dns['helen']}\nchangetype: modify\nadd: employeeType\nemployeeType: vip, sms\n")
    members = "".join(f"member: {dns[name]}\n" for name in IN_VPN_USERS)
    dc.ldapmodify(
        f"dn: CN=VPN Users,{groups}\nchangetype: add\nobjectClass: group\nsAMAccountName: VPN Users\n{members}"
    )


def desk(dc: DomainController, folder: Path, kannel: Kannel) -> Place:
    """The administrator's folder, on the machine that is to run dirfactor."""
    folder.mkdir(exist_ok=True)
    (folder / "domain-ca.pem").write_bytes(dc.ca_file.read_bytes())
    tools = dc.as_user(dc.admin, dc.admin_password)
    port = free_port()
    return Place(
        folder=folder,
        names=of_domain(dc)
        | {
            "https://sms.example.org/cgi-bin/sendsms": kannel.sendsms_url,
            "127.0.0.1:1812": f"{LOOPBACK}:{port}",
            '"..."': f'"{PASSWORD}"',
            # whoever runs the test is the service's user
            "sudo -u dirfactor ": "",
            "/etc/dirfactor/config.ini": "config.ini",
        },
        tools=lambda dn: tools,
        password=PASSWORD,
        secrets={"kannel.password": kannel.password},
        own={
            "service": {"state_directory": "state"},
            "radius": {"host": LOOPBACK, "port": str(port)},
            "http": {"port": str(free_port())},
        },
        shell=PowerShell(tools, dc.base_dn, folder, PASSWORD),
        prompt=CommandPrompt(tools, folder),
    )
