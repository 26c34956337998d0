"""Runs a program with something to read, for a time, and ends it with all that it has started."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_LAST_WORDS_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    Attributes:
        status: its exit status; negative when a signal ended it, None when its time was over.
        output: what it has written to standard output, which may hold anything.
    """

    status: int | None
    output: bytes = field(default=b"", repr=False)


class Run:
    """One run of a program, in a thread that may wait for it.

    Args:
        arguments: the program and its arguments; no shell.
        environment: all of it.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self._arguments = arguments
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._too_late = threading.Event()
        self._ended = False

    def wait(self, given: bytes, seconds: float) -> Ended:
        """Start it, unless `kill` came first; let it read, wait for it.

        Args:
            given: what it finds on standard input.
            seconds: after which it is killed, with its process group.

        Raises:
            OSError: it cannot be started.
        """
        if self._too_late.is_set():
            return Ended(None)
        self._process = process = subprocess.Popen(  # noqa: S603 - config.ini names it, and no shell reads it
            self._arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._environment,
            cwd="/",
            start_new_session=True,
        )
        if self._too_late.is_set():  # said while it was being started
            self.kill()
        with process:
            try:
                output, _ = process.communicate(given, timeout=seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                return self._killed(process)
            finally:
                self._ended = True
            return Ended(process.returncode, output)

    def kill(self) -> None:
        """End it now, with all that it has started and that has not left its group; if it was not, it never is."""
        self._too_late.set()
        if self._process is not None and not self._ended:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    @staticmethod
    def _killed(process: subprocess.Popen[bytes]) -> Ended:
        """Only something that it had started may have been left: then its own status still counts."""
        try:
            output, _ = process.communicate(timeout=_LAST_WORDS_SECONDS)
        except subprocess.TimeoutExpired:
            output = b""
        status = process.poll()
        return Ended(None if status == -signal.SIGKILL else status, output)
