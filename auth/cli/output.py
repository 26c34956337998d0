"""How commands speak: text for people, JSON for programs, faults with their remedy, documented exit codes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from auth.config import ConfigFault
from dirsync.replica import Replica
from schema.errors import Fault

CONFIG_OPTION = Annotated[
    str, typer.Option("--config", "-c", help="config.ini to use.", envvar="DIRFACTOR_CONFIG", metavar="FILE")
]
JSON_OPTION = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
DEFAULT_CONFIG = "/etc/dirfactor/config.ini"

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Exit(IntEnum):
    """The exit codes.

    0: done, and nothing found. 1: something was found (a malformed value, a refusal, a pending change).
    2: the command line or the configuration is wrong. 3: something outside failed (directory, disk, network).
    """

    DONE = 0
    FOUND = 1
    USAGE = 2
    FAILED = 3


def print_json(data: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n")


class UsageFault(Fault):
    """The command line does not say enough."""


def demand_a_sync(replica: Replica) -> None:
    """Nothing said of a replica without a directory in it would be true.

    Raises:
        Fault: no sync into it has succeeded yet.
    """
    if replica.freshness().as_of is None:
        raise Fault(
            "no sync has succeeded yet, so nothing of the directory is known",
            remedy="run `dirfactor sync`, which says what keeps it from succeeding",
        )


@contextmanager
def faults() -> Iterator[None]:
    """Turn a fault into its text on standard error and an exit code."""
    try:
        yield
    except ConfigFault as fault:
        for problem in fault.problems:
            err.print(f"{fault.file}:{problem.line}: {problem.where}: {problem.problem}", style="red", markup=False)
            err.print(f"    {problem.remedy}", markup=False)
        raise typer.Exit(Exit.USAGE) from None
    except Fault as fault:
        err.print(fault.problem, style="red", markup=False)
        err.print(f"    {fault.remedy}", markup=False)
        raise typer.Exit(Exit.USAGE if isinstance(fault, UsageFault) else Exit.FAILED) from None
