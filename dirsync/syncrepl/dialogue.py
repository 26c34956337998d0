"""What a server tells in answer to a Sync request (RFC 4533 section 3), message by message, without a connection."""

from collections.abc import Iterable
from typing import Final, Protocol

from dirsync.change import Change, Delete
from dirsync.errors import DirectoryUnavailable
from dirsync.syncrepl.controls import (
    SYNC_INFO,
    SYNC_STATE,
    IdSet,
    NewCookie,
    PhaseEnd,
    State,
    SyncInfo,
    read_info,
    read_state,
)
from dirsync.syncrepl.cookie import SyncCookie, Witness, Witnesses
from dirsync.syncrepl.entry import Wanted, read_entry
from dirsync.wire.ber import MalformedAnswer
from dirsync.wire.stream import Ended, Found, Message
from schema.entry import EntryId

NO_SYNC: Final = (
    "load the overlay syncprov for the database (OpenLDAP), or enable the Content Synchronization plug-in (389)"
)


class Sink(Protocol):
    """Where changes go."""

    def append(self, change: Change, /) -> None:
        """Take a change."""
        ...


class Named(Protocol):
    """Where the ids of entries go that are as they were."""

    def append(self, entry: EntryId, /) -> None:
        """Take an id."""
        ...


class Consumer:
    """Follows one answer: first the refresh, then changes as they happen.

    Args:
        wanted: what was asked for.
        known: with which cookie; None for everything.
        changes: takes the changes.
        present: takes the ids of entries that a resumed refresh has named and not sent.
        owed: entries that are known to have been changed or deleted since.
    """

    def __init__(
        self,
        wanted: Wanted,
        known: SyncCookie | None,
        changes: Sink,
        present: Named,
        owed: Iterable[EntryId] = (),
    ) -> None:
        self._wanted = wanted
        self._changes = changes
        self._present = present
        self.told = 0
        self._raw = known.raw if known else b""
        self._witnesses = Witnesses(known.witnesses if known else ())
        self.refreshed = False
        self.complete = False
        self.unexplained = set(owed)

    @property
    def raw(self) -> bytes:
        """The server's newest cookie; empty when it has given none."""
        return self._raw

    @property
    def witnesses(self) -> tuple[Witness, ...]:
        """The newest changes."""
        return self._witnesses.all()

    def redirect(self, changes: Sink) -> None:
        """Have all further changes go elsewhere."""
        self._changes = changes

    def take(self, message: Message) -> None:
        """Take the next message.

        Afterwards, `told` counts what was said of entries, `refreshed` says whether the refresh is over, `complete`
        whether it has named every entry there is, so that what it has not named is gone, and `unexplained` has those
        of the owed entries of which it has said neither what they are nor that they were deleted.

        Raises:
            DirectoryUnavailable: the server has ended its answer, or it makes no sense.
        """
        if isinstance(message, Found):
            self._entry(message)
        elif isinstance(message, Ended):
            raise DirectoryUnavailable(
                "the directory server does not go on to tell changes as they happen", remedy=NO_SYNC
            )
        elif message.oid == SYNC_INFO:
            self._info(read_info(message.value))

    def _entry(self, found: Found) -> None:
        value = found.controls.get(SYNC_STATE)
        if value is None:
            raise MalformedAnswer("an entry lacks the Sync State control", remedy=NO_SYNC)
        told = read_state(value)
        self.told += 1
        if told.state is State.DELETE:
            self._delete(told.id)
        elif told.state is State.PRESENT:
            self._present.append(told.id)
        else:
            put, stamp = read_entry(told.id, found.dn, found.attributes, self._wanted)
            self._changes.append(put)
            self.unexplained.discard(told.id)
            if stamp:
                (self._witnesses.changed if self.refreshed else self._witnesses.met)(told.id, stamp)
        if told.cookie:
            self._raw = told.cookie

    def _delete(self, entry: EntryId) -> None:
        self._changes.append(Delete(entry))
        self._witnesses.deleted(entry)
        self.unexplained.discard(entry)

    def _info(self, info: SyncInfo) -> None:
        if isinstance(info, IdSet):
            self.told += len(info.ids)
            for entry in info.ids:
                if info.deleted:
                    self._delete(entry)
                else:
                    self._present.append(entry)
        elif isinstance(info, PhaseEnd):
            self.complete = self.complete or info.present
            self.refreshed = self.refreshed or info.done
        if isinstance(info, NewCookie) or info.cookie is not None:
            self._raw = info.cookie or b""
