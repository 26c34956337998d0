"""How commands end: documented exit codes, and faults with their remedy.

Nothing is imported here that only the other commands need: `dirfactor serve` would keep it in memory.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from auth.config import ConfigFault
from schema.errors import Fault


class Exit(IntEnum):
    """The exit codes.

    0: done, and nothing found. 1: something was found (a malformed value, a refusal, a pending change).
    2: the command line or the configuration is wrong. 3: something outside failed (directory, disk, network).
    """

    DONE = 0
    FOUND = 1
    USAGE = 2
    FAILED = 3


class UsageFault(Fault):
    """The command line does not say enough."""


@contextmanager
def faults() -> Iterator[None]:
    """Turn a fault into its text on standard error and an exit code.

    Raises:
        SystemExit: with that code.
    """
    try:
        yield
    except ConfigFault as fault:
        for problem in fault.problems:
            _say(f"{fault.file}:{problem.line}: {problem.where}: {problem.problem}", problem.remedy)
        raise SystemExit(Exit.USAGE) from None
    except Fault as fault:
        _say(fault.problem, fault.remedy)
        raise SystemExit(Exit.USAGE if isinstance(fault, UsageFault) else Exit.FAILED) from None


def _say(problem: str, remedy: str) -> None:
    from auth.cli.output import err  # noqa: PLC0415 - see above; who has a fault to tell needs it

    err.print(problem, style="red", markup=False)
    err.print(f"    {remedy}", markup=False)
