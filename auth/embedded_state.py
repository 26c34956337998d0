"""The embedded store: one SQLite file of its own, durable through kill -9, void after the machine went down."""

import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

import msgspec

from auth.checkpoints import Checkpoints
from auth.embedded.batch import Batch, Run
from auth.embedded.memory import Memory, instants
from auth.embedded.version import VERSION, bring_up_to_date, demand_known, version_of
from auth.receipts import records
from auth.spend import ledger
from auth.state import Challenge, Limit, Recalled, SentMessage, StateUnavailable, Struck, Wanted, state_key
from auth.turn import Turns
from schema.entry import EntryId
from schema.secret import Secret

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")
_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS challenge (
    state BLOB PRIMARY KEY, node TEXT NOT NULL, expires REAL NOT NULL, value BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS challenge_expires ON challenge (expires);
CREATE TABLE IF NOT EXISTS failure (user BLOB NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS failure_user ON failure (user, at);
CREATE TABLE IF NOT EXISTS event (key TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS event_key ON event (key, at);
CREATE TABLE IF NOT EXISTS mark (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stock (
    key TEXT NOT NULL, digest BLOB NOT NULL, expires REAL NOT NULL, PRIMARY KEY (key, digest)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS note (key TEXT PRIMARY KEY, until REAL NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS note_until ON note (until);
CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""
_FAILURES_KEPT = timedelta(days=100)
_EVENTS_KEPT = timedelta(days=1)
_SWITCHES = 20
# the system holds the file's pages anyway; every process that answers has so many of its own beside them
_CACHE_KIBIBYTES = 1024
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Challenge).decode


class EmbeddedStore:
    """`auth.state.Store` in a file.

    A commit to the write-ahead log survives the end of the process, not of the machine: when the boot id
    has changed since the last use, every open challenge and every code on stock is void. What must outlive the machine
    waits for the disk: marks, so that no code is good again, and what people have chosen. Of failures, and of what was
    sent, a power cut may take the last half minute.

    Args:
        file: created with mode 0600 when it is not there.
        boot_id: what changes with each start of the machine.
        turns: those of the event loop; the verbs of each share one transaction.

    Raises:
        StateUnavailable: the file cannot be opened or is no database.
    """

    def __init__(self, file: Path, boot_id: str, turns: Turns) -> None:
        self._file = file
        self._turns = turns
        self._looked = -1
        try:
            file.touch(mode=0o600, exist_ok=True)
            file.chmod(0o600)
            self._connection = sqlite3.connect(file, isolation_level=None, timeout=5.0)
        except (OSError, sqlite3.Error) as error:
            raise self._unavailable(error) from error
        self._memory = Memory(self._connection)
        try:
            self._prepare(boot_id)
        except StateUnavailable:
            self._connection.close()
            raise
        log = file.with_name(f"{file.name}-wal")
        checkpoints = Checkpoints(self._connection, file)
        self._connection.execute("PRAGMA busy_timeout = 0")  # an event loop must not stand still for the lock
        self._batch = Batch(self._connection, log, self._memory, checkpoints, self._unavailable, turns)

    def _prepare(self, boot_id: str) -> None:
        try:
            run = self._connection.execute
            _use_write_ahead_log(run)
            run("PRAGMA synchronous = NORMAL")
            run(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
            bring_up_to_date(self._connection, self._file, _TABLES + ledger.TABLE + records.TABLE)
            run("BEGIN IMMEDIATE")
            known = run("SELECT value FROM meta WHERE key = 'boot'").fetchone()
            if known is None or known[0] != boot_id:
                run("DELETE FROM challenge")
                run("DELETE FROM stock")
                run("DELETE FROM note")
                run("INSERT OR REPLACE INTO meta VALUES ('boot', ?)", (boot_id,))
            run("COMMIT")
        except (sqlite3.Error, OSError) as error:
            raise self._unavailable(error) from error

    async def settled(self) -> None:
        """Wait for the transactions; see `Store.settled`."""
        await self._batch.settled()

    async def recall(self, wanted: Wanted, now: datetime) -> Recalled:
        """What is remembered; see `Store.recall`."""
        return await self._read(self._recalled, wanted, now)

    async def begin(self, state: Secret, challenge: Challenge) -> None:
        """Open a challenge; see `Store.begin`."""
        async with self._write() as run:
            run("INSERT INTO challenge VALUES (?, ?, ?, ?)", _row(state, challenge))

    async def renew(self, state: Secret, challenge: Challenge) -> None:
        """Open a challenge in the place of another; see `Store.renew`."""
        async with self._write() as run:
            run("INSERT OR REPLACE INTO challenge VALUES (?, ?, ?, ?)", _row(state, challenge))

    async def attempt(self, state: Secret, node: str) -> Challenge | None:
        """Take the challenge; see `Store.attempt`."""
        async with self._write() as run:
            rows = run(
                "DELETE FROM challenge WHERE state = ? AND node = ? RETURNING value", (state_key(state), node)
            ).fetchall()
        return self._challenge(rows)

    async def claim(self, state: Secret, challenge: Challenge) -> bool:
        """Take this challenge; see `Store.claim`."""
        question = "DELETE FROM challenge WHERE state = ? AND node = ? AND value = ?"
        async with self._write() as run:
            gone = run(question, (state_key(state), challenge.node, _encode(challenge)))
        return gone.rowcount == 1

    async def waiting(self, state: Secret, node: str) -> Challenge | None:
        """Look at the challenge; see `Store.waiting`."""
        question = "SELECT value FROM challenge WHERE state = ? AND node = ?"
        return self._challenge(await self._read(self._rows, question, (state_key(state), node)))

    async def strike(self, user: EntryId, at: datetime, guesses: Sequence[Limit] = ()) -> Struck:
        """Count a wrong code; see `Store.strike`."""
        memory = self._memory
        async with self._write():
            earlier = memory.strike(user, at)
            for guess in guesses:
                if ledger.reserve(memory, (guess,), at) is None:
                    return Struck(earlier, guess)
            return Struck(earlier)

    async def forgive(self, user: EntryId) -> None:
        """Forget the failures; see `Store.forgive`."""
        async with self._write():
            self._memory.forgive(user)

    async def withdraw(self, user: EntryId, at: datetime, guess: Limit | None = None) -> None:
        """Take back one strike; see `Store.withdraw`."""
        async with self._write():
            self._memory.withdraw(user, at)
            if guess is not None:
                ledger.give_back(self._memory, (guess,), at)

    async def count(self, key: str, at: datetime, window_seconds: int, limit: int) -> bool:
        """Count one event; see `Store.count`."""
        since = at.timestamp() - window_seconds
        async with self._write() as run:
            (number,) = run("SELECT count(*) FROM event WHERE key = ? AND at > ?", (key, since)).fetchone()
            if number >= limit:
                return False
            run("INSERT INTO event VALUES (?, ?)", (key, at.timestamp()))
        return True

    async def consume(self, key: str, mark: int) -> bool:
        """Move a mark up; see `Store.consume`."""
        async with self._lasting():
            return self._memory.consume(key, mark)

    async def lay_in(self, key: str, digests: Sequence[bytes], expires_at: datetime) -> None:
        """Put codes on stock; see `Store.lay_in`."""
        async with self._write() as run:
            for digest in digests:
                run("INSERT OR REPLACE INTO stock VALUES (?, ?, ?)", (key, digest, expires_at.timestamp()))

    async def take(self, key: str, digest: bytes, now: datetime) -> int | None:
        """Use up a code on stock; see `Store.take`."""
        async with self._write() as run:
            at = now.timestamp()
            gone = run("DELETE FROM stock WHERE key = ? AND digest = ? AND expires > ?", (key, digest, at))
            return _stock(run, key, at) if gone.rowcount else None

    async def keep(self, key: str, octets: bytes) -> None:
        """Remember a value; see `Store.keep`."""
        async with self._lasting():
            self._memory.keep(key, octets)

    async def first(self, key: str, octets: bytes, now: datetime, until: datetime) -> bytes | None:
        """Note a value if none is; see `Store.first`."""
        async with self._write() as run:
            row = run("SELECT value FROM note WHERE key = ? AND until > ?", (key, now.timestamp())).fetchone()
            if row is not None:
                return bytes(row[0])
            run("INSERT OR REPLACE INTO note VALUES (?, ?, ?)", (key, until.timestamp(), octets))
        return None

    async def supersede(self, key: str, octets: bytes, until: datetime) -> None:
        """Note another value; see `Store.supersede`."""
        async with self._write() as run:
            run("INSERT OR REPLACE INTO note VALUES (?, ?, ?)", (key, until.timestamp(), octets))

    async def replace(self, key: str, before: bytes, octets: bytes, until: datetime) -> bool:
        """Note another value in place of this one; see `Store.replace`."""
        async with self._write() as run:
            noted = (until.timestamp(), octets, key, before)
            return run("UPDATE note SET until = ?, value = ? WHERE key = ? AND value = ?", noted).rowcount == 1

    async def reserve(self, limits: Sequence[Limit], at: datetime) -> Limit | None:
        """Count all or none; see `Store.reserve`."""
        async with self._write():
            return ledger.reserve(self._memory, limits, at)

    async def give_back(self, limits: Sequence[Limit], at: datetime) -> None:
        """Take back; see `Store.give_back`."""
        async with self._write():
            ledger.give_back(self._memory, limits, at)

    async def tally(self, key: str, at: datetime, window_seconds: int) -> int:
        """Add up; see `Store.tally`."""
        return await self._read(self._tallied, key, at, window_seconds)

    async def remember(self, message: SentMessage) -> None:
        """Remember a message; see `Store.remember`."""
        async with self._write() as run:
            records.put(run, message)

    async def remembered(self, gateway: str, identity: str) -> SentMessage | None:
        """The message; see `Store.remembered`."""
        try:
            return await self._read(records.get, self._connection.execute, gateway, identity)
        except msgspec.DecodeError as error:
            raise self._unavailable(error) from error

    async def purge(self, now: datetime) -> int:
        """Remove what is over; see `Store.purge`."""
        async with self._write() as run:
            self._memory.flush(run)
            removed = sum(
                run(f"DELETE FROM {table} WHERE {column} < ?", (before.timestamp(),)).rowcount  # noqa: S608 - ours
                for table, column, before in (
                    ("challenge", "expires", now - timedelta(minutes=5)),
                    ("failure", "at", now - _FAILURES_KEPT),
                    ("event", "at", now - _EVENTS_KEPT),
                    ("stock", "expires", now),
                    ("note", "until", now),
                    ("spend", "at", now - ledger.KEPT),
                    ("sent", "at", now - records.KEPT),
                )
            )
            self._memory.forget()
            return removed

    async def aclose(self) -> None:
        """Let go of it; see `Store.aclose`."""
        self.close()

    def close(self) -> None:
        """Commit what is open, and close the file."""
        with suppress(sqlite3.Error):  # it was closed before, or cannot be used
            self._batch.close()
        self._connection.close()

    async def _read(self, question: Callable[Asked, Answer], *asked: Asked.args, **named: Asked.kwargs) -> Answer:
        """What the file says, within the open transaction where there is one."""
        while True:
            try:
                return question(*asked, **named)
            except sqlite3.Error as error:
                await self._batch.readable(error)

    def _recalled(self, wanted: Wanted, now: datetime) -> Recalled:
        memory, run, at = self._memory, self._connection.execute, now.timestamp()
        self._look()
        return Recalled(
            memory.failures(wanted.user) if wanted.user is not None else (),
            tuple([memory.mark(key) for key in wanted.marks]),
            tuple([_stock(run, key, at) for key in wanted.stocks]),
            tuple([memory.kept(key) for key in wanted.kept]),
            tuple([ledger.tally(memory, limit.key, now, limit.window_seconds) for limit in wanted.counted]),
        )

    def _tallied(self, key: str, at: datetime, window_seconds: int) -> int:
        self._look()
        return ledger.tally(self._memory, key, at, window_seconds)

    def _rows(self, question: str, values: Sequence[bytes | str]) -> Sequence[tuple[bytes]]:
        return self._connection.execute(question, values).fetchall()

    def _look(self) -> None:
        """Whether somebody else has written is looked at once a turn."""
        turn = self._turns.current()
        if turn != self._looked and not self._connection.in_transaction:
            self._memory.look()
            self._looked = turn

    def _write(self) -> "_Writing":
        return _Writing(self._batch, lasting=False)

    def _lasting(self) -> "_Writing":
        """A write that is on the disk when it is settled."""
        return _Writing(self._batch, lasting=True)

    def _challenge(self, rows: Sequence[tuple[bytes]]) -> Challenge | None:
        try:
            return _decode(rows[0][0]) if rows else None
        except msgspec.DecodeError as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> StateUnavailable:
        return StateUnavailable(
            f"state file {self._file}: {error}",
            remedy="check the disk, the file's owner and mode; a damaged file may be moved away: lost are open logins, "
            "locks, PINs that people have changed, and which codes were used: assign tokens with counters anew",
        )


class _Writing:
    """A verb that writes. A class, for a generator would cost it twice as much."""

    __slots__ = ("_batch", "_lasting")

    def __init__(self, batch: Batch, *, lasting: bool) -> None:
        self._batch, self._lasting = batch, lasting

    def __aenter__(self) -> Coroutine[None, None, Run]:
        return self._batch.begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._batch.end(error, lasting=self._lasting)


class StateFile:
    """A store's file, read by who is not the service; the file is neither made nor changed.

    Every method raises StateUnavailable when the file cannot be read, or is of a later release.

    Args:
        file: the store's file; without it nothing has happened yet.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def recall(self, wanted: Wanted, now: datetime) -> Recalled:
        """What is remembered; see `Store.recall`."""
        return Recalled(
            self.failures(wanted.user) if wanted.user is not None else (),
            tuple(map(self.mark, wanted.marks)),
            tuple(self.left(key, now) for key in wanted.stocks),
            tuple(map(self.kept, wanted.kept)),
            tuple(ledger.tally(self, limit.key, now, limit.window_seconds) for limit in wanted.counted),
        )

    def failures(self, user: EntryId) -> tuple[datetime, ...]:
        """Instants of the user's failures, oldest first."""
        return instants(self._rows("SELECT at FROM failure WHERE user = ? ORDER BY at", user))

    def kept_under(self, prefix: str) -> tuple[bytes, ...]:
        """The values that are remembered under keys which begin with this."""
        question = "SELECT value FROM kept WHERE substr(key, 1, ?) = ?"
        return tuple(value for (value,) in self._rows(question, len(prefix), prefix))

    def marks(self) -> list[tuple[str, int]]:
        """All marks, by their keys."""
        return [(key, int(value)) for key, value in self._rows("SELECT key, value FROM mark")]

    def values(self) -> list[tuple[str, bytes]]:
        """All values that are remembered, by their keys."""
        return [(key, bytes(value)) for key, value in self._rows("SELECT key, value FROM kept")]

    def left(self, key: str, now: datetime) -> int:
        """How many codes are on stock; see `Store.left`."""
        return len(self._rows("SELECT 1 FROM stock WHERE key = ? AND expires > ?", key, now.timestamp()))

    def open_challenges(self, now: datetime) -> int:
        """How many challenges wait for an answer."""
        count: int = self._rows("SELECT count(*) FROM challenge WHERE expires > ?", now.timestamp())[0][0]
        return count

    def total(self, key: str, since: float) -> int:
        """See `auth.spend.ledger.Totals`."""
        return sum(amount for (amount,) in self._rows("SELECT amount FROM spend WHERE key = ? AND at > ?", key, since))

    def mark(self, key: str) -> int | None:
        """Where a mark stands; see `Store.mark`."""
        rows = self._rows("SELECT value FROM mark WHERE key = ?", key)
        return rows[0][0] if rows else None

    def kept(self, key: str) -> bytes | None:
        """A value remembered; see `Store.kept`."""
        rows = self._rows("SELECT value FROM kept WHERE key = ?", key)
        return rows[0][0] if rows else None

    def examine(self) -> None:
        """Look whether this release can read it; one that is not there yet it can."""
        self._rows("SELECT 1 FROM sqlite_master LIMIT 1")

    def _rows(self, question: str, *values: bytes | str | float) -> list[tuple[Any, ...]]:
        found = VERSION
        try:
            if not self._file.exists():
                return []
            uri = f"{self._file.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
                connection.execute("BEGIN")  # so that both questions see the same file
                found = version_of(connection.execute)
                demand_known(found, self._file)
                return connection.execute(question, values).fetchall()
        except (sqlite3.Error, OSError) as error:
            remedy = (
                "run this as the service's user, or as root"
                if found == VERSION
                else "start the service, which takes a file of an earlier release over"
            )
            raise StateUnavailable(f"state file {self._file}: {error}", remedy=remedy) from error


def _use_write_ahead_log(run: Run) -> None:
    """Switch a new file over. The switch does not wait for somebody who is doing the same; a transaction does."""
    for _ in range(_SWITCHES):
        try:
            run("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            run("BEGIN IMMEDIATE")
            run("ROLLBACK")
        else:
            return
    run("PRAGMA journal_mode = WAL")


def _row(state: Secret, challenge: Challenge) -> tuple[bytes, str, float, bytes]:
    return state_key(state), challenge.node, challenge.expires_at.timestamp(), _encode(challenge)


def _stock(run: Run, key: str, at: float) -> int:
    (number,) = run("SELECT count(*) FROM stock WHERE key = ? AND expires > ?", (key, at)).fetchone()
    return int(number)
