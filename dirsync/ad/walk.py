"""Reading a whole domain by the DirSync control (MS-ADTS section 3.1.1.3.4.1.3): a dialogue, without a connection."""

from dirsync.ad.controls import DIRSYNC, EXTENDED_DN, INCREMENTAL_VALUES, OBJECT_SECURITY, dirsync, read_dirsync
from dirsync.ad.entry import AdEntry
from dirsync.ad.question import WHERE, Domain
from dirsync.ad.reading import RESTORED, IncompleteError, Sink, take
from dirsync.change import Change, Delete
from dirsync.wire.ber import MalformedAnswer
from dirsync.wire.search import Dialogue, Scope, Search
from schema.entry import EntryId


def walk_everything(wanted: Domain, sink: Sink) -> Dialogue[bytes]:
    """All entries there are; DirSync's cookie after them.

    Raises:
        DirectoryRefused: the server denies it.
        DirectoryUnavailable: it cannot be read to the end.
    """
    return _walk(wanted, b"", _Everything(), sink)


def walk_since(wanted: Domain, raw: bytes, sink: Sink) -> Dialogue[bytes]:
    """What has changed since DirSync's cookie `raw`; its next cookie.

    Raises:
        DirectoryRefused: the server denies it, or cannot read the cookie.
        DirectoryUnavailable: it cannot be read to the end.
        IncompleteError: only a full read tells what an entry is now.
    """
    return _walk(wanted, raw, _Since(), sink)


class _Since:
    """Reads an answer to "what has changed?"."""

    flags = OBJECT_SECURITY | INCREMENTAL_VALUES

    def change(self, entry: AdEntry) -> Change | None:
        if entry.deleted:
            return Delete(entry.id)
        if entry.restored:
            raise IncompleteError(RESTORED)
        return entry.put(whole=False)


class _Everything:
    """Reads an answer to "what is there?"; an entry may come again in a later page because it has changed."""

    flags = OBJECT_SECURITY

    def __init__(self) -> None:
        self._seen: set[EntryId] = set()

    def change(self, entry: AdEntry) -> Change | None:
        again = entry.id in self._seen
        if entry.deleted:
            self._seen.discard(entry.id)
            return Delete(entry.id) if again else None
        self._seen.add(entry.id)
        return entry.put(whole=not again)


def _walk(wanted: Domain, raw: bytes, reading: _Since | _Everything, sink: Sink) -> Dialogue[bytes]:
    """Ask page after page until there is no more; only then the cookie counts."""
    while True:
        controls = (dirsync(reading.flags, raw), EXTENDED_DN)
        page = yield Search(wanted.base, wanted.attributes, Scope.SUBTREE, WHERE, controls)
        count = yield from take(page, reading.change, sink)
        if DIRSYNC not in page.controls:
            raise MalformedAnswer("it lacks the DirSync control", remedy="let url name domain controllers only")
        answer = read_dirsync(page.controls[DIRSYNC])
        if not answer.more:
            return answer.cookie
        if not count and answer.cookie == raw:
            raise MalformedAnswer("it promises more and never sends it")
        raw = answer.cookie
