"""The key ring's file in the state directory: made at first need, read strictly, changed by one process at a time."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from auth.clock import Clock, Entropy
from auth.keys import private_file
from auth.keys.ring import KEY_OCTETS, Key, Ring
from schema.errors import Fault


class _StoredKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    made_at: datetime
    key: bytes


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    keys: tuple[_StoredKey, ...]


_VERSION = 1
_decode = msgspec.json.Decoder(_Stored).decode
_Stamp = tuple[int, int, int]


class RingFile:
    """The file, and the ring as it was last read; a ring that another process has changed is read again.

    Args:
        file: where it is.
        moment: within what is the same moment to the caller, the file is looked at once; without it, each time.
    """

    def __init__(self, file: Path, moment: Callable[[], int] | None = None) -> None:
        self._file = file
        self._moment = moment
        self._looked: int | None = None
        self._known: tuple[_Stamp, Ring] | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a ring yet."""
        return os.path.lexists(self._file)

    def ring(self) -> Ring:
        """The ring.

        Raises:
            Fault: there is none, others may read it, or it is not a key ring.
        """
        moment = self._moment() if self._moment is not None else None
        if self._known is not None and moment is not None and moment == self._looked:
            return self._known[1]
        try:
            found = self._file.stat()
        except FileNotFoundError as error:
            raise Fault(
                f"there is no key ring {self._file}",
                remedy="copy keys.ring from the machine where seeds, PINs and temporary responses are set",
            ) from error
        except OSError as error:
            raise Fault(f"{self._file} cannot be read: {error.strerror}", remedy="give it to its user") from error
        stamp = (found.st_mtime_ns, found.st_ino, found.st_mode)
        if self._known is None or self._known[0] != stamp:
            self._known = (stamp, self._read())
        self._looked = moment
        return self._known[1]

    def ids(self) -> frozenset[str]:
        """The ids of its keys; none when there is no ring that can be used."""
        try:
            return self.ring().ids
        except Fault:
            return frozenset()

    def made(self, clock: Clock, entropy: Entropy) -> Ring:
        """The ring, with its first key drawn when there is none yet; it is durable. Raises Fault as `ring` does."""
        # Drawn in vain when it is there; but another process may have made it this moment, and not be done.
        private_file.make(self._file, _written(Ring((drawn(clock, entropy),))))
        return self.ring()

    def change(self, change: Callable[[Ring], Ring]) -> Ring:
        """Put a changed ring in the place of the one in the file; others who change it meanwhile wait.

        Raises:
            Fault: as `ring`, or the file cannot be replaced.
        """
        with self._alone():
            changed = change(self._read())
            private_file.replace(self._file, _written(changed))
            self._looked = None
        return self.ring()

    def _read(self) -> Ring:
        octets = private_file.read(self._file)
        try:
            stored = _decode(octets)
        except msgspec.MsgspecError as error:
            raise self._no_ring("it does not have the form of one") from error
        if stored.version != _VERSION:
            raise self._no_ring(f"it is of version {stored.version}, and this program knows {_VERSION}")
        keys = tuple(Key(item.key, item.made_at) for item in stored.keys)
        if not keys:
            raise self._no_ring("it has no key")
        if any(len(key.octets) != KEY_OCTETS or key.id != item.id for key, item in zip(keys, stored.keys, strict=True)):
            raise self._no_ring("a key in it is not the one that its id says")
        if len({key.id for key in keys}) != len(keys):
            raise self._no_ring("a key is in it twice")
        return Ring(keys)

    def _no_ring(self, why: str) -> Fault:
        return Fault(
            f"{self._file} is no key ring: {why}", remedy="restore it from a backup; without it seeds and PINs are lost"
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold a lock on the folder, which unlike the file is never replaced."""
        try:
            descriptor = os.open(self._file.parent, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise Fault(
                f"{self._file.parent} cannot be opened: {error.strerror}", remedy="run this as the service's user"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def drawn(clock: Clock, entropy: Entropy) -> Key:
    """A new key."""
    return Key(entropy.octets(KEY_OCTETS), clock.now())


def _written(ring: Ring) -> bytes:
    keys = tuple(_StoredKey(key.id, key.made_at, key.octets) for key in ring.keys)
    return msgspec.json.format(msgspec.json.encode(_Stored(_VERSION, keys)), indent=2) + b"\n"
