"""A program that a person types to: what it shows goes to a file, what is typed comes by a pipe."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rig.process import Process, wait_until

_TAKES_TYPING = 'exec "$@" <"$0"'


class Typed:
    """A program in the foreground that reads standard input; it dies with the test run.

    Args:
        command: program and arguments.
        log: file that takes what it shows.
        environment: variables on top of the system's.
    """

    def __init__(self, command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None) -> None:
        keyboard = log.with_suffix(".keyboard")
        os.mkfifo(keyboard, 0o600)
        # for reading as well, so that it opens though the program is not there yet
        self._keyboard = os.open(keyboard, os.O_RDWR)
        self._log = log
        shell = ["sh", "-c", _TAKES_TYPING, str(keyboard), *command]
        self.process = Process(shell, log=log, environment=environment)

    @property
    def shown(self) -> str:
        """All that it has shown so far."""
        return self._log.read_text(errors="replace")

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.running

    def start(self) -> None:
        """Starts it, and does not wait for anything."""
        self.process.start(lambda: True)

    def type(self, text: str) -> None:
        """Types a line."""
        os.write(self._keyboard, f"{text}\n".encode())

    def wait_for(self, words: str, timeout: float = 20.0) -> None:
        """Returns when it has shown these words; raises ServerFailure when it does not in time."""
        self._wait(lambda: words in self.shown, timeout, words)

    def wait_for_end(self, timeout: float = 20.0) -> None:
        """Returns when it has ended by itself; raises ServerFailure when it does not in time."""
        self._wait(lambda: not self.running, timeout, "goodbye")

    def stop(self) -> None:
        """Ends it."""
        self.process.stop()
        if self._keyboard >= 0:
            os.close(self._keyboard)
            self._keyboard = -1

    def _wait(self, condition: Callable[[], bool], timeout: float, words: str) -> None:
        wait_until(condition, timeout, lambda: f"it did not say {words!r} in {timeout} s:\n{self.shown}")
