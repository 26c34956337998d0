"""Who changed an entry last, and when, from the operational attributes that OpenLDAP and 389 Directory Server keep."""

from datetime import datetime
from typing import Final

from dirsync.authorship import Authorship
from dirsync.syncrepl.server import Server
from dirsync.wire.ber import MalformedAnswer
from dirsync.wire.search import Dialogue, Scope, Search
from schema.entry import EntryId
from schema.grammar import read_generalized_time

_MODIFIER: Final = "modifiersName"
_TIME: Final = "modifyTimestamp"


def last_modified(server: Server, base: str, entry: EntryId) -> Dialogue[Authorship | None]:
    """The last change of an entry (RFC 4512 section 3.4); None when it is gone, or the account may not see that.

    It is the entry's last change, whichever attribute that was about: of a single attribute nothing is kept.

    Args:
        server: what kind of server it is.
        base: DN of the tree.
        entry: its id.

    Raises:
        MalformedAnswer: the time is none.
        DirectoryRefused: the tree cannot be searched.
    """
    page = yield Search(base, (_MODIFIER, _TIME), Scope.SUBTREE, f"({server.key}={server.written(entry)})")
    for _, attributes in page.entries:
        values = {name.lower(): found for name, found in attributes.items()}
        when, who = values.get(_TIME.lower()), values.get(_MODIFIER.lower())
        if when:
            return Authorship(who[0].decode(errors="replace") if who else None, _instant(when[0]), None)
    return None


def _instant(value: bytes) -> datetime:
    try:
        return read_generalized_time(value.decode())
    except ValueError as error:
        raise MalformedAnswer(f"{value!r} is no time of a change") from error
