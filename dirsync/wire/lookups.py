"""Looks names up at the system's resolver, for which nobody waits longer than he likes, and nobody behind another name.

A resolver waits for its own name servers, one after the other, for half a minute and longer; it cannot be told to end
sooner. So each name has threads of its own.
"""

import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from math import ceil
from threading import Event, Lock, Thread
from typing import Any, Final

SLICE_SECONDS: Final = 0.2
AGAIN_SECONDS: Final = 1.0
"""After which it is asked once more: a name server that is back does not answer what was sent while it was away."""
MOST_THREADS: Final = 8
"""Of one name. A resolver repeats itself after five seconds, so that one of so many asks in every second."""

Address = tuple[int, int, int, str, tuple[Any, ...]]
Resolve = Callable[..., Sequence[Address]]


@dataclass(frozen=True, slots=True)
class Question:
    """What `socket.getaddrinfo` is asked."""

    host: str | bytes
    port: str | bytes | int | None
    family: int = 0
    type: int = 0
    proto: int = 0
    flags: int = 0


@dataclass(slots=True)
class _Asked:
    """A question for which threads are under way.

    Attributes:
        answer: for all who wait; None when it has been given, and some threads still wait for theirs.
        threads: numbers of those under way, the youngest last.
        begun: when that one began.
    """

    answer: "Future[Sequence[Address]] | None" = None
    threads: list[int] = field(default_factory=list)
    begun: float = 0.0


class Lookups:
    """Names that are being looked up. Any thread may ask.

    Args:
        monotonic: the clock.
        resolve: as `socket.getaddrinfo`.
    """

    def __init__(self, monotonic: Callable[[], float], resolve: Resolve = socket.getaddrinfo) -> None:
        self._resolve = resolve
        self._monotonic = monotonic
        self._asked: dict[Question, _Asked] = {}
        self._count = 0
        self._lock = Lock()

    def ask(self, question: Question) -> "Future[Sequence[Address]]":
        """The answer to come, or its OSError; it cannot be cancelled, and whoever gives it up may just leave it.

        Who has waited for `AGAIN_SECONDS` should ask again: what counts is the first answer, and the last failure.
        """
        with self._lock:
            asked = self._asked.setdefault(question, _Asked())
            if asked.answer is None:
                asked.answer = Future()
                asked.answer.set_running_or_notify_cancel()
            answer = asked.answer
            late = not asked.threads or self._monotonic() - asked.begun >= AGAIN_SECONDS
            if late and len(asked.threads) < MOST_THREADS:
                self._begin(question, asked)
        return answer

    def wait(self, question: Question, seconds: float, interrupted: Event) -> Sequence[Address]:
        """The answer, for threads.

        Args:
            question: a name.
            seconds: how long to wait for it at most.
            interrupted: once it is set, by any thread, waiting ends within a moment.

        Raises:
            TimeoutError: nothing came in time, or the wait was interrupted.
            OSError: the name is not known, or nobody says so.
        """
        slices = ceil(seconds / SLICE_SECONDS)
        while True:
            try:
                return self.ask(question).result(SLICE_SECONDS)
            except FutureTimeout:
                slices -= 1
                if interrupted.is_set() or not slices:
                    raise TimeoutError from None

    def _begin(self, question: Question, asked: _Asked) -> None:
        self._count += 1
        asked.threads.append(self._count)
        asked.begun = self._monotonic()
        try:
            # nobody waits for it at the end of the program either
            Thread(target=self._look_up, args=(question, self._count), name="look-up", daemon=True).start()
        except RuntimeError as error:
            self._ended(question, self._count, OSError(f"no thread for a look-up: {error}"))

    def _look_up(self, question: Question, number: int) -> None:
        try:
            found: Sequence[Address] | Exception = self._resolve(
                question.host,
                question.port,
                family=question.family,
                type=question.type,
                proto=question.proto,
                flags=question.flags,
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait are told
            found = error
        with self._lock:
            self._ended(question, number, found)

    def _ended(self, question: Question, number: int, found: Sequence[Address] | Exception) -> None:
        asked = self._asked[question]
        asked.threads.remove(number)
        failed = isinstance(found, Exception)
        if asked.answer is not None and not (failed and asked.threads and asked.threads[-1] > number):
            answer, asked.answer = asked.answer, None
            if isinstance(found, Exception):
                answer.set_exception(found)
            else:
                answer.set_result(found)
        if not asked.threads and asked.answer is None:
            del self._asked[question]


def is_address(host: str | bytes) -> bool:
    """Whether it is the address of a host, and no name."""
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text.partition("%")[0])
        except (OSError, ValueError):
            continue
        return True
    return False
