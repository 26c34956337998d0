"""A disk that takes its time, for one process: each wait for it takes so much longer, by strace."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.process import SYSTEM_ENVIRONMENT

_ATTACHED_SECONDS = 10.0


@contextmanager
def slow_disk(process: int, seconds: float, log: Path) -> Iterator[None]:
    """While it lasts, each fsync and fdatasync of the process and its threads takes so many seconds more.

    Args:
        process: its id.
        seconds: how many.
        log: where strace writes which they were, with the names of the files.
    """
    waits = "fsync,fdatasync"
    command = ["strace", "-f", "-y", "-o", str(log), "-e", f"trace={waits}"]
    command += ["-e", f"inject={waits}:delay_exit={seconds * 1_000_000:.0f}", "-p", str(process)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=SYSTEM_ENVIRONMENT, text=True) as strace:
        try:
            assert strace.stderr is not None
            line = strace.stderr.readline()
            assert "attached" in line, line
            _until_all_are(process)
            yield
        finally:
            strace.terminate()


def _until_all_are(process: int) -> None:
    """Return when all threads are traced."""
    deadline = time.monotonic() + _ATTACHED_SECONDS
    statuses = Path(f"/proc/{process}/task").glob("*/status")
    for status in statuses:
        while "TracerPid:\t0\n" in status.read_text():
            assert time.monotonic() < deadline, "strace does not attach"
            time.sleep(0.01)
