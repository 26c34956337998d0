"""The wheel, built from what git has, in a folder and surroundings of the caller's choice."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from supply.locks import ROOT


@dataclass(frozen=True)
class Surroundings:
    """What differs from one machine to the next, and must not show.

    Attributes:
        place: of the source, below a folder.
        umask: of whoever unpacks and builds.
        zone: where the clock hangs.
        unpacked_at: when the first file was last written; each further one a second later.
        hash_seed: of Python, which sets are ordered by.
    """

    place: str
    umask: int
    zone: str
    unpacked_at: datetime
    hash_seed: int


HERE = Surroundings("one", 0o022, "Pacific/Auckland", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), 1)
ELSEWHERE = Surroundings("deeper/two", 0o077, "America/Anchorage", datetime(2019, 8, 7, 22, 30, tzinfo=UTC), 2)


def built(
    folder: Path,
    surroundings: Surroundings,
    *,
    revision: str = "HEAD",
    changed: Callable[[Path], None] = lambda _: None,
) -> Path:
    """The wheel of a revision.

    Args:
        folder: where to.
        surroundings: in which it is built.
        revision: git's name of it.
        changed: what is done to the source before.
    """
    work = folder / surroundings.place
    source = work / "source"
    source.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True, check=True).stdout
    stamp = subprocess.run(
        ["git", "log", "-1", "--format=%ct", revision], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    before = os.umask(surroundings.umask)
    try:
        subprocess.run(["tar", "-x", "--no-same-owner", "--no-same-permissions"], cwd=source, input=archive, check=True)
        changed(source)
        for number, file in enumerate(sorted(source.rglob("*"))):
            at = (surroundings.unpacked_at + timedelta(seconds=number)).timestamp()
            os.utime(file, (at, at))
        environment = {
            **os.environ,
            "SOURCE_DATE_EPOCH": stamp,
            "TZ": surroundings.zone,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": str(surroundings.hash_seed),
        }
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(work / "dist")]
        subprocess.run(command, cwd=source, env=environment, capture_output=True, check=True)
    finally:
        os.umask(before)
    (wheel,) = (work / "dist").glob("*.whl")
    return wheel


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
