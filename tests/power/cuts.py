"""Where the power is cut off from a SQLite file that is in WAL mode, and what lies there afterwards."""

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from power.disk import Disk, Step, What
from small_world import FOLDER

OFTEN = 5
"""Times that each call is cut off by which the log is given up or begun anew."""


def cuts_of(steps: Sequence[Step], file: Path, anywhere: int, dice: random.Random) -> Counter[int]:
    """After which steps, and how often: so often anywhere, and `OFTEN` at every step of a checkpoint that matters."""
    log = log_of(file)
    cuts = Counter(dice.sample(range(len(steps)), min(anywhere, len(steps))))
    begins = False
    for at, step in enumerate(steps):
        if step.call.path == log and step.call.what is What.WRITE:
            begins = begins or step.call.offset == 0
        ends = step.call.what is What.SYNC and step.call.path == log and step.ended
        if begins or step.call.what is What.REMOVE or (step.call.what is What.SYNC and step.call.path == file):
            cuts[at] += OFTEN
        begins = begins and not ends
    return cuts


def log_of(file: Path) -> Path:
    """The write-ahead log of a SQLite file."""
    return file.with_name(f"{file.name}-wal")


def brought_over(steps: Sequence[Step], file: Path, told: Path) -> list[int]:
    """For each step, what a checkpoint has brought to the disk by then, and no cut takes away: the number told last.

    That is whatever was told when the checkpoint began.
    """
    log, in_log, over, by_step = log_of(file), 0, 0, []
    for step, numbers in zip(steps, _told(steps, told), strict=True):
        if step.call.what is What.SYNC and step.call.path == log and not step.ended:
            in_log = numbers[-1] if numbers else 0
        if step.call.what is What.SYNC and step.call.path == file and step.ended:
            over = in_log
        by_step.append(over)
    return by_step


def after_cuts(
    steps: Sequence[Step], told: Path, cuts: Mapping[int, int], dice: random.Random
) -> Iterator[tuple[int, Sequence[int], Path]]:
    """For each cut: after which step it was, the numbers that were told by then, and a folder with what lies there.

    The numbers are one list, which grows; at the end it has all.

    Args:
        steps: of a life.
        told: the file into which it wrote each number, once that was safe.
        cuts: how often the power is cut off after a step.
        dice: what of the rest has reached the disk.
    """
    disk = Disk()
    for at, (step, numbers) in enumerate(zip(steps, _told(steps, told), strict=True)):
        disk.take(step)
        for _ in range(cuts.get(at, 0)):
            with laid(disk.after_a_cut(dice)) as place:
                yield at, numbers, place


def _told(steps: Sequence[Step], told: Path) -> Iterator[Sequence[int]]:
    """For each step, the numbers that were told by then; the same list, which grows."""
    numbers: list[int] = []
    for step in steps:
        if step.call.path == told and step.call.octets:
            numbers.append(int(step.call.octets))
        yield numbers


@contextmanager
def laid(found: Mapping[Path, bytes]) -> Iterator[Path]:
    """A folder with what was found after a cut; in memory, for the power is there again."""
    place = Path(tempfile.mkdtemp(dir=FOLDER))
    try:
        for path, content in found.items():
            (place / path.name).write_bytes(content)
        yield place
    finally:
        shutil.rmtree(place)
