"""Writes outcomes as fast as it can, and says the number of each after it was written; killed by a test."""

import sys
from pathlib import Path

from audit.ledger import Ledger

ledger = Ledger(Path(sys.argv[1]))
ledger.written = int(sys.argv[2])
most = int(sys.argv[3])
with ledger.open() as trail:
    for _ in range(most):
        trail.write(ledger.line())
        print(ledger.written, flush=True)  # noqa: T201 - the test listens
