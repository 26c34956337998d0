"""Who may write our attributes of users in Active Directory: whoever may, decides who logs on without a second factor.

What the base and the units below it hand down is looked at, and neither denials nor the lists of single users: it is
told who was given a right, so that somebody can ask whether they should have been.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from itertools import islice
from typing import Final

from dirsync.admin.security_descriptor import ALLOW, ALLOW_OBJECT, Ace, AceFlag, Acl
from dirsync.examination.permissions import permissions_at, permissions_in
from dirsync.wire.search import Dialogue, Scope, Search, escaped
from schema.access import Right
from schema.attributes import ATTRIBUTES, PROPERTY_SET_GUID
from schema.sid import Sid, read_sid

EVERYTHING: Final = "everything"
SETTINGS: Final = "all our attributes"
_MOST_UNITS: Final = 900  # a server gives a thousand entries to a search
_UNITS: Final = "(|(objectClass=organizationalUnit)(objectClass=container)(objectClass=builtinDomain))"
_OURS: Final = {PROPERTY_SET_GUID: SETTINGS} | {item.guid: item.name for item in ATTRIBUTES}
# schemaIDGUID of user and inetOrgPerson (MS-ADSC)
_PEOPLE: Final = (
    uuid.UUID("bf967aba-0de6-11d0-a285-00aa003049e2"),
    uuid.UUID("4828cc14-1437-45bc-9b07-ad6f015e5f28"),
)
# MS-DTYP section 2.4.2.4
_BEHIND_NO_ENTRY: Final = {
    Sid(1, (0,)): "Everyone",
    Sid(3, (0,)): "Creator Owner",
    Sid(5, (7,)): "Anonymous Logon",
    Sid(5, (9,)): "Enterprise Domain Controllers",
    Sid(5, (10,)): "Self",
    Sid(5, (11,)): "Authenticated Users",
    Sid(5, (18,)): "System",
}
_USERS, _GUESTS, _OLD_CLIENTS = (Sid(5, (32, number)) for number in (545, 546, 554))
_EVERYBODY: Final = {Sid(1, (0,)), Sid(5, (7,)), Sid(5, (10,)), Sid(5, (11,)), _USERS, _GUESTS, _OLD_CLIENTS}
_EVERYBODY_OF_A_DOMAIN: Final = (513, 514, 515)  # Domain Users, Domain Guests, Domain Computers
_OF_A_DOMAIN: Final = 21


class _Whole(IntFlag):
    """Rights to an entry by which its attributes can be written, at once or next (MS-ADTS section 5.1.3.2)."""

    WRITE_DAC = 0x00040000
    WRITE_OWNER = 0x00080000
    GENERIC_ALL = 0x10000000
    GENERIC_WRITE = 0x40000000


_ALL_OF_IT: Final = _Whole.WRITE_DAC | _Whole.WRITE_OWNER | _Whole.GENERIC_ALL | _Whole.GENERIC_WRITE


@dataclass
class Writer:
    """Somebody who may write.

    Attributes:
        sid: of the account or group.
        name: of the same, or the SID where no entry has it.
        what: `EVERYTHING`, `SETTINGS` or names of attributes, in the order in which they were found.
        where: DNs of the entries whose lists say so, likewise.
    """

    sid: Sid
    name: str = ""
    what: dict[str, None] = field(default_factory=dict)
    where: dict[str, None] = field(default_factory=dict)

    @property
    def is_everybody(self) -> bool:
        """Whether it stands for all there are, or for people themselves."""
        return self.sid in _EVERYBODY or (
            self.sid.parts[0] == _OF_A_DOMAIN and self.sid.parts[-1] in _EVERYBODY_OF_A_DOMAIN
        )


def writers_below(base: str, context: str) -> Dialogue[tuple[Writer, ...] | None]:
    """Who may write our attributes of users below the base.

    Args:
        base: DN of the domain or unit.
        context: DN of the domain, where accounts and groups are.

    Returns:
        Each once; None when the account may not read the permissions of the base, so that nobody can say.

    Raises:
        DirectoryUnavailable: the server does not answer, or not as it should.
        DirectoryRefused: there is no such entry.
    """
    page = yield permissions_at(base)
    lists = [(base, acl, True) for _, found in page.entries if (acl := permissions_in(found))]
    if not lists:
        return None
    page = yield permissions_at(base, Scope.SUBTREE, _UNITS)
    units = islice(page.entries, _MOST_UNITS)
    lists += [(dn, acl, False) for dn, found in units if (acl := permissions_in(found))]
    writers: dict[Sid, Writer] = {}
    for dn, acl, is_base in lists:
        for ace in _handed_down(acl, also_inherited=is_base):
            what = _written(ace)
            if what:
                writer = writers.setdefault(ace.sid, Writer(ace.sid))
                writer.what[what] = writer.where[dn] = None
    names = yield from _names_of(writers, context)
    for sid, writer in writers.items():
        writer.name = names.get(sid, str(sid))
    return tuple(writers.values())


def _handed_down(acl: Acl, *, also_inherited: bool) -> Iterator[Ace]:
    """What a list allows for the people below; what a unit has inherited was seen where it comes from."""
    for ace in acl.aces:
        if (
            isinstance(ace, Ace)
            and ace.kind in (ALLOW, ALLOW_OBJECT)
            and ace.flags & AceFlag.CONTAINER_INHERIT
            and (ace.inherited_type is None or ace.inherited_type in _PEOPLE)
            and (also_inherited or not ace.flags & AceFlag.INHERITED)
        ):
            yield ace


def _written(ace: Ace) -> str:
    """What of ours an entry of a list lets somebody write; empty for nothing."""
    if ace.mask & _ALL_OF_IT:
        return EVERYTHING
    if not ace.mask & Right.WRITE_PROPERTY:
        return ""
    return EVERYTHING if ace.object_type is None else _OURS.get(ace.object_type, "")


def _names_of(sids: Iterable[Sid], context: str) -> Dialogue[Mapping[Sid, str]]:
    """By which name each is known."""
    unknown = [sid for sid in sids if sid not in _BEHIND_NO_ENTRY]
    names = dict(_BEHIND_NO_ENTRY)
    if unknown:
        which = "".join(f"(objectSid={escaped(sid.octets)})" for sid in unknown)
        page = yield Search(context, ("objectSid", "sAMAccountName"), Scope.SUBTREE, f"(|{which})")
        for dn, found in page.entries:
            sid, name = found.get("objectSid", (b"",))[0], found.get("sAMAccountName", (dn.encode(),))[0]
            names[read_sid(sid)] = name.decode(errors="replace")
    return names
