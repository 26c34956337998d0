"""What all ways of reading a domain have in common: where changes go, and how an answer's entries become whole."""

from collections.abc import Callable
from typing import Final, Protocol

from dirsync.ad.controls import EXTENDED_DN, guid_dn
from dirsync.ad.entry import AdEntry, Rest, read_entry, read_rest
from dirsync.ad.server import only
from dirsync.change import Change, LinkKind
from dirsync.wire.search import Dialogue, Page, Search
from schema.entry import EntryId


class Sink(Protocol):
    """Where changes go."""

    def append(self, change: Change, /) -> None:
        """Take a change."""
        ...

    def clear(self) -> None:
        """Forget the changes: they turned out not to be all."""
        ...


class IncompleteError(Exception):
    """What has changed does not tell all that is different now: only a full read does.

    Args:
        why: what is not told, as a sentence's beginning.
    """


RESTORED: Final = "a deleted entry has come back, with attributes and links that count as unchanged"


def take(page: Page, change: Callable[[AdEntry], Change | None], sink: Sink) -> Dialogue[int]:
    """Put what a page's entries mean into the sink; how many entries there were.

    Args:
        page: with extended DNs.
        change: what an entry with all its links means, if anything.
        sink: takes the changes.

    Raises:
        MalformedAnswer: an entry makes no sense.
    """
    incomplete: list[AdEntry] = []
    count = 0
    for found in page.entries:
        count += 1
        entry = read_entry(found)
        if entry.rests and not entry.deleted:
            incomplete.append(entry)
        elif meant := change(entry):
            sink.append(meant)
    for entry in incomplete:
        if meant := change((yield from _completed(entry))):
            sink.append(meant)
    return count


def _completed(entry: AdEntry) -> Dialogue[AdEntry]:
    """The entry with the links that the server had held back."""
    more: dict[LinkKind, tuple[EntryId, ...]] = {}
    for rest in entry.rests:
        ahead: Rest | None = rest
        while ahead:
            attribute = f"{ahead.attribute};range={ahead.start}-*"
            page = yield Search(guid_dn(entry.id), (attribute,), controls=(EXTENDED_DN,))
            targets, ahead = read_rest(only(page, entry.dn), ahead)
            more[rest.kind] = more.get(rest.kind, ()) + targets
    return entry.completed(more)
