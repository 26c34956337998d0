"""What proves that a server's past is still the one that was read: entries by which it can be recognised. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Self

import msgspec

from dirsync.ad.controls import SHOW_DELETED
from dirsync.wire.ber import MalformedAnswer
from dirsync.wire.search import RawEntry, Scope, Search, escaped

# How many of a server's last numbers are remembered. Each costs one look into an index.
_NUMBERS: Final = 32
_ATTRIBUTES: Final = ("objectGUID", "uSNChanged", "whenChanged")


class Witness(msgspec.Struct, frozen=True):
    """An entry as one server had it.

    Attributes:
        guid: its objectGUID as the server sent it.
        usn: its uSNChanged, a number that the server gives away once (MS-ADTS section 3.1.1.1.9).
        when: its whenChanged on this server.
    """

    guid: bytes
    usn: int
    when: bytes


class Past(msgspec.Struct, frozen=True):
    """The last numbers that a server had given away, and to whom.

    A server that is brought back by copying its files keeps its name and invocationId, and gives the same numbers
    away once more. When it is looked at it may have passed the number that was recorded, so that number alone
    proves nothing. Who holds the last numbers does: an entry changes its number only for a new and greater one, and
    nobody gets one of these numbers later. So an entry that is missing, one whose number is another and no new one,
    or one that holds a number which was not its own, tells of another past. This is exact when the copy is at most as
    old as these numbers; for an older one it misses only a server on which each of these entries has since been
    changed again.

    Attributes:
        usn: the server's highestCommittedUSN.
        witnesses: who held one of the last numbers up to it.
    """

    usn: int
    witnesses: tuple[Witness, ...] = ()

    @property
    def terms(self) -> str:
        """The terms of a filter that finds the witnesses, and whoever holds one of the numbers."""
        first = max(1, self.usn - _NUMBERS + 1)
        numbers = (f"(uSNChanged={number})" for number in range(first, self.usn + 1))
        guids = (f"(objectGUID={escaped(one.guid)})" for one in self.witnesses)
        return "".join((*numbers, *guids))

    def recorded(self, present: Iterable[Witness]) -> Self:
        """The same number with those who hold the last numbers now.

        Args:
            present: what the server answered.
        """
        holders = tuple(one for one in present if self._is_last(one.usn))
        return msgspec.structs.replace(self, witnesses=holders)

    def is_past_of(self, present: Iterable[Witness]) -> bool:
        """Whether the server still has this past.

        Args:
            present: what it answered; more entries than the terms find do no harm.
        """
        now = {one.guid: one for one in present}
        held = {one.guid: one for one in self.witnesses}
        kept = all(guid in now and (now[guid] == one or now[guid].usn > self.usn) for guid, one in held.items())
        return kept and all(one.guid in held for one in now.values() if self._is_last(one.usn))

    def _is_last(self, usn: int) -> bool:
        return self.usn - _NUMBERS < usn <= self.usn


def search(base: str, *pasts: Past | None) -> Search:
    """The question for all who matter to these pasts; deleted entries are witnesses, too.

    Args:
        base: DN of the domain.
        pasts: those that are to be proven or recorded.
    """
    where = "(|" + "".join(past.terms for past in pasts if past) + ")"
    return Search(base, _ATTRIBUTES, Scope.SUBTREE, where, (SHOW_DELETED,))


def read_witness(raw: RawEntry) -> Witness | None:
    """The entry as a witness; None when the account may not read what makes it one.

    Raises:
        MalformedAnswer: its number is none.
    """
    values: Mapping[str, Sequence[bytes]] = {name.lower(): found for name, found in raw[1].items()}
    guid, usn, when = (values.get(name.lower()) for name in _ATTRIBUTES)
    if not guid or not usn or not when:
        return None
    if not usn[0].isdigit():
        raise MalformedAnswer(f"{usn[0]!r} is no update sequence number")
    return Witness(guid[0], int(usn[0]), when[0])
