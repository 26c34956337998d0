"""The course of one run: operations, and in between what happens to servers, services and cookies."""

import random
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from conformance.compare import differences
from conformance.editor import Editor, Refused
from conformance.operations import LASTING, Administrator, Operation
from conformance.requests import Add, How, Modify
from conformance.service import Reader, Service
from conformance.sites import Site
from conformance.world import World, folded
from dirsync.replica import Replica
from schema.errors import Fault

ASTRAY_SECONDS = 10.0  # for which a server's own doings may take
CATCH_UP_SECONDS = 60.0  # after the last operation; the sync pauses after failures
LOOK_SECONDS = 0.02
SHOWN = 12  # of the last operations
AWAY = 40  # operations that a killed service may miss
RESTART, KILL, LOSS, CHECKPOINT = 1000, 500, 1000, 500  # operations for each of them


@dataclass(frozen=True)
class Outcome:
    """What one run has shown.

    Attributes:
        source: who was followed.
        seed: of the run.
        operations: how many were done.
        restarts: of the server.
        kills: of the service.
        losses: of the cookie.
        checkpoints: comparisons.
        astray: how often the server itself showed names that were not right, and was started again.
        differences: what was found at the first comparison that found something, and the last operations.
        looks: how often people were looked for all the while who are never deleted.
        missed: whom the replica did not show.
        slowest: seconds from the last operation before a checkpoint to the replica's being right.
        seconds: all in all.
    """

    source: str
    seed: int
    operations: int
    restarts: int
    kills: int
    losses: int
    checkpoints: int
    astray: int
    differences: tuple[str, ...]
    looks: int
    missed: tuple[str, ...]
    slowest: float
    seconds: float

    @property
    def good(self) -> bool:
        return not self.differences and not self.missed and self.looks > 0


class Course:
    """One run.

    Args:
        site: the directory, as empty as it can be.
        operations: how many.
        seed: makes the same operations and events again; not the same instants.
        folder: for the service's files.
        progress: is told after each operation how many are done.
    """

    def __init__(
        self, site: Site, operations: int, seed: int, folder: Path, progress: Callable[[int], None] = lambda _: None
    ) -> None:
        self._site = site
        self._operations = operations
        self._seed = seed
        self._progress = progress
        chance = random.Random(seed)
        self._chance = random.Random(chance.random())
        self._world = World(site.root, site.dialect)
        self._administrator = Administrator(self._world, random.Random(chance.random()))
        self._editor = Editor(site.account)
        self._service = Service(site, folder)
        self._reader: Reader | None = None
        self._last: deque[Operation] = deque(maxlen=SHOWN)
        self._return = -1
        self._pace = max(1, min(CHECKPOINT, operations // 4))
        self._kills_at = self._drawn(KILL, 3, 1)
        self._restarts_at = self._drawn(RESTART, 2, 1)
        self._losses_at = self._drawn(LOSS, 2, self._pace + 1)
        self._restarts = self._kills = self._losses = self._checkpoints = self._astray = 0
        self._slowest = 0.0

    def run(self) -> Outcome:
        """Goes all the way, or to the first difference."""
        began = time.monotonic()
        done, found, looks, missed = 0, [], 0, []
        try:
            self._editor.send(Add(self._site.root, {"objectClass": ("organizationalUnit",)}))
            self._service.start()
            for done, operation in enumerate(self._all(), start=1):
                if found := self._step(done, operation):
                    break
                self._progress(done)
            if self._reader:
                looks, missed = self._reader.stop()
        finally:
            self._end()
        return Outcome(
            source=self._site.name,
            seed=self._seed,
            operations=done,
            restarts=self._restarts,
            kills=self._kills,
            losses=self._losses,
            checkpoints=self._checkpoints,
            astray=self._astray,
            differences=tuple(found),
            looks=looks,
            missed=tuple(missed),
            slowest=self._slowest,
            seconds=time.monotonic() - began,
        )

    def _step(self, done: int, operation: Operation) -> list[str]:
        """One operation, and what happens after it; what is wrong then."""
        self._last.append(operation)
        try:
            for request in operation.requests:
                self._editor.send(request)
        except Refused as refused:
            return [f"the server refuses what should be permitted: {refused}"]
        self._events(done)
        if done % self._pace and done != self._operations:
            return []
        found = self._checkpoint(done)
        if self._reader is None and not found:
            self._reader = Reader(self._service.replica, LASTING)
        return found

    def _end(self) -> None:
        self._editor.close()
        self._service.kill()
        if self._reader:
            self._reader.end()

    def last(self) -> list[str]:
        """The last operations, as LDIF."""
        return [f"# {one.what}\n" + "\n".join(request.ldif() for request in one.requests) for one in self._last]

    def _drawn(self, every: int, least: int, first: int) -> frozenset[int]:
        """After which operations something happens."""
        possible = range(first, self._operations)
        return frozenset(self._chance.sample(possible, min(len(possible), max(least, self._operations // every))))

    def _all(self) -> Iterator[Operation]:
        done = 0
        for operation in self._administrator.beginning():
            if done < self._operations:
                done += 1
                yield operation
        for _ in range(done, self._operations):
            yield self._administrator.operation()

    def _events(self, done: int) -> None:
        if done == self._return:
            self._service.start()
        if done in self._kills_at and done > self._return:
            time.sleep(self._chance.uniform(0, 0.1))  # in the middle of something
            self._service.kill()
            self._kills += 1
            self._return = done + self._chance.randrange(1, AWAY)
        if done in self._restarts_at:
            self._restart_server()
        if done in self._losses_at and self._reader:
            self._lose_cookie()

    def _restart_server(self) -> None:
        self._editor.close()
        if self._chance.random() < 0.5:
            self._site.server.stop()
        else:
            self._site.server.process.kill()
        self._site.server.start()
        self._restarts += 1

    def _lose_cookie(self) -> None:
        """The cookie is gone, or octets that are none; whether the service runs or not."""
        lost = self._chance.choice((None, b"", b"nonsense"))
        with closing(sqlite3.connect(self._service.replica, timeout=30.0)) as db, db:
            db.execute("UPDATE directory SET cookie = ?", (lost,))
        self._losses += 1

    def _checkpoint(self, done: int) -> list[str]:
        """What is still wrong when the time to catch up is over."""
        if self._return > done:
            self._return = done
            self._service.start()
        self._service.check()
        mended, began = False, time.monotonic()
        self._checkpoints += 1
        mark = f"{done}@mark.example.test"
        person = self._world.items[0]
        person.values["mail"] = (mark,)
        self._editor.send(Modify(self._world.dn(person), [(How.REPLACE, "mail", (mark,))]))
        while time.monotonic() - began < CATCH_UP_SECONDS and not self._shows(mark):
            time.sleep(LOOK_SECONDS)
        while found := differences(self._site, self._world, self._service.replica):
            if time.monotonic() - began > CATCH_UP_SECONDS:
                return found
            if time.monotonic() - began > ASTRAY_SECONDS and not mended and self._is_astray():
                self._restart_server()
                self._astray += 1
                mended, began = True, time.monotonic()
            time.sleep(LOOK_SECONDS)
        self._slowest = max(self._slowest, time.monotonic() - began)
        return []

    def _is_astray(self) -> bool:
        """Whether the server itself, asked by anybody, shows entries under names that they do not have.

        389 Directory Server's cache now and then keeps the DN that an entry had before something above it was renamed.
        Nobody who follows it can know; when it is started again it does.
        """
        shown = {folded(dn) for dn in self._editor.dns(self._site.root)}
        return shown - {folded(self._site.root)} != {folded(self._world.dn(item)) for item in self._world.items}

    def _shows(self, mark: str) -> bool:
        try:
            with closing(Replica(self._service.replica)) as replica:
                people = [replica.person(user) for user in replica.find([("sam", LASTING[0])])]
        except Fault:  # it is not there yet
            return False
        return any(person and person.user.mail == mark for person in people)
