# ruff: noqa: INP001 - bench is a folder of programs, no package
"""The command line of the benchmarks that measure their cases in interleaved rounds."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schema.errors import Fault


def parser(description: str | None, *, seconds: float, rounds: int = 5) -> argparse.ArgumentParser:
    """A parser that knows --json, --rounds and --seconds; the numbers are what they are when nobody says."""
    made = argparse.ArgumentParser(prog=Path(sys.argv[0]).name, description=description)
    made.add_argument("--json", action="store_true", help="print JSON instead of a table")
    made.add_argument("--rounds", type=int, default=rounds, help="rounds of each case")
    made.add_argument("--seconds", type=float, default=seconds, help="how long one case of one round takes, about")
    return made


def with_people(made: argparse.ArgumentParser, people: int) -> argparse.ArgumentParser:
    """The same with --people and --in-flight."""
    made.add_argument("--people", type=int, default=people, help="users in the directory")
    made.add_argument("--in-flight", type=int, default=64, help="logons on their way at a time")
    return made


def to_publish(made: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The same with --publish."""
    made.add_argument("--publish", action="store_true", help="write docs/measured, README's section and its plot")
    return made


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder for all that a run takes, gone afterwards; a Fault within ends the program with its text."""
    with tempfile.TemporaryDirectory(prefix="dirfactor-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # servers with users of their own look into it
        try:
            yield folder
        except Fault as fault:
            raise SystemExit(str(fault)) from None
