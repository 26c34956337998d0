"""A disk that keeps what was synced; of the rest, when the power is cut, any part in any order.

A sector is written whole or not at all. What a sync has begun with is there when it has ended. A name that was made is
there after a sync of its file or its folder, one that was taken away is gone after a sync of its folder; before that it
may be either way. A name that is made a second time is taken to have been gone.
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

SECTOR = 512


class What(Enum):
    """What a program may ask of a file, and its end."""

    CREATE = auto()
    WRITE = auto()
    RESIZE = auto()
    REMOVE = auto()
    SYNC = auto()


@dataclass(frozen=True, eq=False)
class Call:
    """One question to the system.

    Attributes:
        what: was asked.
        path: of the file, or folder.
        offset: where it is written; the new size, of RESIZE.
        octets: what is written.
    """

    what: What
    path: Path
    offset: int = 0
    octets: bytes = b""


@dataclass(frozen=True)
class Step:
    """A call begins, or has ended."""

    call: Call
    ended: bool


@dataclass
class _File:
    kept: bytearray = field(default_factory=bytearray)
    loose: list[Call] = field(default_factory=list)
    named: bool = False
    removed: bool = False


@dataclass
class Disk:
    """What it has been told up to now."""

    _files: dict[Path, _File] = field(default_factory=dict)
    _ended: set[Call] = field(default_factory=set)
    _covered: dict[Call, tuple[Call, ...]] = field(default_factory=dict)

    def take(self, step: Step) -> None:
        """The next step."""
        call = step.call
        if step.ended:
            self._ended.add(call)
            if call.what is What.SYNC:
                self._synced(call)
            return
        match call.what:
            case What.CREATE:
                if call.path not in self._files or self._files[call.path].removed:
                    self._files[call.path] = _File()
            case What.REMOVE:
                self._files[call.path].removed = True
            case What.SYNC:
                file = self._files.get(call.path)
                self._covered[call] = tuple(each for each in file.loose if each in self._ended) if file else ()
            case _:
                self._files[call.path].loose.append(call)

    def _synced(self, sync: Call) -> None:
        file = self._files.get(sync.path)
        if file is None:
            self._name_all(sync.path)
            return
        file.named = True
        covered = set(self._covered.pop(sync))
        for call in file.loose:
            if call in covered:
                _apply(file.kept, call)
        file.loose = [call for call in file.loose if call not in covered]

    def _name_all(self, folder: Path) -> None:
        for path, file in list(self._files.items()):
            if path.parent == folder:
                file.named = True
                if file.removed:
                    del self._files[path]

    def after_a_cut(self, dice: random.Random) -> Mapping[Path, bytes]:
        """The files that are found when the power is there again."""
        found = {}
        for path, file in self._files.items():
            if (file.removed or not file.named) and dice.random() < 1 / 2:
                continue
            kept = bytearray(file.kept)
            for call in _part(file.loose, dice):
                _apply(kept, call)
            found[path] = bytes(kept)
        return found


def _part(calls: Iterable[Call], dice: random.Random) -> Iterable[Call]:
    """All of some, nothing of others, and sectors of the rest."""
    for call in calls:
        luck = dice.random()
        if luck < 1 / 3:
            yield call
        elif luck < 2 / 3 and call.what is What.WRITE:
            yield from (sector for sector in _sectors(call) if dice.random() < 1 / 2)


def _sectors(call: Call) -> Iterable[Call]:
    at = call.offset
    end = call.offset + len(call.octets)
    while at < end:
        following = min(end, (at // SECTOR + 1) * SECTOR)
        yield Call(What.WRITE, call.path, at, call.octets[at - call.offset : following - call.offset])
        at = following


def _apply(content: bytearray, call: Call) -> None:
    size = call.offset + len(call.octets)
    if len(content) < size:
        content.extend(bytes(size - len(content)))
    if call.what is What.RESIZE:
        del content[call.offset :]
    content[call.offset : size] = call.octets
