"""Runs a real Active Directory domain controller (Samba) on a loopback address of its own."""

import socket
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from rig.certificates import issue
from rig.ldaptools import AttributeValues, Entry, LdapTools
from rig.ports import LOOPBACK, is_free
from rig.process import Process, ServerFailure, copy_tree, run
from rig.samba_template import ADMINISTRATOR, ADMINISTRATOR_PASSWORD, BASE_DN, DOMAIN, HOST, NETBIOS

LDAPS_PORT = 636

# "/8" lets Samba listen on an address of 127/8 that no interface carries. All paths are inside the home directory,
# so that a copy of `data` is all of the domain.
CONFIGURATION = """\
[global]
    netbios name = {host}
    realm = {realm}
    workgroup = {netbios}
    server role = active directory domain controller
    interfaces = {address}/8
    bind interfaces only = yes
    server services = {services}
    dcerpc endpoint servers =
    private dir = {home}/data/private
    state directory = {home}/data/state
    cache directory = {home}/run
    lock directory = {home}/run
    pid directory = {home}/run
    ncalrpc dir = {home}/run/ncalrpc
    winbindd socket directory = {home}/run/winbindd
    ntp signd socket directory = {home}/run/ntp_signd
    usershare path =
    logging = file
    max log size = 0
    # as Windows has it: a simple bind needs TLS
    ldap server require strong auth = allow_sasl_over_tls
    tls cafile = {home}/tls/ca.pem
    tls certfile = {home}/tls/server.pem
    tls keyfile = {home}/tls/server.key
    # Debian's default refuses every schema change
    dsdb:schema update allowed = yes
    dns update command = /bin/true
    spn update command = /bin/true
    gpo update command = /bin/true
    samba kcc command = /bin/true
"""


class DomainController:
    """A domain controller of the domain lab.example.test, with nothing in it but what Samba itself puts there.

    Needs root: the ports 389 and 636 are fixed, and Samba keeps access rights in security.* attributes.

    Args:
        home: directory for everything of this controller; made when missing.
        address: loopback address to listen on; nobody else may serve LDAP there.
        template: a domain to start from, see `samba_template`.
        model: `single` answers one request at a time and starts fastest; `standard` has a process for each
            connection, for tests of concurrency.
        services: what it serves, in Samba's words.
    """

    base_dn = BASE_DN
    schema_dn = f"CN=Schema,CN=Configuration,{BASE_DN}"
    domain = DOMAIN
    netbios = NETBIOS
    admin = ADMINISTRATOR
    admin_password = ADMINISTRATOR_PASSWORD

    def __init__(
        self,
        home: Path,
        address: str,
        template: Path,
        *,
        model: Literal["single", "standard"] = "single",
        services: Iterable[str] = ("ldap",),
    ) -> None:
        self.address = address
        self.ldaps = f"ldaps://{address}"
        self.ldap = f"ldap://{address}"
        self._home = home
        self._template = template
        (home / "run").mkdir(parents=True)
        (home / "snapshots").mkdir()
        # LOOPBACK: for a proxy before it
        self.ca_file = issue(home / "tls", f"{HOST}.{DOMAIN}", DOMAIN, address, LOOPBACK).ca
        self.configuration = home / "smb.conf"
        self.configuration.write_text(
            CONFIGURATION.format(
                home=home,
                address=address,
                host=HOST.upper(),
                realm=DOMAIN.upper(),
                netbios=NETBIOS,
                services=", ".join(services),
            )
        )
        self.process = Process(
            ["samba", "-i", "-M", model, "--debug-stdout", "-s", str(self.configuration)],
            log=home / "samba.log",
            environment={"TDB_NO_FSYNC": "1"},  # throw-away data: halves the time of a write
        )
        self._tools = LdapTools(self.ldaps, self.ca_file, self.admin, self.admin_password)
        copy_tree(template, home / "data")

    def start(self) -> None:
        """Starts and returns when LDAPS answers; 0.3 to 0.5 s."""
        if not is_free(self.address, LDAPS_PORT):
            raise ServerFailure(f"somebody serves LDAP at {self.address} already")
        self.process.start(self._serves_ldaps)

    def stop(self) -> None:
        """Ends in order; the data stays and `start` continues with it."""
        self.process.stop()

    def reset(self) -> None:
        """Throws all data away and starts with the template; about 0.5 s."""
        self._start_with(self._template)

    def snapshot(self, name: str) -> None:
        """Keeps the present data under a name until this controller's home is removed; restarts if it runs."""
        running = self.process.running
        self.stop()
        copy_tree(self._home / "data", self._snapshot(name))
        if running:
            self.start()

    def restore(self, name: str) -> None:
        """Throws all data away and starts with those of a snapshot; about 0.5 s."""
        self._start_with(self._snapshot(name))

    def become(self, name: str, prepare: Callable[["DomainController"], None]) -> None:
        """Starts with the snapshot `name`; the first time, with the template as `prepare` has changed it.

        So tests share what is slow to make, e.g. a schema that the product's own command has applied.
        """
        if not self._snapshot(name).exists():
            self.reset()
            prepare(self)
            self.snapshot(name)
        else:
            self.restore(name)

    def as_user(self, who: str, password: str) -> LdapTools:
        """ldap-utils as somebody else than the administrator; nothing is sent yet."""
        return LdapTools(self.ldaps, self.ca_file, who, password)

    def ldapmodify(self, changes: str) -> None:
        """Applies LDIF change records as the administrator.

        Raises:
            LdapRefused: a change was refused; those before it stay.
        """
        self._tools.modify(changes)

    def ldapsearch(
        self,
        base: str = BASE_DN,
        where: str = "(objectClass=*)",
        *,
        scope: str = "sub",
        attributes: Iterable[str] = (),
    ) -> list[Entry]:
        """Searches as the administrator.

        Raises:
            LdapRefused: the search was refused.
        """
        return self._tools.search(base, where, scope=scope, attributes=attributes)

    def add_user(
        self, sam: str, password: str, *, parent: str = f"CN=Users,{BASE_DN}", **attributes: AttributeValues
    ) -> str:
        """Adds an enabled account `LAB\\sam`, `sam@lab.example.test`, and returns its DN.

        Args:
            sam: sAMAccountName and cn.
            password: any; the domain has no rules.
            parent: DN of the container or organisational unit that it goes into.
            attributes: further attributes, or other values for those that are set here.

        Raises:
            LdapRefused: the addition was refused.
        """
        dn = f"CN={sam},{parent}"
        account: dict[str, AttributeValues] = {
            "objectClass": "user",
            "sAMAccountName": sam,
            "userPrincipalName": f"{sam}@{DOMAIN}",
            "userAccountControl": 512,  # NORMAL_ACCOUNT
            "unicodePwd": f'"{password}"'.encode("utf-16-le"),  # MS-ADTS section 3.1.1.3.1.5.1
        }
        self._tools.add(dn, account | attributes)
        return dn

    def bulk_load(self, ldif: Path) -> None:
        """Loads thousands of entries without passwords into the stopped database, then starts; 600 users/s."""
        self.stop()
        # Without these two, the time grows with the square of the number of entries.
        options = ["-o", "batch_mode:1", "-o", "transaction_index_cache_size:400000"]
        database = str(self._home / "data/private/sam.ldb")
        run(
            ["ldbadd", "-H", database, f"--configfile={self.configuration}", *options, str(ldif)],
            environment={"TDB_NO_FSYNC": "1"},
        )
        self.start()

    def _snapshot(self, name: str) -> Path:
        return self._home / "snapshots" / name

    def _start_with(self, source: Path) -> None:
        self.process.kill()
        copy_tree(source, self._home / "data")
        self.start()

    def _serves_ldaps(self) -> bool:
        # The port opens before the databases do; a finished handshake is the first sign of life that can be trusted.
        context = ssl.create_default_context(cafile=self.ca_file)
        with (
            socket.create_connection((self.address, LDAPS_PORT), timeout=5.0) as connection,
            context.wrap_socket(connection, server_hostname=self.address),
        ):
            return True
