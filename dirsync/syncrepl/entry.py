"""What one entry of a server with RFC 4533 says, and the change that it is. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dirsync.change import LinkChange, LinkKind, Put
from schema.attributes import ATTRIBUTES
from schema.entry import EntryId
from schema.parse import ACCOUNT_ATTRIBUTES, ADDRESS_ATTRIBUTES, DIRECTORY_ATTRIBUTES

_DN_LINKS: Final[Mapping[str, LinkKind]] = {
    "member": LinkKind.MEMBER,
    "uniquemember": LinkKind.MEMBER,
    "dirfactorpolicy": LinkKind.POLICY,
    "dirfactormember": LinkKind.NODE_MEMBER,
}
# Grows whenever the entry is changed.
STAMP: Final = "entryCSN"
_STAMP_KEY: Final = STAMP.lower()
_LOGIN_LINK: Final = "memberuid"
_LINKS: Final = ("member", "uniqueMember", "memberUid", "dirfactorPolicy", "dirfactorMember")
_BIT_STRING: Final = re.compile(r"#'[01]*'B\Z")  # may follow the DN of a uniqueMember, RFC 4517 section 3.3.21


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read of each entry.

    Attributes:
        names: attribute types, as they are asked for.
        kept: names in lower case of those that the replica keeps.
    """

    names: tuple[str, ...]
    kept: frozenset[str]


def wanted(extra_attributes: Sequence[str]) -> Wanted:
    """The attributes that the parser and the replica want.

    Args:
        extra_attributes: further attributes for phone numbers and mail addresses.
    """
    ours = (attribute.name for attribute in ATTRIBUTES if attribute.forward_link is None)
    theirs = (*DIRECTORY_ATTRIBUTES, *ACCOUNT_ATTRIBUTES, *ADDRESS_ATTRIBUTES, *extra_attributes)
    plain = {name.lower(): name for name in (*theirs, *ours)}
    kept = frozenset(plain) - _DN_LINKS.keys()
    return Wanted((*plain.values(), *_LINKS, STAMP), kept)


def read_entry(entry: EntryId, dn: str, attributes: Mapping[str, Sequence[bytes]], wanted: Wanted) -> tuple[Put, bytes]:
    """An entry as a change, and its change stamp; the stamp is empty when the server does not show it.

    Args:
        entry: its entryUUID.
        dn: its DN.
        attributes: what the server sent of it.
        wanted: what was asked for; options such as `cn;lang-de` were not.
    """
    values: dict[str, tuple[bytes, ...]] = {}
    links: dict[LinkKind, LinkChange] = {}
    stamp = b""
    for written, found in attributes.items():
        name = written.lower()
        if name in wanted.kept:
            values[name] = tuple(found)
        elif name in _DN_LINKS:
            kind = _DN_LINKS[name]
            known = links.get(kind, _NONE)
            links[kind] = LinkChange(dns=(*known.dns, *map(_dn, found)), logins=known.logins)
        elif name == _LOGIN_LINK:
            known = links.get(LinkKind.MEMBER, _NONE)
            logins = tuple(value.decode(errors="replace") for value in found)
            links[LinkKind.MEMBER] = LinkChange(dns=known.dns, logins=logins)
        elif name == _STAMP_KEY:
            stamp = found[0]
    return Put(entry, dn, None, values, links), stamp


_NONE: Final = LinkChange()


def _dn(value: bytes) -> str:
    return _BIT_STRING.sub("", value.decode(errors="replace"))
