"""Speaks LDAP as an administrator at a shell does: through ldapmodify and ldapsearch."""

import io
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import ldif
from rig.process import SYSTEM_ENVIRONMENT

AttributeValues = str | bytes | int | Iterable[str | bytes | int]


class LdapRefused(Exception):
    """The server, or the way to it, refused.

    Attributes:
        code: the LDAP result code (RFC 4511 appendix A), which is also the tool's exit status; 255 when the
            server could not be reached.
        text: what the tool printed, with the server's diagnostic message.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"result {code}: {text.strip()}")
        self.code = code
        self.text = text


@dataclass(frozen=True)
class Entry:
    """One entry of a search result; attribute names as the server spelled them."""

    dn: str
    attributes: Mapping[str, list[bytes]]

    def texts(self, attribute: str) -> list[str]:
        """An attribute's values as text; none when it is absent."""
        return [value.decode() for value in self.attributes.get(attribute, [])]


@dataclass(frozen=True)
class LdapTools:
    """ldap-utils towards one server as one account.

    Args:
        uri: `ldaps://...`; a plain `ldap://...` is used as it is, without StartTLS.
        ca_file: the authority that the server's certificate must come from.
        who: bind name: a DN, or what else the server takes, e.g. a UPN.
        password: simple bind password; a throw-away one, for it shows in the process list.
    """

    uri: str
    ca_file: Path
    who: str
    password: str

    def bind(self) -> None:
        """Proves the password with a simple bind.

        Raises:
            LdapRefused: code 49 when the password is wrong.
        """
        self.search("", scope="base", attributes=["1.1"])

    def search(
        self,
        base: str,
        where: str = "(objectClass=*)",
        *,
        scope: str = "sub",
        attributes: Iterable[str] = (),
    ) -> list[Entry]:
        """The entries under `base` that match the filter `where`, in the server's order.

        Raises:
            LdapRefused: the bind or the search failed.
        """
        answer = self._run(["ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-s", scope, "-b", base, where, *attributes])
        records = ldif.LDIFRecordList(io.StringIO(answer))
        records.parse_entry_records()
        return [Entry(dn, found) for dn, found in records.all_records]

    def modify(self, changes: str) -> None:
        """Applies LDIF change records, in order, up to the first that is refused.

        Raises:
            LdapRefused: the bind or a change failed.
        """
        self._run(["ldapmodify"], changes)

    def add(self, dn: str, attributes: Mapping[str, AttributeValues]) -> None:
        """Adds one entry.

        Raises:
            LdapRefused: the bind or the addition failed.
        """
        self.modify(add_record(dn, attributes))

    def _run(self, tool: list[str], text: str = "") -> str:
        bind = ["-x", "-o", "nettimeout=10", "-H", self.uri, "-D", self.who, "-w", self.password]
        done = subprocess.run(
            [tool[0], *bind, *tool[1:]],
            input=text,
            capture_output=True,
            env=SYSTEM_ENVIRONMENT | {"LDAPTLS_CACERT": str(self.ca_file)},
            text=True,
            check=False,
        )
        if done.returncode:
            raise LdapRefused(done.returncode, done.stderr)
        return done.stdout


def add_record(dn: str, attributes: Mapping[str, AttributeValues]) -> str:
    """An LDIF change record (RFC 2849) that adds an entry; values that need it go as base64."""
    out = io.StringIO()
    writer = ldif.LDIFWriter(out, cols=1 << 20)
    writer.unparse(dn, [(name, [_octets(value) for value in _values(given)]) for name, given in attributes.items()])
    return out.getvalue()


def _values(given: AttributeValues) -> list[str | bytes | int]:
    return [given] if isinstance(given, (str, bytes, int)) else list(given)


def _octets(value: str | bytes | int) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
