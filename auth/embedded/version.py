"""Which release wrote a state file: one of a later release is left alone, one of an earlier release is copied first."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from auth.embedded.batch import Run
from auth.state import StateUnavailable

VERSION: Final = 1
"""Of the file's form; one more with every change that an earlier release could not read."""

Step = Callable[[Run], None]
STEPS: Final[tuple[Step, ...]] = (lambda _: None,)
"""What makes of a file of each version one of the next; tables that are missing are made anyway."""


def bring_up_to_date(connection: sqlite3.Connection, file: Path, tables: str) -> None:
    """Make the file one of this release, in one transaction.

    A file of an earlier release is copied beside itself before, as `NAME.version-N`.

    Args:
        connection: to the file, in no transaction.
        file: the same.
        tables: statements that make the tables which are not there.

    Raises:
        StateUnavailable: it is of a later release.
        sqlite3.Error, OSError: it cannot be read, written or copied; it is as it was.
    """
    found = _version(connection)
    _demand_known(found, file)
    if found < VERSION and connection.execute("SELECT 1 FROM sqlite_master").fetchone() is not None:
        _copy(connection, file.with_name(f"{file.name}.version-{found}"))
    run = connection.execute
    run("BEGIN IMMEDIATE")
    try:
        found = _version(connection)  # another process may have been faster, in either direction
        _demand_known(found, file)
        for statement in filter(None, map(str.strip, tables.split(";"))):
            run(statement)
        for step in STEPS[found:]:
            step(run)
        run(f"PRAGMA user_version = {VERSION}")
        run("COMMIT")
    except BaseException:
        run("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    return int(found)


def _demand_known(found: int, file: Path) -> None:
    if found > VERSION:
        raise StateUnavailable(
            f"state file {file} is of a later release: version {found}, and this one knows {VERSION}",
            remedy="run that release again, or stop the service and put back the copy that it made before: "
            f"{file.name}.version-{VERSION}; codes that were used since would be good again, so assign tokens anew",
        )


def _copy(connection: sqlite3.Connection, copy: Path) -> None:
    """Whole or not at all, for its owner alone."""
    unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
    unfinished.touch(mode=0o600)
    try:
        with closing(sqlite3.connect(unfinished)) as target:
            connection.backup(target)
        unfinished.replace(copy)
    finally:
        unfinished.unlink(missing_ok=True)
