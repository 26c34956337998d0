"""Reading by uSNChanged, where DirSync is refused or the base is no whole domain: a dialogue, without a connection."""

from collections.abc import Callable
from typing import Final

from dirsync.ad.controls import EXTENDED_DN, PAGED, SHOW_DELETED, paged, read_paged
from dirsync.ad.entry import LAST_KNOWN_PARENT, AdEntry
from dirsync.ad.question import WHERE, Domain
from dirsync.ad.reading import RESTORED, IncompleteError, Sink, take
from dirsync.change import Change, Delete, Put
from dirsync.wire.ber import MalformedAnswer
from dirsync.wire.search import Control, Dialogue, Scope, Search
from schema.dn import fold, is_below

_CONTAINERS: Final = {b"organizationalunit", b"container", b"builtindomain"}
# What tells where an entry is, and whether others are below it.
_PLACE: Final = ("objectGUID", "objectClass", "isDeleted")


def poll_everything(wanted: Domain, sink: Sink) -> Dialogue[None]:
    """All entries there are at and below the base.

    Raises:
        DirectoryRefused: the server denies it.
        DirectoryUnavailable: it cannot be read to the end.
    """
    question = Search(wanted.base, wanted.attributes, Scope.SUBTREE, WHERE, (EXTENDED_DN,))
    yield from _pages(question, _put, sink)


def poll_since(wanted: Domain, context: str, usn: int, sink: Sink) -> Dialogue[None]:
    """What this server has changed after it had given away the number `usn`, each entry whole.

    A deleted entry is found only by an account that may list and read `CN=Deleted Objects`.

    Args:
        wanted: what to read.
        context: DN of the domain that the base is or is in.
        usn: its highestCommittedUSN then.
        sink: takes the changes.

    Raises:
        DirectoryRefused: the server denies it.
        DirectoryUnavailable: it cannot be read to the end.
        IncompleteError: only a full read tells what is below the base now, or what has come back with an entry.
    """
    since = f"(&(uSNChanged>={usn + 1}){WHERE})"
    controls = (EXTENDED_DN, SHOW_DELETED)
    if fold(wanted.base) != fold(context):
        # what has left the base, deleted entries among it, is found from above only
        elsewhere = Search(context, _PLACE, Scope.SUBTREE, since, controls)
        yield from _pages(elsewhere, _Leavers(wanted.base, context).change, sink)
    question = Search(wanted.base, (*wanted.attributes, LAST_KNOWN_PARENT), Scope.SUBTREE, since, controls)
    yield from _pages(question, _change, sink)


def _put(entry: AdEntry) -> Put:
    return entry.put(whole=True)


def _change(entry: AdEntry) -> Change:
    if entry.deleted:
        return Delete(entry.id)
    if entry.was_deleted:
        raise IncompleteError(RESTORED)
    return _put(entry)


class _Leavers:
    """Reads an answer from the whole domain: who has changed and is not below the base may have been there before."""

    def __init__(self, base: str, context: str) -> None:
        self._base = fold(base)
        self._context = fold(context)

    def change(self, entry: AdEntry) -> Change | None:
        place = fold(entry.dn)
        if not entry.deleted and place not in {self._base, self._context} and _is_container(entry):
            raise IncompleteError(
                "a container has changed, and may have taken entries along into the base or out of it"
            )
        if entry.deleted:
            return Delete(entry.id)
        if place == self._base or is_below(place, self._base):
            return None
        # of no use from here on, and not deleted: what links to it still does, as in the directory
        return Put(entry.id, entry.dn, None, {})


def _is_container(entry: AdEntry) -> bool:
    return any(name.lower() in _CONTAINERS for name in entry.attributes.get("objectclass", ()))


def _pages(question: Search, change: Callable[[AdEntry], Change | None], sink: Sink) -> Dialogue[None]:
    """Ask for page after page (RFC 2696): without that, Windows ends an answer at 1,000 entries."""
    cookie = b""
    while True:
        controls: tuple[Control, ...] = (*question.controls, paged(cookie))
        page = yield Search(question.base, question.attributes, question.scope, question.where, controls)
        yield from take(page, change, sink)
        if PAGED not in page.controls:
            raise MalformedAnswer("it lacks the control of a paged search")
        cookie = read_paged(page.controls[PAGED])
        if not cookie:
            return
