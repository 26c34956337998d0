"""Tells how far a long run is."""

import sys
import time
from typing import Self

LINE_SECONDS = 10.0  # between two lines where there is no terminal
REWRITE_SECONDS = 0.2


class Progress:
    """Tells on standard error how far a run is, how fast, and for how long it will go on.

    Args:
        name: what is run.
        total: how many there will be.
        what: of what.
    """

    def __init__(self, name: str, total: int, what: str = "operations") -> None:
        self._name = name
        self._what = what
        self._total = total
        self._began = self._told = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._terminal:
            sys.stderr.write("\n")

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now - self._told < (REWRITE_SECONDS if self._terminal else LINE_SECONDS):
            return
        self._told = now
        rate = done / (now - self._began)
        minutes, seconds = divmod(int((self._total - done) / rate), 60)
        line = f"{self._name}: {done:,} of {self._total:,} {self._what}, {rate:,.1f}/s, {minutes}:{seconds:02} left"
        sys.stderr.write(f"\r{line}\x1b[K" if self._terminal else f"{line}\n")
        sys.stderr.flush()
