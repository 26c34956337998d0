"""The Kerberos realm of a domain controller: what a client's library must know of it, and keys of its accounts."""

from pathlib import Path

from rig.process import run
from rig.samba import DomainController
from rig.samba_template import DOMAIN, HOST

REALM = DOMAIN.upper()
# For a domain controller that shall also issue tickets.
SERVICES = ("ldap", "kdc")

# Nothing is asked of DNS: names are taken as they are, and the realm's address stands here.
CONFIGURATION = """\
[libdefaults]
    default_realm = {realm}
    dns_lookup_realm = false
    dns_lookup_kdc = false
    dns_canonicalize_hostname = false
    rdns = false
[realms]
    {realm} = {{
        kdc = {address}:88
    }}
[domain_realm]
    {address} = {realm}
"""


class Realm:
    """The realm of a running domain controller that was started with SERVICES.

    Args:
        dc: the domain controller.
        home: directory for files of this realm; made when missing.
    """

    def __init__(self, dc: DomainController, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._dc = dc
        self._home = home
        self.configuration = home / "krb5.conf"
        self.configuration.write_text(CONFIGURATION.format(realm=REALM, address=dc.address))

    def name_the_address(self) -> None:
        """Lets clients call the server by its address; normally its name stands in the ticket."""
        dc = f"CN={HOST.upper()},OU=Domain Controllers,{self._dc.base_dn}"
        name = f"ldap/{self._dc.address}"
        self._dc.ldapmodify(f"dn: {dc}\nchangetype: modify\nadd: servicePrincipalName\nservicePrincipalName: {name}\n")

    def keytab(self, sam: str) -> Path:
        """A new file with the present keys of an account.

        Raises:
            ServerFailure: there is no such account.
        """
        file = self._home / f"{sam}.keytab"
        file.unlink(missing_ok=True)
        configuration = str(self._dc.configuration)
        run(["samba-tool", "domain", "exportkeytab", str(file), f"--principal={sam}", f"--configfile={configuration}"])
        return file
