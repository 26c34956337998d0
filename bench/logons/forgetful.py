# ruff: noqa: INP001 - bench is a folder of programs, no package
"""dirfactor whose state is not durable: what is accepted it knows until it ends. It shows what durability costs.

There is no such setting, so two functions are taken out of the program: what a transaction writes, and the wait for the
disk. Codes are still good only once, audit and journal are as ever.
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

from auth.cli.entry import main
from auth.embedded.batch import Batch
from auth.embedded.memory import Memory, Run


def _write_nothing(memory: Memory, run: Run) -> None:
    del run
    memory._new_failures.clear()  # noqa: SLF001 - this program exists to take these out
    memory._new_marks.clear()  # noqa: SLF001
    memory._new_kept.clear()  # noqa: SLF001


def _wait_for_nothing(batch: Batch) -> None:
    del batch


if __name__ == "__main__":
    Memory.flush = _write_nothing  # type: ignore[method-assign]
    Batch._sync = _wait_for_nothing  # type: ignore[method-assign] # noqa: SLF001
    main()
