"""Runs a real 389 Directory Server on free ports of loopback, without dscreate, which wants systemd."""

import shutil
from pathlib import Path

from rig.certificates import ServerFiles, issue
from rig.ldaptools import LdapTools
from rig.ports import LOOPBACK, answers, free_port
from rig.process import Process, copy_tree, run

SUFFIX = "dc=lab,dc=example,dc=test"
PASSWORD = "Passw0rd.Lab1"
TEMPLATE = Path("/usr/share/dirsrv/data/template-dse.ldif")
OWN_SCHEMA = Path("/etc/dirsrv/schema/99user.ldif")
COLLATIONS = Path("/etc/dirsrv/config/slapd-collations.conf")

# In front of the second entry of the configuration; TLS finds Server-Cert, which the template names already.
SETTINGS = """\
nsslapd-security: on
nsslapd-secureport: {secure_port}
nsslapd-require-secure-binds: on
nsslapd-listenhost: {loopback}
nsslapd-securelistenhost: {loopback}
passwordStorageScheme: SSHA512
"""
# RFC 4533: the one answers, and reads what has changed from the other.
SYNC_PLUGINS = ("Content Synchronization", "Retro Changelog Plugin")

BACKEND = f"""\
dn: cn=userRoot,cn=ldbm database,cn=plugins,cn=config
changetype: add
objectClass: extensibleObject
objectClass: nsBackendInstance
nsslapd-suffix: {SUFFIX}
cn: userRoot

dn: cn="{SUFFIX}",cn=mapping tree,cn=config
changetype: add
objectClass: extensibleObject
objectClass: nsMappingTree
cn: {SUFFIX}
nsslapd-state: backend
nsslapd-backend: userRoot

dn: {SUFFIX}
changetype: add
objectClass: domain
dc: lab
aci: (targetattr != "userPassword || aci")(version 3.0; acl "whoever has logged on reads";
  allow (read, search, compare) userdn = "ldap:///all";)

dn: cn=sync,{SUFFIX}
changetype: add
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: sync
userPassword: {PASSWORD}

dn: ou=people,{SUFFIX}
changetype: add
objectClass: organizationalUnit
ou: people

dn: ou=policies,{SUFFIX}
changetype: add
objectClass: organizationalUnit
ou: policies
"""


class DirectoryServer389:
    """A 389 Directory Server with an almost empty tree, an account for syncs, and RFC 4533.

    A simple bind in clear text is refused (result 13).

    Args:
        home: directory for everything of this server; made when missing.
        schema: a schema file for its schema folder.
    """

    base_dn = SUFFIX
    admin = "cn=Directory Manager"
    admin_password = PASSWORD
    sync = f"cn=sync,{SUFFIX}"
    sync_password = PASSWORD

    def __init__(self, home: Path, schema: Path | None = None) -> None:
        self._home = home
        self._data = home / "data"
        for folder in ("config/schema", "db", "ldif", "bak", "log", "lock", "run", "tmp"):
            (self._data / folder).mkdir(parents=True)
        self.schema_folder = self._data / "config/schema"
        self._socket = home / "ldapi"
        self._port, secure_port = free_port(), free_port()
        self.ldap = f"ldap://{LOOPBACK}:{self._port}"
        self.ldaps = f"ldaps://{LOOPBACK}:{secure_port}"
        self.ldapi = "ldapi://" + str(self._socket).replace("/", "%2F")
        tls = issue(home / "tls", "localhost", LOOPBACK)
        self.ca_file = tls.ca
        self._certificates(tls)
        shutil.copy(COLLATIONS, self._data / "config")
        # it does not start with a schema folder that is empty
        shutil.copy(OWN_SCHEMA, self.schema_folder)
        if schema is not None:
            shutil.copy(schema, self.schema_folder / "98dirfactor.ldif")
        (self._data / "config/dse.ldif").write_text(self._configuration(secure_port))
        # "-d 0" keeps it in the foreground.
        files = ["-D", str(self._data / "config"), "-i", str(self._data / "run/pid")]
        self.process = Process(["/usr/sbin/ns-slapd", *files, "-d", "0"], log=home / "ns-slapd.log")
        self.process.start(self._ready)
        self.tools().modify(BACKEND)
        self.process.stop()
        copy_tree(self._data, home / "template")

    def start(self) -> None:
        """Starts and returns when it answers."""
        (self._data / "run/pid").unlink(missing_ok=True)
        self.process.start(self._ready)

    def stop(self) -> None:
        """Ends in order; the data stays and `start` continues with it, on the same ports."""
        self.process.stop()

    def reset(self) -> None:
        """Throws all data away and starts with the almost empty tree."""
        self.process.kill()
        copy_tree(self._home / "template", self._data)
        self.start()

    def tools(self, who: str = admin, password: str = PASSWORD) -> LdapTools:
        """ldap-utils as the administrator or somebody else, over TLS; nothing is sent yet."""
        return LdapTools(self.ldaps, self.ca_file, who, password)

    def _ready(self) -> bool:
        return answers(LOOPBACK, self._port)

    def _configuration(self, secure_port: int) -> str:
        config = self._data / "config"
        values = {
            "schema_dir": self.schema_folder,
            "lock_dir": self._data / "lock",
            "tmp_dir": self._data / "tmp",
            "cert_dir": config,
            "ldif_dir": self._data / "ldif",
            "bak_dir": self._data / "bak",
            "run_dir": self._data / "run",
            "inst_dir": self._data,
            "log_dir": self._data / "log",
            "config_dir": config,
            "db_dir": self._data / "db",
            "db_home_dir": self._data / "db",
            "db_lib": "bdb",
            "fqdn": "localhost",
            "ds_port": self._port,
            "ds_user": "root",
            "ds_suffix": SUFFIX,
            "rootdn": self.admin,
            "ds_passwd": f"{{CLEAR}}{PASSWORD}",
            "ldapi_enabled": "on",
            "ldapi_autobind": "on",
            "ldapi": self._socket,
        }
        text = TEMPLATE.read_text()
        for name, value in values.items():
            text = text.replace(f"%{name}%", str(value))
        for plugin in SYNC_PLUGINS:
            entry = text[text.index(f"dn: cn={plugin},") :].partition("\n\n")[0]
            text = text.replace(entry, entry.replace("nsslapd-pluginenabled: off", "nsslapd-pluginenabled: on"))
        first, _, rest = text.partition("\n\n")
        return first + "\n" + SETTINGS.format(secure_port=secure_port, loopback=LOOPBACK) + "\n" + rest

    def _certificates(self, tls: ServerFiles) -> None:
        """Puts the server's certificate and key where it looks for them: into a database of NSS, without a password."""
        database = ["-d", f"sql:{self._data / 'config'}"]
        bundle = str(self._home / "tls/server.p12")
        run(["certutil", "-N", *database, "--empty-password"])
        keys = ["-in", str(tls.certificate), "-inkey", str(tls.key), "-name", "Server-Cert", "-passout", "pass:"]
        run(["openssl", "pkcs12", "-export", *keys, "-out", bundle])
        run(["pk12util", "-i", bundle, *database, "-W", ""])
        run(["certutil", "-A", *database, "-n", "authority", "-t", "CT,,", "-i", str(tls.ca)])
