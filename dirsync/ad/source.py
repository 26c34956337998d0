"""Active Directory as a source of changes: dialogues held over a connection that is kept, and a watch beside it."""

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import Final, TypeVar

from dirsync.ad.dialogue import Answer, read_changes
from dirsync.ad.metadata import changed_when
from dirsync.ad.question import WHERE, domain
from dirsync.ad.server import find_netbios_name, lists_deleted
from dirsync.ad.watch import Watch
from dirsync.authorship import Authorship
from dirsync.change import Batch
from dirsync.errors import DirectoryUnavailable
from dirsync.settings import ChangeFeed, DirectorySettings
from dirsync.spool import Spool
from dirsync.wire.complaints import Interrupted
from dirsync.wire.connection import Connection
from dirsync.wire.connector import Connector
from dirsync.wire.search import Dialogue, converse
from dirsync.wire.sign_in import prepare
from dirsync.wire.surroundings import Surroundings
from schema.dn import fold
from schema.entry import EntryId
from schema.errors import Fault

_log = logging.getLogger("dirfactor.sync")
Result = TypeVar("Result")
_WAYS: Final = {ChangeFeed.DIRSYNC: "DirSync", ChangeFeed.USN: "polling by uSNChanged"}
_BLIND: Final = "deletions at full reads only"


class AdSource:
    """A `Source`: an Active Directory domain, read with the rights of a service account.

    It needs no replication right: it is sent what the account may read. The account must be allowed to list and
    read `CN=Deleted Objects`, or deletions are not noticed before the next full read. Any thread may ask; they take
    turns.

    Args:
        settings: of the directory.
        surroundings: for `Connector`, and to see how long the server takes to answer.

    Raises:
        Fault: the settings do not lead to an encrypted, authenticated connection, or `base` is no DN.
    """

    def __init__(self, settings: DirectorySettings, surroundings: Surroundings) -> None:
        prepare(settings)
        try:
            base = fold(settings.base)
        except ValueError:
            base = ""
        if not base:
            raise Fault(
                f"{settings.base!r} is no DN of a domain",
                remedy="set base in [directory], such as DC=example,DC=com",
            )
        self._connector = Connector(settings, surroundings)
        self._feed = settings.changes
        self._wanted = domain(settings.base, settings.extra_attributes)
        self._watch = Watch(self._connector.sign_in)
        self._clock = surroundings.monotonic
        self._way = "not asked yet"
        self._sees_deletions = True
        self._connection: Connection | None = None
        self._turn = Lock()
        self._netbios_name = settings.netbios_name
        question = "\n".join((WHERE, *sorted(name.lower() for name in self._wanted.attributes)))
        self._identity = f"ad {base} {hashlib.sha256(question.encode()).hexdigest()[:16]}"

    @property
    def identity(self) -> str:
        """The domain, and a digest of the filter and the attribute list: another question needs a full read."""
        return self._identity

    @property
    def method(self) -> str:
        """How changes come."""
        return ", ".join((self._way, self._watch.method, *([] if self._sees_deletions else [_BLIND])))

    def changes(self, cookie: bytes | None, now: datetime) -> Batch:
        """What has changed since the cookie; all there is when the server cannot tell.

        It costs next to nothing while the server has committed nothing at all: three reads of one entry each, and one
        of those who prove that it is the same server still.

        Args:
            cookie: of the last batch; None for all.
            now: becomes the batch's `as_of`.

        Raises:
            DirectoryUnavailable: no server could be read to the end.
            DirectoryRefused: the account was refused, or may not read, or the base is another one.
            Fault: the temporary folder is full.
        """
        spool = Spool()
        began = self._clock()
        answer = self._hold(lambda: read_changes(self._wanted, self._feed, cookie, spool))
        # Samba looks through all of the domain for each answer: while it does that, it should do something else, too
        self._watch.prepare(answer.context, 0.0 if answer.refresh else self._clock() - began)
        if answer.why:
            _log.warning("everything was read: %s", answer.why)
        self._describe(answer)
        return Batch(spool.take(), answer.cookie, answer.refresh, now, self._short_name(), size=len(spool))

    def wait(self, seconds: float) -> bool:
        """Block until the domain has changed, for `seconds` at most; nothing is heard before it was read once."""
        return self._watch.wait(seconds)

    def changed_when(self, entry: EntryId, attribute: str) -> Authorship | None:
        """When an attribute was last changed, and at which domain controller; who it was is not recorded.

        Raises:
            DirectoryUnavailable: no server answers.
            DirectoryRefused: the entry is not there or cannot be read.
        """
        return self._hold(lambda: changed_when(entry, attribute))

    def netbios_name(self) -> str | None:
        r"""The domain's short name, `LAB` in LAB\alice; None when the directory does not tell.

        Raises:
            DirectoryUnavailable: no server answers.
            DirectoryRefused: the account was refused, or may not read the partitions.
        """
        return self._hold(lambda: find_netbios_name(self._wanted.base))

    def _describe(self, answer: Answer) -> None:
        """Say in the log how changes come, and what will not come, when that is new."""
        way = _WAYS[answer.feed]
        if way == self._way and not answer.refresh:
            return
        sees = self._hold(lambda: lists_deleted(answer.context))
        if (way, sees) != (self._way, self._sees_deletions):
            self._way, self._sees_deletions = way, sees
            _log.info("changes of %s come by %s", self._wanted.base, self.method)
            if not sees:
                _log.warning(
                    "what is deleted is noticed at the next full read only, at night at the latest; remedy: let the "
                    "account bind_dn list and read CN=Deleted Objects,%s",
                    answer.context,
                )

    def _short_name(self) -> str | None:
        """The domain's short name; without it nobody is found as DOMAIN-backslash-user, and all else works."""
        if self._netbios_name is None:
            try:
                self._netbios_name = self.netbios_name()
            except Fault as fault:
                _log.warning("the domain's short name is not known: %s", fault)
        return self._netbios_name

    def close(self) -> None:
        """End what is being read within a moment, and close the connection; the next question opens another one."""
        with self._connector.interrupting(), self._turn:
            self._watch.close()
            if self._connection:
                self._connection.close()
                self._connection = None

    def _hold(self, dialogue: Callable[[], Dialogue[Result]]) -> Result:
        """Hold a dialogue over the kept connection; from the start over a new one when that has died unnoticed."""
        with self._turn:
            if self._connection:
                try:
                    return self._hold_over(self._connection, dialogue())
                except Interrupted:
                    raise
                except DirectoryUnavailable:
                    pass
            self._connection = self._connector.sign_in()
            return self._hold_over(self._connection, dialogue())

    def _hold_over(self, connection: Connection, dialogue: Dialogue[Result]) -> Result:
        try:
            return converse(dialogue, connection.search)
        except Exception as error:
            # the answer was not taken to its end: nothing else can be asked over this connection
            self._connection = None
            if isinstance(error, DirectoryUnavailable) and not isinstance(error, Interrupted):
                self._connector.leave(connection)
            else:
                connection.close()
            raise
