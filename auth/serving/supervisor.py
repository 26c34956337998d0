"""Begins the workers of this host, begins each anew that ends by itself, and passes on what it is told.

It serves nobody, has one thread and no event loop, so that it can be forked at any moment. It holds the sockets of all
workers: what arrives while one begins anew waits in its socket, and goes to nobody else meanwhile.
"""

import contextlib
import logging
import os
import select
import signal
import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from auth.incident import describe
from auth.serving.line import Line, Word
from auth.serving.worker import Manager
from schema.errors import Fault

_log = logging.getLogger("dirfactor.app")
_TICK_SECONDS: Final = 0.5
_STOP_SECONDS: Final = 45.0  # a worker ends what was begun within this, and is ended by force after it
_STUCK_SECONDS: Final = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE, _STEADY_SECONDS = 0.1, 10.0, 60.0
_FAILED: Final = 3  # as commands say that something outside failed
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


@dataclass
class _Place:
    """A worker's place, whoever is in it."""

    number: int
    process: int = 0  # 0 while it is empty
    end: socket.socket | None = None
    began: float = 0.0
    due: float = 0.0
    pause: float = _FIRST_PAUSE
    is_ready: bool = False
    asked: bool = False  # to read its configuration again, and it has not answered


@dataclass(eq=False)
class Supervisor:
    """The process that operators and the service manager know.

    Args:
        workers: how many there are to be.
        work: what a worker does until it is told to stop; called in the new process with its number and its line, and
            with what was the configuration in force at that moment behind it.
        examine: reads the configuration again and keeps it for workers to come; returns what puts it back.
        seen: when a worker's event loop has last been seen turning, by its number; seconds of `monotonic`.
        manager: is told how they are doing.
        monotonic: seconds that never run backwards.
        beginning: seconds within which a worker that is begun anew serves, or is ended; not at the start, when a state
            file of an earlier release may have to be taken over and the service manager has a limit of its own.
    """

    workers: int
    work: Callable[[int, Line], None]
    examine: Callable[[], Callable[[], None]]
    seen: Callable[[int], float]
    manager: Manager
    monotonic: Callable[[], float]
    beginning: float
    _places: list[_Place] = field(init=False)
    _told: set[int] = field(default_factory=set, init=False)  # signals
    _stopping_since: float | None = field(default=None, init=False)
    _all_were_ready: bool = field(default=False, init=False)
    _put_back: Callable[[], None] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._places = [_Place(number) for number in range(self.workers)]

    def run(self) -> int:
        """Until SIGTERM or SIGINT, or until a worker cannot begin at the start.

        Returns:
            The exit status: 0, or that of the worker that could not begin.
        """
        with self._woken_by_signals() as wake:
            while True:
                status = self._turn(wake)
                if status is not None:
                    return status

    def _turn(self, wake: socket.socket) -> int | None:
        """Wait for something, and do what follows; an exit status at the end."""
        self._fill()
        ends = [place.end for place in self._places if place.end]
        readable, _, _ = select.select([wake, *ends], [], [], _TICK_SECONDS)
        if wake in readable:
            self._told |= set(wake.recv(4096))
        for place in self._places:
            if place.end in readable:
                self._hear(place)
        failed = self._bury()
        if failed is not None and not self._all_were_ready and self._stopping_since is None:
            self._stop()
            self._wait_for_all()
            return failed
        if self._told & {signal.SIGTERM, signal.SIGINT}:
            self._stop()
        elif signal.SIGHUP in self._told and self._is_settled():
            self._told.discard(signal.SIGHUP)
            self._reload()
        self._told -= {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
        if self._stopping_since is not None:
            self._wait_for_all()
            return 0
        self._look_after()
        return None

    def _is_settled(self) -> bool:
        """Whether a configuration may be read: all have once served, the first one does, and nobody is reading one."""
        first = self._places[0]
        return self._all_were_ready and first.is_ready and not any(place.asked for place in self._places)

    def _fill(self) -> None:
        """Begin who is to begin: the first one alone, for it makes what the others find; then all.

        Nobody begins while it is not yet known with which configuration.
        """
        if self._stopping_since is not None or self._put_back is not None:
            return
        now = self.monotonic()
        for place in self._places:
            if place.number and not self._places[0].is_ready and not self._all_were_ready:
                break
            if not place.process and place.due <= now:
                self._begin(place)

    def _begin(self, place: _Place) -> None:
        ours, theirs = socket.socketpair()
        # what the new process is told before it is a worker would be heard by nobody, or by us
        allowed = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        process = os.fork()
        if process == 0:
            ours.close()
            self._be(place.number, theirs, allowed)
        signal.pthread_sigmask(signal.SIG_SETMASK, allowed)
        theirs.close()
        place.process, place.end, place.began = process, ours, self.monotonic()
        place.is_ready = place.asked = False

    def _be(self, number: int, end: socket.socket, allowed: Collection[int]) -> None:
        """In the new process: be a worker, and nothing else, to the end."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for each in _SIGNALS:
                signal.signal(each, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, allowed)
            for place in self._places:
                if place.end:
                    place.end.close()  # else the workers would not learn that we are gone
            self.work(number, Line(end))
            status = 0
        except Fault as fault:
            _log.error("worker %d cannot serve: %s", number, fault)
            status = _FAILED
        except Exception as error:  # noqa: BLE001 - nothing of it may go on as the supervisor
            _log.error("worker %d: %s", number, describe(error))
        finally:
            logging.shutdown()
            os._exit(status)

    def _hear(self, place: _Place) -> None:
        """What a worker says; nothing when it is gone, which `_bury` sees."""
        octets = place.end.recv(16) if place.end else b""
        for octet in octets:
            place.is_ready = True
            if place.asked:
                self._answered(place, Word(bytes([octet])))
        if octets and not self._all_were_ready and all(each.is_ready for each in self._places):
            self._all_were_ready = True
            _log.info("all %d workers serve", self.workers)
            self.manager.ready(self._status)

    def _bury(self) -> int | None:
        """Take note of workers that have ended; the exit status of one of them."""
        failed = None
        for place in self._places:
            if not place.process:
                continue
            ended, status = os.waitpid(place.process, os.WNOHANG)
            if not ended:
                continue
            code = os.waitstatus_to_exitcode(status)
            failed = code if code > 0 else 1
            if self._stopping_since is None:
                follows = "is begun anew" if self._all_were_ready else "the service ends, for not all have served yet"
                _log.error("worker %d has ended by itself (%s), and %s", place.number, _how(code), follows)
            self._empty(place)
        return failed

    def _empty(self, place: _Place) -> None:
        now = self.monotonic()
        if now - place.began >= _STEADY_SECONDS:
            place.pause = _FIRST_PAUSE
        place.due, place.pause = now + place.pause, min(2 * place.pause, _LONGEST_PAUSE)
        if place.end:
            place.end.close()
        place.process, place.end, place.is_ready = 0, None, False
        if place.asked:
            self._answered(place, Word.KEPT)

    # the configuration

    def _reload(self) -> None:
        """Have it read again: here, by the first worker, and when that one has it in force, by the others."""
        self.manager.reloading(self.monotonic())
        try:
            self._put_back = self.examine()
        except Fault as fault:
            _log.error("the configuration stays as it was: %s", fault)
            self.manager.kept(self._status)
            return
        self._ask(self._places[0])

    def _ask(self, place: _Place) -> None:
        """Have a worker that serves read it again; nobody waits for one that does not serve yet.

        Who is not there begins with what is in force by then. Who only begins was forked with what was in force before,
        and may never come to read anything else: it is ended, and begins anew.
        """
        if place.is_ready:
            place.asked = True
            self._signal(place, signal.SIGHUP)
        elif place.process:
            _log.info("worker %d was beginning with the configuration before, and begins anew", place.number)
            self._signal(place, signal.SIGKILL)

    def _answered(self, place: _Place, word: Word) -> None:
        """What the first one keeps all keep; another one that does not take what the first one has begins anew."""
        place.asked = False
        if place.number == 0:
            put_back, self._put_back = self._put_back, None
            if word is Word.KEPT:
                if put_back:
                    put_back()
                self.manager.kept(self._status)
                return
            for other in self._places[1:]:
                self._ask(other)
        elif word is Word.KEPT:
            _log.error("worker %d does not take the new configuration, and begins anew with it", place.number)
            self._signal(place, signal.SIGTERM)
        if not any(each.asked for each in self._places):
            self.manager.ready(self._status)

    # the end, and what keeps it off

    def _look_after(self) -> None:
        """End who is stuck; when nobody is, tell the service manager that all are alive."""
        now, patience = self.monotonic(), self.manager.watched or _STUCK_SECONDS
        stuck = [
            place
            for place in self._places
            if place.is_ready and now - max(self.seen(place.number), place.began) > patience
        ]
        for place in stuck:
            _log.error("worker %d does nothing any more, and is ended", place.number)
            self._signal(place, signal.SIGKILL)
        for place in self._places:
            if self._all_were_ready and place.process and not place.is_ready and now - place.began > self.beginning:
                _log.error("worker %d has not begun within %.0f s, and is ended", place.number, self.beginning)
                self._signal(place, signal.SIGKILL)
        if self.manager.watched and not stuck:
            self.manager.alive()

    @property
    def _status(self) -> str:
        return f"serves with {self.workers} workers"

    def _stop(self) -> None:
        if self._stopping_since is None:
            self._stopping_since = self.monotonic()
            self.manager.stopping()
            for place in self._places:
                self._signal(place, signal.SIGTERM)

    def _wait_for_all(self) -> None:
        began = self._stopping_since or self.monotonic()
        while any(place.process for place in self._places):
            if self.monotonic() - began > _STOP_SECONDS:
                for place in self._places:
                    self._signal(place, signal.SIGKILL)
            select.select([], [], [], 0.02)
            self._bury()

    def _signal(self, place: _Place, number: signal.Signals) -> None:
        if place.process:
            with contextlib.suppress(ProcessLookupError):
                os.kill(place.process, number)

    @contextmanager
    def _woken_by_signals(self) -> Iterator[socket.socket]:
        """What a signal is written to, as an octet (signal.set_wakeup_fd)."""
        wake, written = socket.socketpair()
        with wake, written:
            written.setblocking(False)
            before = {number: signal.signal(number, _nothing) for number in _SIGNALS}
            previous = signal.set_wakeup_fd(written.fileno())
            try:
                yield wake
            finally:
                signal.set_wakeup_fd(previous)
                for number, handler in before.items():
                    signal.signal(number, handler)


def _nothing(*_: object) -> None:
    """The wake-up descriptor tells."""


def _how(code: int) -> str:
    return f"exit status {code}" if code >= 0 else signal.Signals(-code).name
