"""Which release wrote a state file: one of a later release is left alone, one of an earlier release is copied first."""

import filecmp
import os
import re
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
_PATIENCE_MILLISECONDS: Final = 25_000  # less than after which a worker that does nothing is begun anew


def bring_up_to_date(connection: sqlite3.Connection, file: Path, tables: str) -> None:
    """Make the file one of this release, in one transaction.

    A file of an earlier release is copied beside itself before, as `NAME.version-N`. A copy that is there already is
    never touched: one that says something else gets a number behind its name, `NAME.version-N-2`.

    Args:
        connection: to the file, in no transaction.
        file: the same.
        tables: statements that make the tables which are not there.

    Raises:
        StateUnavailable: it is of a later release.
        sqlite3.Error, OSError: it cannot be read, written or copied; it is as it was.
    """
    run = connection.execute
    _begin(run)  # before anything is looked at: of several processes one brings it up to date
    try:
        found = version_of(run)
        demand_known(found, file)
        if found < VERSION and run("SELECT 1 FROM sqlite_master").fetchone() is not None:
            _copy(file, found)
        for statement in filter(None, map(str.strip, tables.split(";"))):
            run(statement)
        for step in STEPS[found:]:
            step(run)
        run(f"PRAGMA user_version = {VERSION}")
        run("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            run("ROLLBACK")
        raise


def version_of(run: Run) -> int:
    """The version that a file says it has; 0 for an empty one."""
    (found,) = run("PRAGMA user_version").fetchone()
    return int(found)


def demand_known(found: int, file: Path) -> None:
    """Refuse a file of a version that this release does not know.

    Raises:
        StateUnavailable: it is of a later release; the remedy names the copy that this release can go on with.
    """
    if found > VERSION:
        copies = _copies(file, VERSION)
        copy = copies[-1] if copies else _numbered(file, VERSION, 1)
        raise StateUnavailable(
            f"state file {file} is of a later release: version {found}, and this one knows {VERSION}",
            remedy=f"run that release again, or stop the service, remove {file.name}, {file.name}-wal and "
            f"{file.name}-shm, and put {copy.name}, which that release made before, in their place; "
            "codes that were used since would be good again, so assign tokens anew",
        )


def _begin(run: Run) -> None:
    """As BEGIN IMMEDIATE, and wait for as long as another process may need to copy a large file to a slow disk."""
    (patience,) = run("PRAGMA busy_timeout").fetchone()
    run(f"PRAGMA busy_timeout = {_PATIENCE_MILLISECONDS}")
    try:
        run("BEGIN IMMEDIATE")
    finally:
        run(f"PRAGMA busy_timeout = {patience}")


def _copy(file: Path, version: int) -> None:
    """Keep what the file says, whole or not at all, for its owner alone; whoever calls keeps others from writing."""
    copies = _copies(file, version)
    unfinished = file.with_name(f"{file.name}.version-{version}.unfinished")
    for left in file.parent.iterdir():  # by whoever was killed over it, with SQLite's journal of it
        if left.name.startswith(f"{file.name}.version-{version}."):
            left.unlink()
    try:
        unfinished.touch(mode=0o600)
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source:
            _back_up(source, unfinished, version)
        if copies and filecmp.cmp(unfinished, copies[-1], shallow=False):
            return
        _to_disk(unfinished)
        unfinished.rename(_numbered(file, version, 1 + max(map(_number, copies), default=0)))
        _to_disk(file.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def _back_up(source: sqlite3.Connection, copy: Path, version: int) -> None:
    """Raises sqlite3.Error, where it is not whole and of this version as well."""
    with closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        found, whole = version_of(target.execute), target.execute("PRAGMA quick_check(1)").fetchone()
    if found != version or whole != ("ok",):
        msg = f"its copy is no file of version {version}: version {found}, {whole[0]}"
        raise sqlite3.DatabaseError(msg)


def _copies(file: Path, version: int) -> list[Path]:
    """Those of this version, oldest first."""
    ours = re.compile(re.escape(_numbered(file, version, 1).name) + r"(-[1-9][0-9]*)?")
    return sorted((each for each in file.parent.iterdir() if ours.fullmatch(each.name)), key=_number)


def _numbered(file: Path, version: int, number: int) -> Path:
    return file.with_name(f"{file.name}.version-{version}" + (f"-{number}" if number > 1 else ""))


def _number(copy: Path) -> int:
    _, _, behind = copy.name.rpartition(".version-")
    return int(behind.partition("-")[2] or 1)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
