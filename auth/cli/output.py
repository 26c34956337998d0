"""How commands speak: text for people, JSON for programs."""

import sys
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from auth.cli.default_config import CONFIG_VARIABLE
from dirsync.replica import Replica
from schema.errors import Fault

CONFIG_OPTION = Annotated[
    str, typer.Option("--config", "-c", help="config.ini to use.", envvar=CONFIG_VARIABLE, metavar="FILE")
]
JSON_OPTION = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(data: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n")


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
