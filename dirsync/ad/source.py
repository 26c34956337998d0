"""Active Directory as a source of changes: the DirSync dialogue, held over a connection that is kept."""

import hashlib
import logging
import time
from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import TypeVar

from dirsync.ad.dialogue import WHERE, domain, read_changes
from dirsync.ad.server import find_netbios_name
from dirsync.change import Batch
from dirsync.complaints import Interrupted
from dirsync.connection import Connection
from dirsync.connector import Connector
from dirsync.errors import DirectoryUnavailable
from dirsync.search import Dialogue, converse
from dirsync.settings import DirectorySettings
from dirsync.sign_in import prepare
from dirsync.spool import Spool
from dirsync.surroundings import Surroundings
from schema.dn import fold
from schema.errors import Fault

_log = logging.getLogger("dirfactor.sync")
Result = TypeVar("Result")


class AdSource:
    """A `Source`: an Active Directory domain, read with the rights of a service account.

    It needs no replication right: it is sent what the account may read. The account must be allowed to list and
    read `CN=Deleted Objects`, or deletions are not noticed before the next full read. Any thread may ask; they take
    turns.

    Args:
        settings: of the directory.
        surroundings: for `Connector`.

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
        self._wanted = domain(settings.base, settings.extra_attributes)
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
        return "DirSync"

    def changes(self, cookie: bytes | None, now: datetime) -> Batch:
        """What has changed since the cookie; all there is when the server cannot tell.

        It costs next to nothing while the server has committed nothing at all: three reads of one entry each.

        Args:
            cookie: of the last batch; None for all.
            now: becomes the batch's `as_of`.

        Raises:
            DirectoryUnavailable: no server could be read to the end.
            DirectoryRefused: the account was refused, or may not read, or the base is another one.
            Fault: the temporary folder is full.
        """
        spool = Spool()
        answer = self._hold(lambda: read_changes(self._wanted, cookie, spool))
        return Batch(spool.take(), answer.cookie, answer.refresh, now, self._short_name())

    def wait(self, seconds: float) -> bool:
        """The domain is asked; it does not tell."""
        time.sleep(seconds)
        return False

    def netbios_name(self) -> str | None:
        r"""The domain's short name, `LAB` in LAB\alice; None when the directory does not tell.

        Raises:
            DirectoryUnavailable: no server answers.
            DirectoryRefused: the account was refused, or may not read the partitions.
        """
        return self._hold(lambda: find_netbios_name(self._wanted.base))

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
