"""What is killed by itself: the audit while days change and old ones go, and the key ring while keys are drawn."""

import contextlib
import os
import random
import select
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from audit.ledger import Ledger
from auth.audit.proof.lines import Keys
from auth.audit.proof.verify import verify
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.keys.ring import Ring
from auth.keys.ring_file import RingFile, drawn
from core.state_process import told


@dataclass
class Told:
    """What a child had done, as far as it could say so, before it was killed."""

    lines: list[str]


def killed(work: Callable[[Callable[[str], None]], None], dice: random.Random, seconds: float) -> Told:
    """Run `work(say)` in a child, and kill it at a random moment."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        with contextlib.suppress(BaseException):
            work(lambda line: os.write(writer, f"{line}\n".encode()) and None)
        os._exit(0)
    os.close(writer)
    select.select([], [], [], dice.random() * seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return Told(told(reader))


class AuditRounds:
    """An audit of three days' keep, whose clock passes a few hours with every line."""

    name = "audit, days changing"

    def __init__(self, folder: Path, dice: random.Random) -> None:
        folder.mkdir()
        self._ledger = Ledger(folder)
        self._dice = dice
        self.torn = 0

    def round(self) -> list[str]:
        """Write, kill, prove; what is wrong."""
        ledger = self._ledger

        def work(say: Callable[[str], None]) -> None:
            with ledger.open(days=3) as trail:
                for number in range(500):
                    trail.write(ledger.line())
                    say(f"{ledger.written} {ledger.now.isoformat()}")
                    if number % 7 == 0:
                        ledger.later(hours=5)
                        trail.tick()

        said = killed(work, self._dice, 0.05).lines
        if said:
            number, now = said[-1].split(" ")
            ledger.written, ledger.now = int(number) + 1, type(ledger.now).fromisoformat(now) + timedelta(hours=5)
        with ledger.open(days=3) as trail:  # the next start takes it over
            trail.write(ledger.line())
        verdict = verify(ledger.files, Keys(ledger.key.public, ledger.key), lambda lines, _: lines)
        self.torn += verdict.torn
        recorded = set(ledger.recorded())
        days = ledger.files.days()
        kept = {int(line.split(" ")[0]) for line in said if line.split(" ")[1][:10].replace("-", "") in days}
        wrong = [] if verdict.found is None else [f"the audit does not verify: {verdict.found}"]
        return wrong + [f"line {number} was told and is gone" for number in sorted(kept - recorded)]


class RingRounds:
    """A key ring to which keys are added and from which old ones are taken."""

    name = "key ring"

    def __init__(self, folder: Path, dice: random.Random) -> None:
        folder.mkdir(mode=0o700)
        self._file = RingFile(folder / "keys.ring")
        self._dice = dice
        self._file.made(SYSTEM_CLOCK, SYSTEM_ENTROPY)

    def round(self) -> list[str]:
        """Change, kill, read; what is wrong."""

        def work(say: Callable[[str], None]) -> None:
            for _ in range(500):
                ring = self._file.change(lambda ring: Ring((*ring.keys[-3:], drawn(SYSTEM_CLOCK, SYSTEM_ENTROPY))))
                say(ring.current.id)

        said = killed(work, self._dice, 0.03).lines
        ring = self._file.ring()  # raises when it is no ring
        known = [key.id for key in ring.keys]
        # one more may have been drawn that could not be told
        return [f"key {said[-1]} was told and is gone"] if said and said[-1] not in known[-2:] else []


def rounds(folder: Path, dice: random.Random) -> Iterator[AuditRounds | RingRounds]:
    """Both."""
    yield AuditRounds(folder / "audit", dice)
    yield RingRounds(folder / "ring", dice)
