"""How the processes of the service are doing: the one that was started, and whatever it has started."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Standing:
    """All of them together, at an instant.

    Attributes:
        kilobytes: resident; what processes share counts for each. A proportional share would change whenever another
            program that has the same libraries starts or ends.
        files: open ones.
        threads: of them.
        cpu_seconds: that they have used so far.
    """

    kilobytes: int
    files: int
    threads: int
    cpu_seconds: float


def standing(process: int) -> Standing:
    """How a process and its descendants are doing. Raises OSError when the process is gone."""
    folders = [_PROC / str(each) for each in _family(process)]
    return Standing(
        kilobytes=sum(_number(folder / "smaps_rollup", r"^Rss:\s+(\d+) kB") for folder in folders),
        files=sum(1 for folder in folders for _ in (folder / "fd").iterdir()),
        threads=sum(_number(folder / "status", r"^Threads:\s+(\d+)") for folder in folders),
        cpu_seconds=sum(_cpu_seconds(folder) for folder in folders),
    )


def _family(process: int) -> Iterator[int]:
    yield process
    for children in sorted((_PROC / str(process) / "task").glob("*/children")):
        for child in children.read_text().split():
            yield from _family(int(child))


def _number(file: Path, pattern: str) -> int:
    found = re.search(pattern, file.read_text(), re.MULTILINE)
    assert found is not None, f"{file} has no {pattern}"
    return int(found[1])


def _cpu_seconds(folder: Path) -> float:
    """In user mode and in the kernel: fields 14 and 15 of proc(5), counted behind the name in parentheses."""
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
