"""A disk that keeps what was synced; of the rest, when the power is cut, any part in any order.

A sector is written whole or not at all. What a sync has begun with is there when it has ended. A name that was made is
there after a sync of its file or its folder, one that was taken away is gone after a sync of its folder; before that it
may be either way. A name that is made a second time is taken to have been gone. A further name of a file has what the
file has by then, and is there after a sync of its folder: that of the file by its first name is none of the second.
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
    LINK = auto()
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
        offset: where it is written; at the end when None; the new size, of RESIZE.
        octets: what is written.
        source: whose further name the path is, of LINK.
    """

    what: What
    path: Path
    offset: int | None = 0
    octets: bytes = b""
    source: Path | None = None


@dataclass(frozen=True)
class Step:
    """A call begins, or has ended."""

    call: Call
    ended: bool


@dataclass(frozen=True, eq=False)
class _Change:
    call: Call
    offset: int
    octets: bytes


@dataclass
class _File:
    kept: bytearray = field(default_factory=bytearray)
    loose: list[_Change] = field(default_factory=list)
    size: int = 0  # to whoever is running
    named: bool = False
    removed: bool = False


@dataclass
class Disk:
    """What it has been told up to now."""

    _files: dict[Path, _File] = field(default_factory=dict)
    _ended: set[Call] = field(default_factory=set)
    _covered: dict[Call, tuple[_Change, ...]] = field(default_factory=dict)

    def take(self, step: Step) -> None:
        """The next step."""
        call = step.call
        if step.ended:
            self._ended.add(call)
            if call.what is What.SYNC:
                self._synced(call)
            return
        file = self._files.get(call.path)
        match call.what:
            case What.CREATE:
                if file is None or file.removed:
                    self._files[call.path] = _File()
            case What.LINK if call.source is not None:
                first = self._files[call.source]
                self._files[call.path] = _File(bytearray(first.kept), list(first.loose), first.size)
            case What.SYNC:
                loose = file.loose if file else []
                self._covered[call] = tuple(change for change in loose if change.call in self._ended)
            case _ if file is None:
                raise AssertionError(call)
            case What.REMOVE:
                file.removed = True
            case What.WRITE | What.RESIZE:
                offset = file.size if call.offset is None else call.offset
                end = offset + len(call.octets)
                file.size = end if call.what is What.RESIZE else max(file.size, end)
                file.loose.append(_Change(call, offset, call.octets))

    def _synced(self, sync: Call) -> None:
        covered = self._covered.pop(sync)
        file = self._files.get(sync.path)
        if file is None:
            self._name_all(sync.path)
            return
        file.named = True
        for change in covered:
            _apply(file.kept, change)
        file.loose = [change for change in file.loose if change not in covered]

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
            for change in _part(file.loose, dice):
                _apply(kept, change)
            found[path] = bytes(kept)
        return found


def _part(changes: Iterable[_Change], dice: random.Random) -> Iterable[_Change]:
    """All of some, nothing of others, and sectors of the rest."""
    for change in changes:
        luck = dice.random()
        if luck < 1 / 3:
            yield change
        elif luck < 2 / 3 and change.call.what is What.WRITE:
            yield from (sector for sector in _sectors(change) if dice.random() < 1 / 2)


def _sectors(change: _Change) -> Iterable[_Change]:
    at = change.offset
    end = change.offset + len(change.octets)
    while at < end:
        following = min(end, (at // SECTOR + 1) * SECTOR)
        yield _Change(change.call, at, change.octets[at - change.offset : following - change.offset])
        at = following


def _apply(content: bytearray, change: _Change) -> None:
    size = change.offset + len(change.octets)
    if len(content) < size:
        content.extend(bytes(size - len(content)))
    if change.call.what is What.RESIZE:
        del content[change.offset :]
    content[change.offset : size] = change.octets
