"""The wheel, built from what git has, in a folder and surroundings of the caller's choice."""

import hashlib
import os
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

from supply.locks import ROOT


def built(folder: Path, *, umask: int, zone: str, revision: str = "HEAD") -> Path:
    """The wheel of a revision."""
    folder.mkdir(parents=True)
    source = folder / "source"
    archive = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True, check=True).stdout
    stamp = subprocess.run(
        ["git", "log", "-1", "--format=%ct", revision], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    before = os.umask(umask)
    try:
        with tarfile.open(fileobj=BytesIO(archive)) as tar:
            tar.extractall(source, filter="tar")
        for file in source.rglob("*"):
            if file.is_file():
                file.chmod((0o777 if os.access(file, os.X_OK) else 0o666) & ~umask)
        environment = {**os.environ, "SOURCE_DATE_EPOCH": stamp, "TZ": zone, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
        subprocess.run(command, cwd=source, env=environment, capture_output=True, check=True)
    finally:
        os.umask(before)
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
