"""Where the power is cut off from a SQLite file that is in WAL mode, and what lies there afterwards."""

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from power.disk import Step, What
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


class Brought:
    """What a checkpoint has brought to the disk, and no cut takes away: whatever was told when it began.

    Args:
        file: the SQLite file.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._log = log_of(file)
        self._in_log = 0
        self.over = 0

    def take(self, step: Step, told: int) -> None:
        """The next step, and the number that was told last."""
        if step.call.what is not What.SYNC:
            return
        if step.call.path == self._log and not step.ended:
            self._in_log = told
        if step.call.path == self._file and step.ended:
            self.over = self._in_log


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
