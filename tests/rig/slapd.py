"""Runs a real OpenLDAP server on free ports of loopback."""

import shutil
from pathlib import Path

from rig.certificates import issue
from rig.ldaptools import LdapTools
from rig.ports import LOOPBACK, answers, free_port
from rig.process import Process, copy_tree, run

SUFFIX = "dc=lab,dc=example,dc=test"
PASSWORD = "Passw0rd.Lab1"
DEBIAN_SCHEMA = Path("/etc/ldap/schema")

CONFIGURATION = """\
dn: cn=config
objectClass: olcGlobal
cn: config
olcPidFile: {home}/slapd.pid
olcTLSCACertificateFile: {home}/tls/ca.pem
olcTLSCertificateFile: {home}/tls/server.pem
olcTLSCertificateKeyFile: {home}/tls/server.key
olcLocalSSF: 128
olcSecurity: simple_bind=128

dn: cn=module,cn=config
objectClass: olcModuleList
cn: module
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb
olcModuleLoad: syncprov
olcModuleLoad: refint

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

{schema}

dn: olcDatabase={{0}}config,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {{0}}config
olcRootDN: cn=config
olcRootPW: {password}

dn: olcDatabase={{1}}mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: {{1}}mdb
olcSuffix: {suffix}
olcRootDN: {admin}
olcRootPW: {password}
olcDbDirectory: {home}/data/db
olcDbMaxSize: 4294967296
olcDbEnvFlags: nosync
olcDbIndex: objectClass,entryUUID,entryCSN eq
olcDbIndex: uid,mail,cn,member eq
olcLimits: dn.exact="{sync}" size=unlimited time=unlimited
olcAccess: to attrs=userPassword by self write by anonymous auth by * none
olcAccess: to * by dn.exact="{sync}" read by users read by * none

dn: olcOverlay=syncprov,olcDatabase={{1}}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcSyncProvConfig
olcOverlay: syncprov
olcSpCheckpoint: 1000 10
{session_log}
"""

TREE = f"""\
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
dc: lab
o: lab

dn: {{sync}}
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: sync
userPassword: {{password}}

dn: ou=people,{SUFFIX}
objectClass: organizationalUnit
ou: people

dn: ou=policies,{SUFFIX}
objectClass: organizationalUnit
ou: policies
"""
NAME = "slapd.example"
"""Of its certificate, for tests with a DNS server; libldap takes localhost for the name of this machine."""


class Slapd:
    """An OpenLDAP server with an almost empty tree, an account for syncs, and syncrepl (RFC 4533).

    A simple bind in clear text is refused (result 13), as a hardened server does.

    Args:
        home: directory for everything of this server; made when missing.
        schema: LDIF of cn=config with further schema, loaded after core, cosine and inetorgperson.
        session_log: how many changes it remembers, so that a consumer's cookie is answered with changes only;
            0 makes every resumed sync go through the present phase.
    """

    base_dn = SUFFIX
    admin = f"cn=admin,{SUFFIX}"
    admin_password = PASSWORD
    sync = f"cn=sync,{SUFFIX}"
    sync_password = PASSWORD
    config = "cn=config"
    config_password = PASSWORD

    def __init__(self, home: Path, schema: Path | None = None, *, session_log: int = 0) -> None:
        self._home = home
        (home / "data/config").mkdir(parents=True)
        (home / "data/db").mkdir()
        self._port = free_port()
        self.ldap = f"ldap://{LOOPBACK}:{self._port}"
        self.ldaps = f"ldaps://{LOOPBACK}:{free_port()}"
        self.ldapi = "ldapi://" + str(home / "ldapi").replace("/", "%2F")
        self.ca_file = issue(home / "tls", "localhost", NAME, LOOPBACK).ca
        # Ubuntu's AppArmor profile holds /usr/sbin/slapd to Debian's own directories; a copy is not held.
        self._program = str(shutil.copy("/usr/sbin/slapd", home / "slapd"))
        self._load("0", self._configuration(schema, session_log))
        self._load("1", TREE.format(sync=self.sync, password=PASSWORD))
        copy_tree(home / "data", home / "template")
        # "-d 0" keeps it in the foreground.
        addresses = f"{self.ldap} {self.ldaps} {self.ldapi}"
        self.process = Process(
            [self._program, "-d", "0", "-F", str(home / "data/config"), "-h", addresses], log=home / "slapd.log"
        )

    def start(self) -> None:
        """Starts and returns when it answers; about 0.05 s."""
        self.process.start(lambda: answers(LOOPBACK, self._port))

    def stop(self) -> None:
        """Ends in order; the data stays and `start` continues with it, on the same ports."""
        self.process.stop()

    def reset(self) -> None:
        """Throws all data away and starts with the almost empty tree; about 0.1 s."""
        self.process.kill()
        copy_tree(self._home / "template", self._home / "data")
        self.start()

    def bulk_load(self, ldif: Path) -> None:
        """Loads thousands of entries into the stopped database, then starts; some 40,000 entries/s.

        Raises:
            ServerFailure: slapd would not have them; some may be there.
        """
        self.stop()
        configuration = str(self._home / "data/config")
        run([self._program, "-Tadd", "-q", "-w", "-n", "1", "-F", configuration, "-l", str(ldif)])
        self.start()

    def tools(self, who: str = admin, password: str = PASSWORD) -> LdapTools:
        """ldap-utils as the administrator or somebody else, over TLS; nothing is sent yet."""
        return LdapTools(self.ldaps, self.ca_file, who, password)

    def _configuration(self, schema: Path | None, session_log: int) -> str:
        files = [DEBIAN_SCHEMA / f"{name}.ldif" for name in ("core", "cosine", "inetorgperson")]
        if schema is not None:
            files.append(schema)
        return CONFIGURATION.format(
            home=self._home,
            schema="\n\n".join(file.read_text() for file in files),
            password=PASSWORD,
            suffix=SUFFIX,
            admin=self.admin,
            sync=self.sync,
            session_log=f"olcSpSessionlog: {session_log}" if session_log else "",
        )

    def _load(self, database: str, ldif: str) -> None:
        # -w writes the contextCSN that syncprov starts from.
        configuration = str(self._home / "data/config")
        run([self._program, "-Tadd", "-w", "-n", database, "-F", configuration], text=ldif)
