"""The company of the documents in OpenLDAP and in 389 Directory Server, as each is before dirfactor comes."""

from collections.abc import Callable, Mapping
from pathlib import Path

from docs.names import of_tree
from docs.place import Place
from rig.ds389 import SYNC_PLUGINS, DirectoryServer389
from rig.ldaptools import LdapTools
from rig.slapd import Slapd

_ROOT = "to * by dn.exact=gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth manage by * break"


class PlainSlapd(Slapd):
    """OpenLDAP as Debian sets it up, where root administers cn=config, without what our page adds."""

    def _configuration(self, schema: Path | None, session_log: int) -> str:
        text = super()._configuration(schema, session_log)
        text = text.replace("olcModuleLoad: syncprov\n", "").replace(
            "olcDbIndex: objectClass,entryUUID,entryCSN eq\n", ""
        )
        text = text.replace("olcDatabase: {0}config\n", f"olcDatabase: {{0}}config\nolcAccess: {_ROOT}\n")
        return text.partition("dn: olcOverlay=syncprov,")[0]


def hire(tools: LdapTools, base: str) -> None:
    """Puts Alice into the tree."""
    alice = {"objectClass": "inetOrgPerson", "uid": "alice", "cn": "Alice Archer", "sn": "Archer"}
    tools.add(f"uid=alice,ou=people,{base}", alice | {"mobile": "+43 664 0000091"})
    tools.modify(f"dn: ou=policies,{base}\nchangetype: delete\n")


def _desk(
    server: Slapd | DirectoryServer389,
    folder: Path,
    tools: Callable[[str], LdapTools],
    translated: Mapping[str, Callable[[], None]],
) -> Place:
    for name in ("ca.pem", "domain-ca.pem"):
        (folder / name).write_bytes(server.ca_file.read_bytes())
    return Place(
        folder=folder,
        names=of_tree(server),
        tools=tools,
        password=server.admin_password,
        own={"service": {"state_directory": "state"}},
        translated=translated,
    )


def openldap_desk(server: Slapd, folder: Path) -> Place:
    config = server.tools(server.config, server.config_password)
    return _desk(server, folder, lambda dn: config if dn.endswith("cn=config") else server.tools(), {})


def ds389_desk(server: DirectoryServer389, folder: Path) -> Place:
    """dsconf and dsctl want an instance that dscreate has made; they do what is done here."""

    def enable(plugin: str) -> None:
        server.tools().modify(
            f"dn: cn={plugin},cn=plugins,cn=config\nchangetype: modify\n"
            "replace: nsslapd-pluginEnabled\nnsslapd-pluginEnabled: on\n"
        )

    def restart() -> None:
        server.stop()
        server.start()

    content_sync, retro_changelog = SYNC_PLUGINS
    translated = {
        "dsconf INSTANCE plugin retro-changelog enable": lambda: enable(retro_changelog),
        "dsconf INSTANCE plugin contentsync enable": lambda: enable(content_sync),
        "dsctl INSTANCE restart": restart,
    }
    return _desk(server, folder, lambda dn: server.tools(), translated)
