"""OpenLDAP or 389 Directory Server as a source of changes, which tells them itself as they happen."""

import hashlib
import logging
import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from threading import Lock
from typing import Final

from dirsync.authorship import Authorship
from dirsync.change import Batch, Placing
from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.settings import DirectorySettings
from dirsync.spool import Spool
from dirsync.syncrepl.authorship import last_modified
from dirsync.syncrepl.entry import wanted
from dirsync.syncrepl.following import WHERE, Following
from dirsync.syncrepl.server import Server
from dirsync.wire.complaints import Interrupted
from dirsync.wire.connector import Connector
from dirsync.wire.search import converse
from dirsync.wire.sign_in import prepare
from dirsync.wire.surroundings import Surroundings
from schema.dn import fold
from schema.entry import EntryId
from schema.errors import Fault

_log = logging.getLogger("dirfactor.sync")
_NUMBERS: Final = 1 << 62
_MILLISECONDS: Final = 1000
_SETTLED_SECONDS: Final = 1.0


class SyncreplSource:
    """A `Source`: a tree that is followed by the Content Synchronization Operation (RFC 4533).

    Any thread may ask; they take turns.

    Args:
        settings: of the directory.
        server: what kind of server it is.
        surroundings: for `Connector`, and chance.

    Raises:
        Fault: the settings do not lead to an encrypted connection, or `base` is no DN.
    """

    def __init__(self, settings: DirectorySettings, server: Server, surroundings: Surroundings) -> None:
        prepare(settings)
        try:
            base = fold(settings.base)
        except ValueError:
            base = ""
        if not base:
            raise Fault(
                f"{settings.base!r} is no DN of a tree", remedy="set base in [directory], such as dc=example,dc=com"
            )
        self._connector = Connector(settings, surroundings)
        self._below = surroundings.below
        self._monotonic = surroundings.monotonic
        self._server = server
        self._base = settings.base
        self._wanted = wanted(settings.extra_attributes)
        self._netbios_name = settings.netbios_name
        self._turn = Lock()
        self._following: Following | None = None
        self._begun_at = 0.0
        question = "\n".join((WHERE, *sorted(name.lower() for name in self._wanted.names)))
        self._identity = f"{server.name} {base} {hashlib.sha256(question.encode()).hexdigest()[:16]}"

    @property
    def identity(self) -> str:
        """The tree, and a digest of the filter and the attribute list: another question needs a full read."""
        return self._identity

    @property
    def method(self) -> str:
        """How changes come."""
        return f"{self._server.title} tells them as they happen (RFC 4533)"

    def changes(self, cookie: bytes | None, now: datetime) -> Batch:
        """What has changed since the cookie; all there is when the server cannot tell.

        Args:
            cookie: of the last batch; None for all.
            now: becomes the batch's `as_of`.

        Raises:
            DirectoryUnavailable: no server could be read to the end.
            DirectoryRefused: the account was refused, or may not read, or the base is not there.
            Fault: the temporary folder is full.
        """
        with self._turn:
            if cookie is not None and self._following and self._following.cookie == cookie:
                try:
                    return self._go_on(self._following, now)
                except Interrupted:
                    raise
                except (DirectoryUnavailable, DirectoryRefused) as fault:
                    _log.info("what the server tells has ended and is asked for anew: %s", fault.problem)
            self._leave()
            return self._begin(cookie, now)

    def wait(self, seconds: float) -> bool:
        """Block until the server tells a change, or for `seconds`; as long as it is not followed, for all of them.

        What was told while a connection ended is not known, so its end counts as a change; but not soon after its
        beginning, or a server that always ends them would be asked without end.
        """
        with self._turn:
            following, number = self._following, -1
            if following:
                with self._lost_quietly(following):
                    if following.has_news():
                        return True
                    number = following.fileno
            if following and self._has_ended_late():
                return True
        poll = select.poll()
        if number >= 0:
            poll.register(number, select.POLLIN)
        if not poll.poll(seconds * _MILLISECONDS):
            return False
        with self._turn:
            if following and self._following is following:
                has_news = False
                with self._lost_quietly(following):
                    has_news = following.has_news()
                return has_news or self._has_ended_late()
        return False

    def changed_when(
        self,
        entry: EntryId,
        attribute: str,  # noqa: ARG002 - part of the interface; here an entry has one author for all
    ) -> Authorship | None:
        """Who changed the entry last, and when; of a single attribute the server keeps nothing.

        Raises:
            DirectoryUnavailable: no server answers.
            DirectoryRefused: the account was refused, or may not read, or the base is not there.
        """
        connection = self._connector.sign_in()  # of its own: the other one is busy telling
        try:
            return converse(last_modified(self._server, self._base, entry), connection.search)
        finally:
            connection.close()

    def close(self) -> None:
        """End what is being read within a moment, and close the connection; the next question opens another one."""
        with self._connector.interrupting(), self._turn:
            self._leave()

    def _go_on(self, following: Following, now: datetime) -> Batch:
        with self._given_up(following):
            changes = following.go_on()
        return self._batch(changes, following, now, Placing.BY_DN_IN_TURN)

    def _begin(self, cookie: bytes | None, now: datetime) -> Batch:
        number = self._below(_NUMBERS)
        following = Following(self._connector.sign_in(), self._server, self._base, self._wanted, number)
        with self._given_up(following):
            refreshed = following.begin(cookie)
        self._following, self._begun_at = following, self._monotonic()
        present = None if refreshed.present is None else refreshed.present.take()
        batch = self._batch(refreshed.changes, following, now, Placing.BY_DN)
        return replace(batch, refresh=refreshed.whole, present=present)

    def _batch(self, changes: Spool, following: Following, now: datetime, placing: Placing) -> Batch:
        return Batch(
            changes.take(),
            following.cookie,
            refresh=False,
            as_of=now,
            netbios_name=self._netbios_name,
            placing=placing,
            size=len(changes),
        )

    @contextmanager
    def _given_up(self, following: Following) -> Iterator[None]:
        """After an error nothing more is taken over this connection; the next one goes to another server."""
        try:
            yield
        except BaseException as error:
            self._following = None
            if isinstance(error, DirectoryUnavailable) and not isinstance(error, Interrupted):
                self._connector.leave(following.connection)
            else:
                following.connection.close()
            raise

    @contextmanager
    def _lost_quietly(self, following: Following) -> Iterator[None]:
        """Whoever only waits is told no errors."""
        with suppress(Fault), self._given_up(following):
            yield

    def _has_ended_late(self) -> bool:
        return self._following is None and self._monotonic() - self._begun_at > _SETTLED_SECONDS

    def _leave(self) -> None:
        if self._following:
            self._following.connection.close()
            self._following = None
