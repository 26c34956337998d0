# ruff: noqa: INP001 - bench is a folder of programs, no package
"""Servers that run while they are measured, on the cores that they are given."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from auth.clock import SYSTEM_CLOCK
from schema.errors import Fault

_ROOT = Path(__file__).resolve().parents[1]
_INSTALLED = _ROOT / ".cache" / "service" / "bin" / "python"
"""With the packages of an installed service and no others, which tools/bootstrap puts there."""
_START_SECONDS, _PAUSE_SECONDS = 60.0, 0.005
_STOP_SECONDS = 10.0


@contextmanager
def ours(
    config: Path, pin: Sequence[str], program: Sequence[str | Path] = ("-m", "auth")
) -> Iterator[tuple[int, float]]:
    """Our service when it is ready: its process id, and in how many seconds it was.

    Args:
        config: its config.ini; what it says goes into `log` beside it.
        pin: the command that binds it to its cores.
        program: what Python is told to run.

    Raises:
        Fault: it does not start.
    """
    begun = SYSTEM_CLOCK.monotonic()
    log = config.with_name("log")
    command = [*pin, _INSTALLED, *program, "serve", "--config", config]
    with log.open("wb") as said, subprocess.Popen(command, stderr=said, stdout=said, cwd=_ROOT) as process:
        try:
            until(lambda: "ready" in log.read_text(), process, log)
            yield process.pid, SYSTEM_CLOCK.monotonic() - begun
        finally:
            process.terminate()


@contextmanager
def running(pin: Sequence[str], command: Sequence[str | Path], **more: str) -> Iterator[int]:
    """Any other server, whose output nobody needs, with more in its environment; its process id."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*pin, *command], env={**os.environ, **more}, **quiet) as process:
        try:
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def until(is_there: Callable[[], bool], process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait for something of a server. Raises Fault with the end of its log when it ends or takes too long."""
    deadline = SYSTEM_CLOCK.monotonic() + _START_SECONDS
    while not is_there():
        if process.poll() is not None or SYSTEM_CLOCK.monotonic() > deadline:
            raise Fault("a server does not start", remedy=log.read_text()[-2000:])
        time.sleep(_PAUSE_SECONDS)


def listens(port: int) -> None:
    """Wait until somebody listens at a TCP port of loopback. Raises Fault when nobody does in time."""
    deadline = SYSTEM_CLOCK.monotonic() + _START_SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if SYSTEM_CLOCK.monotonic() > deadline:
            raise Fault(f"nobody listens at {port}", remedy="start that server by hand and see what it says")
        time.sleep(_PAUSE_SECONDS)
