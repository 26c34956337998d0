"""A node's own copy of what must outlive the shared store: which codes were used, and what people have chosen."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from auth.embedded_state import EmbeddedStore, StateFile
from auth.turn import Turns

_EPOCH, _MEMBERS = "shared epoch ", "shared members"
_UNDATED = bytes(8)


class OwnFiles(msgspec.Struct, frozen=True):
    """Files of this host.

    Attributes:
        copy: where the copy is kept; made when it is not there.
        before: the embedded store's, which may have been in use before this node shared its state.
    """

    copy: Path
    before: Path


class OwnCopy:
    """The copy, in the form of the embedded store.

    Args:
        files: where it is.
        turns: those of the event loop.

    Raises:
        StateUnavailable: it cannot be opened.
    """

    def __init__(self, files: OwnFiles, turns: Turns) -> None:
        self._store = EmbeddedStore(files.copy, "", turns)
        self._file = StateFile(files.copy)
        self._before = StateFile(files.before)
        kept = dict(self._file.values())
        self._epochs = {
            int(key.removeprefix(_EPOCH)): octets.decode() for key, octets in kept.items() if key.startswith(_EPOCH)
        }
        self.members: tuple[str, ...] = tuple(msgspec.json.decode(kept.get(_MEMBERS, b"[]"), type=list[str]))

    async def settled(self) -> None:
        """Wait until what was copied is on the disk. Raises StateUnavailable: some of it never will be."""
        await self._store.settled()

    async def copy_mark(self, key: str, mark: int) -> None:
        """Copy a mark. Raises StateUnavailable."""
        await self._store.consume(key, mark)

    async def copy_value(self, key: str, value: bytes) -> None:
        """Copy a value with its instant. Raises StateUnavailable."""
        await self._store.keep(key, value)

    def epoch(self, part: int) -> str | None:
        """The epoch of a part of the store in which this node takes part.

        Of one that it has not met, while it knows others, it is theirs: the store was divided otherwise then, and what
        its members know has to be brought into all parts.
        """
        return self._epochs.get(part) or next(iter(self._epochs.values()), None)

    async def know_epochs(self, epochs: Mapping[int, str]) -> None:
        """Remember in which epochs of parts this node takes part. Raises StateUnavailable."""
        for part, epoch in epochs.items():
            await self._store.keep(f"{_EPOCH}{part}", epoch.encode())
        await self._store.settled()
        self._epochs |= epochs

    async def know_members(self, members: Iterable[str]) -> None:
        """Remember who takes part. Raises StateUnavailable."""
        known = tuple(sorted(members))
        if known != self.members:
            await self._store.keep(_MEMBERS, msgspec.json.encode(known))
            self.members = known

    def marks(self) -> Sequence[tuple[str, int]]:
        """All marks, those from before among them. Raises StateUnavailable."""
        return [*self._before.marks(), *self._file.marks()]

    def values(self) -> Iterator[tuple[str, bytes]]:
        """All values with their instants; those from before are older than any. Raises StateUnavailable."""
        yield from ((key, _UNDATED + value) for key, value in self._before.values())
        yield from (
            (key, value) for key, value in self._file.values() if key != _MEMBERS and not key.startswith(_EPOCH)
        )

    def close(self) -> None:
        """Close the file."""
        self._store.close()
