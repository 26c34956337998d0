"""A disk that takes its time, or says no, for one process: by strace."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rig.process import SYSTEM_ENVIRONMENT

_ATTACHED_SECONDS = 10.0
_WAITS = "fsync,fdatasync"
_WRITES = f"write,writev,pwrite64,pwritev,ftruncate,fallocate,{_WAITS}"


@contextmanager
def slow_disk(process: int, seconds: float, log: Path) -> Iterator[None]:
    """While it lasts, each fsync and fdatasync of the process and its threads takes so many seconds more.

    Args:
        process: its id.
        seconds: how many.
        log: where strace writes which they were, with the names of the files.
    """
    with _traced(process, _WAITS, f"delay_exit={seconds * 1_000_000:.0f}", (), log):
        yield


@contextmanager
def failing_disk(process: int, error: str, folder: Path, log: Path) -> Iterator[None]:
    """While it lasts, whatever the process and its threads write into files in a folder that are open fails.

    Args:
        process: its id.
        error: as which of errno(3), such as EIO or EROFS.
        folder: where the files are.
        log: where strace writes which they were.
    """
    descriptors = (each.resolve() for each in Path(f"/proc/{process}/fd").iterdir())
    files = sorted({str(file) for file in descriptors if file.is_relative_to(folder.resolve())})
    assert files, f"the process has no file of {folder} open"
    with _traced(process, _WRITES, f"error={error}", files, log):
        yield


@contextmanager
def _traced(process: int, calls: str, injection: str, files: Sequence[str], log: Path) -> Iterator[None]:
    command = ["strace", "-f", "-y", "-o", str(log), "-e", f"trace={calls}", "-e", f"inject={calls}:{injection}"]
    command += [f"--trace-path={file}" for file in files]
    with subprocess.Popen(
        [*command, "-p", str(process)], stderr=subprocess.PIPE, env=SYSTEM_ENVIRONMENT, text=True
    ) as strace:
        try:
            assert strace.stderr is not None
            line = strace.stderr.readline()
            while "Requested path" in line:  # resolved, it says
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
