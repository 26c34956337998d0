"""A life of an audit, for a program that watches what it writes: lines, checkpoints, days, and the disk now and then.

Args:
    the audit's folder, the file for what was told, and how many lines.
"""

import os
import sys
from pathlib import Path

from audit.ledger import Ledger

LINES_TO_A_SYNC = 7
LINES_TO_A_TICK = 20
HOURS_TO_A_TICK = 5


def main() -> None:
    """It just ends."""
    folder, told, lines = Path(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT), int(sys.argv[3])
    ledger = Ledger(folder)
    with ledger.open() as trail:
        for number in range(lines):
            trail.write(ledger.line())
            if number % LINES_TO_A_TICK == 0:
                ledger.later(hours=HOURS_TO_A_TICK)
                trail.tick()
            if number % LINES_TO_A_SYNC == 0:
                trail.sync()
                os.write(told, b"%d\n" % ledger.written)
        os._exit(0)


if __name__ == "__main__":
    main()
