"""One Sync search over one connection: the refresh that it begins with, and what comes afterwards."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.spool import IdSpool, Spool
from dirsync.syncrepl.controls import sync_request
from dirsync.syncrepl.cookie import SyncCookie
from dirsync.syncrepl.dialogue import Consumer
from dirsync.syncrepl.entry import Wanted
from dirsync.syncrepl.server import Progress, Server, find_progress, has_passed, hear, take_stock
from dirsync.wire.connection import Connection
from dirsync.wire.search import Scope, Search, converse
from dirsync.wire.stream import Message, Stream
from schema.entry import EntryId

_log = logging.getLogger("dirfactor.sync")
# Every entry: one of no use may hold others, and when it is renamed, they are.
WHERE: Final = "(objectClass=*)"
# Between two messages of a refresh: a server without a session log looks through the whole directory first.
_REFRESH_SECONDS: Final = 300.0
# A change is told a moment after it is done.
_MOMENT: Final = 0.2
_AT_ONCE: Final = 1000  # messages


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh has told.

    Attributes:
        changes: entries as they are now, and deletions, in any order.
        present: entries that are as they were, when all others are gone that `changes` does not put.
        whole: the changes are all entries there are.
    """

    changes: Spool
    present: IdSpool | None
    whole: bool


class Following:
    """Takes what the server tells. One thread at a time may use it; after an error it is of no use any more.

    Args:
        connection: with the rights of the service account.
        server: what kind of server it is.
        base: DN of the tree.
        wanted: attributes.
        number: drawn by lot, to tell what this search has told from what another has.
    """

    def __init__(self, connection: Connection, server: Server, base: str, wanted: Wanted, number: int) -> None:
        self.connection = connection
        self._server = server
        self._base = base
        self._wanted = wanted
        self._number = number
        self._consumer = Consumer(wanted, None, Spool(), IdSpool())
        self._stream: Stream | None = None
        self._ahead: Message | None = None
        self._settled: Progress = ()
        self._settled_at = 0

    def begin(self, cookie: bytes | None) -> Refreshed:
        """Read what has changed since the cookie, or everything when the server cannot say what has changed.

        Raises:
            DirectoryUnavailable: the server could not be read to the end of its refresh.
            DirectoryRefused: it denies the search.
            Fault: the temporary folder is full.
        """
        self._settled = self._progress()
        refreshed = self._begin(SyncCookie.decode(cookie) if self._server.resumes else None)
        self._settled_at = self._consumer.told
        return refreshed

    def go_on(self) -> Spool:
        """What has been told since; the server is proven to be there, and to have told all that it had to.

        Raises:
            DirectoryUnavailable: it is not.
            Fault: the temporary folder is full.
        """
        spool = Spool()
        self._consumer.redirect(spool)
        self._take_all()
        progress = self._progress()
        self._take_all()
        self._catch_up(progress)
        return spool

    @property
    def cookie(self) -> bytes:
        """Stands for all that has been taken."""
        raw = self._consumer.raw if self._server.resumes else b""
        return SyncCookie(raw, self._consumer.witnesses, self._number, self._consumer.told).encode()

    @property
    def fileno(self) -> int:
        """The connection's descriptor; -1 when nothing can come."""
        return self._stream.fileno() if self._stream else -1

    def has_news(self) -> bool:
        """Whether a message has come that was not taken yet.

        Raises:
            DirectoryUnavailable: the connection is broken.
        """
        if self._ahead is None and self._stream:
            self._ahead = self._stream.next(0)
        return self._ahead is not None

    def end(self) -> None:
        """Want no more of it; the connection stays."""
        if self._stream:
            self._stream.abandon()
        self._stream = self._ahead = None

    def _begin(self, known: SyncCookie | None) -> Refreshed:
        if known:
            try:
                if refreshed := self._resume(known):
                    return refreshed
                _log.warning("%s has crashed, or was restored from a copy: it is read anew", self.connection.server)
            except DirectoryRefused as refusal:
                _log.info("%s cannot go on from the last cookie and is read anew: %s", self.connection.server, refusal)
            self.end()
        return self._refresh(None)

    def _refresh(self, known: SyncCookie | None, owed: Iterable[EntryId] = ()) -> Refreshed:
        changes, present = Spool(), IdSpool()
        self._consumer = Consumer(self._wanted, known, changes, present, owed)
        control = sync_request(known.raw if known else None)
        self._stream = self.connection.stream(Search(self._base, self._wanted.names, Scope.SUBTREE, WHERE, (control,)))
        while not self._consumer.refreshed:
            message = self._stream.next(_REFRESH_SECONDS)
            if message is None:
                raise DirectoryUnavailable(
                    f"{self.connection.server} has stopped in the middle of its answer", remedy="see the server's log"
                )
            self._consumer.take(message)
        whole = known is None
        if whole and not self._consumer.told:
            raise DirectoryRefused(
                f"{self.connection.server} shows nothing of {self._base}",
                remedy="give the account bind_dn of [directory] the right to read it",
            )
        return Refreshed(changes, present if self._consumer.complete and not whole else None, whole)

    def _resume(self, known: SyncCookie) -> Refreshed | None:
        """What has changed since the cookie; None when the server does not know what the cookie stands for.

        After a crash it may not: OpenLDAP's contextCSN is then that of its last checkpoint, and its session log begins
        anew. What had not been told before, it would never tell: that an entry was deleted, or, where the cookie is
        of that checkpoint, that anything was done at all.
        """
        heard = converse(hear(self._base, known.witnesses), self.connection.search)
        if heard.denied:
            return None
        # before the refresh, so that whoever comes later is told by it
        everybody = IdSpool()
        stock = converse(take_stock(self._base, everybody.append), self.connection.search)
        owed = {stock.newest.id} if stock.newest and not has_passed(known.raw, (stock.newest.stamp,)) else set()
        refreshed = self._refresh(known, heard.missing | owed)
        if refreshed.present is not None:
            return refreshed
        # who is not there was deleted since, and who is newer than the cookie was changed: the server must say so
        if self._consumer.unexplained:
            return None
        return replace(refreshed, present=everybody) if stock.complete else refreshed

    def _take_all(self) -> None:
        """Take what has come; where it never ends, what comes later is news."""
        for _ in range(_AT_ONCE):
            if not self.has_news():
                return
            self._take_one()

    def _take_one(self) -> None:
        message, self._ahead = self._ahead, None
        if message is not None:
            self._consumer.take(message)

    def _catch_up(self, progress: Progress) -> None:
        """Give the server a moment for what it has done and not told yet; what does not concern us is never told."""
        before, told = self._settled, self._settled_at
        while progress != before and self._stream:
            since = self._consumer.told - told
            if self._server.caught_up(progress, before, self._consumer.raw, since):
                break
            self._ahead = self._stream.next(_MOMENT)
            if self._ahead is None:
                break
            self._take_all()
        self._settled, self._settled_at = progress, self._consumer.told

    def _progress(self) -> Progress:
        return converse(find_progress(self._server, self._base), self.connection.search)
