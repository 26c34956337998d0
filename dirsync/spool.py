"""What is on its way from a source to the replica: much of it takes no memory, and nothing is shown too early."""

import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from dirsync.change import Change, Delete, Put
from schema.entry import EntryId
from schema.errors import Fault

_IN_MEMORY: Final = 4 * 1024 * 1024  # octets; above them, an unnamed temporary file
_SIZE_OCTETS: Final = 4
_ID_OCTETS: Final = 16
_PACK: Final = msgspec.msgpack.Encoder().encode
_UNPACK: Final = msgspec.msgpack.Decoder(Put | EntryId).decode


class Spool:
    """Takes changes while a server is read, and gives them back in the same order, once.

    The server's cookie is known after its last entry, but a batch names it before its first change; and a server that
    fails half-way must not be noticed in the middle of the replica's transaction. The temporary file has no name and
    holds nothing that the replica does not.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed with the spool
        weakref.finalize(self, self._file.close)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, change: Change) -> None:
        """Keep a change.

        Raises:
            Fault: the temporary folder is full.
        """
        packed = _PACK(change if isinstance(change, Put) else change.id)
        try:  # not by _room(): this is done for every entry
            self._file.write(len(packed).to_bytes(_SIZE_OCTETS, "big") + packed)
        except OSError as error:
            raise _full(error) from error
        self._count += 1

    def clear(self) -> None:
        """Forget all changes.

        Raises:
            Fault: the temporary folder is full.
        """
        with _room():
            self._file.seek(0)
            self._file.truncate()
        self._count = 0

    def take(self) -> Iterator[Change]:
        """All changes, in their order; the spool is gone after the last one, or when nobody wants more.

        Raises:
            Fault: the temporary folder is full; not while the changes are taken.
        """
        with _room():
            self._file.seek(0)
        return self._changes()

    def _changes(self) -> Iterator[Change]:
        with self._file:  # the room is free again as soon as the last one is taken
            while size := self._file.read(_SIZE_OCTETS):
                packed = _UNPACK(self._file.read(int.from_bytes(size, "big")))
                yield packed if isinstance(packed, Put) else Delete(packed)


class IdSpool:
    """Takes ids of entries, and gives them back once; as the other spool, it takes no memory for many of them."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed with the spool
        weakref.finalize(self, self._file.close)

    def append(self, entry: EntryId) -> None:
        """Keep an id of 16 octets.

        Raises:
            Fault: the temporary folder is full.
        """
        try:
            self._file.write(entry)
        except OSError as error:
            raise _full(error) from error

    def take(self) -> Iterator[EntryId]:
        """All ids, in their order.

        Raises:
            Fault: the temporary folder is full; not while the ids are taken.
        """
        with _room():
            self._file.seek(0)
        return self._ids()

    def _ids(self) -> Iterator[EntryId]:
        with self._file:
            while entry := self._file.read(_ID_OCTETS):
                yield entry


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _full(error) from error


def _full(error: OSError) -> Fault:
    return Fault(
        f"the directory's answer does not fit into {tempfile.gettempdir()}: {error.strerror}",
        remedy="make room there, or let TMPDIR name a folder that has some",
    )
