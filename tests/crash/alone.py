"""What is killed by itself: the audit while days change and old ones go, and the key ring while keys are drawn."""

import asyncio
import os
import random
import select
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from audit.ledger import Ledger
from auth.audit.proof.lines import Keys
from auth.audit.proof.verify import verify
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.keys.ring import Ring
from auth.keys.ring_file import RingFile, drawn
from core.state_process import told


class EndedEarly(Exception):
    """What was to be killed had ended by itself, so the round says nothing."""


def killed(work: Callable[[], Iterator[str]], dice: random.Random, seconds: float) -> list[str]:
    """Have a child do pieces of work without end, and kill it at a random moment: always in the middle of one.

    Args:
        work: the pieces; each yields a line when it is done.
        dice: for the moment.
        seconds: within which it comes, from the first line on.

    Returns:
        The lines that were told before the kill.

    Raises:
        EndedEarly: the child had failed, or come to an end; its own words are on standard error.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        try:
            for line in work():
                os.write(writer, f"{line}\n".encode())
        except BaseException:  # noqa: BLE001 - it is told, and fails the round
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(writer)
    select.select([reader], [], [])
    time.sleep(dice.uniform(0.0, seconds))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    lines: list[str] = told(reader)
    if not os.WIFSIGNALED(status):
        raise EndedEarly
    return lines


class AuditRounds:
    """An audit of three days' keep, whose clock passes a few hours with every line."""

    name = "an audit whose days change"

    def __init__(self, folder: Path, dice: random.Random) -> None:
        folder.mkdir()
        self._ledger = Ledger(folder)
        self._dice = dice
        self.torn = self._torn = 0

    def round(self) -> list[str]:
        """Write, kill, prove; what is wrong."""
        ledger = self._ledger

        def work() -> Iterator[str]:
            with ledger.open(days=3) as trail:
                for number in count():
                    trail.write(ledger.line())
                    yield f"{ledger.written} {ledger.now.isoformat()}"
                    if number % 7 == 0:
                        ledger.later(hours=5)
                        trail.tick()
                        asyncio.run(trail.retire())

        said = killed(work, self._dice, 0.05)
        number, now = said[-1].split(" ")
        ledger.written, ledger.now = int(number) + 1, datetime.fromisoformat(now) + timedelta(hours=5)
        with ledger.open(days=3) as trail:  # the next start takes it over
            trail.write(ledger.line())
        verdict = verify(ledger.files, Keys(ledger.key.public, ledger.key), lambda lines, _: lines)
        self.torn += max(0, verdict.torn - self._torn)  # days that went took theirs with them
        self._torn = verdict.torn
        recorded = set(ledger.recorded())
        days = ledger.files.days()
        kept = {int(line.split(" ")[0]) for line in said if line.split(" ")[1][:10].replace("-", "") in days}
        wrong = [] if verdict.found is None else [f"the audit does not verify: {verdict.found}"]
        return wrong + [f"line {number} was told and is gone" for number in sorted(kept - recorded)]


class RingRounds:
    """A key ring to which keys are added and from which old ones are taken."""

    name = "a key ring that changes"
    torn = 0

    def __init__(self, folder: Path, dice: random.Random) -> None:
        folder.mkdir(mode=0o700)
        self._file = RingFile(folder / "keys.ring")
        self._dice = dice
        self._file.made(SYSTEM_CLOCK, SYSTEM_ENTROPY)

    def round(self) -> list[str]:
        """Change, kill, read; what is wrong."""

        def work() -> Iterator[str]:
            while True:
                ring = self._file.change(lambda ring: Ring((*ring.keys[-3:], drawn(SYSTEM_CLOCK, SYSTEM_ENTROPY))))
                yield ring.current.id

        said = killed(work, self._dice, 0.03)
        ring = self._file.ring()  # raises when it is no ring
        known = [key.id for key in ring.keys]
        # one more may have been drawn that could not be told
        return [f"key {said[-1]} was told and is gone"] if said[-1] not in known[-2:] else []


def rounds(folder: Path, dice: random.Random) -> Iterator[AuditRounds | RingRounds]:
    """Both."""
    yield AuditRounds(folder / "audit", dice)
    yield RingRounds(folder / "ring", dice)
