"""The state of logins under way: open challenges, failures, rates. Small, atomic, behind a few verbs."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from auth.facts import Question
from schema.entry import EntryId
from schema.errors import Fault
from schema.secret import Secret
from schema.words import Method, TokenKind


class StateUnavailable(Fault):
    """The store could not be used; whoever needs it is refused."""


class Challenge(msgspec.Struct, frozen=True):
    """An open challenge: what was asked of whom.

    Attributes:
        id: 16 random octets; bound into the digest of the code.
        user: who was asked.
        node: name of the access node through which.
        stage: how many methods had been passed.
        question: what was asked for.
        digest: keyed digest of the code that we sent; None when somebody else judges the answer.
        expires_at: when it is over (aware).
        attempts_left: answers that may still be given, this one included.
        correlation: id of the request that began the login.
        methods: those that the login had to pass when it was asked.
        held: what the judge of an earlier answer wants to find again, see `auth.judges.base.Checked`.
        sealed: the code that we sent, sealed with the server's key, where the client shows responses; see `digest`.
    """

    id: bytes
    user: EntryId
    node: str
    stage: int
    question: Question
    digest: bytes | None
    expires_at: datetime
    attempts_left: int
    correlation: str
    methods: tuple[Method, ...] = ()
    held: bytes | None = None
    sealed: bytes | None = None

    def __repr__(self) -> str:
        return f"Challenge({self.question} for {self.user.hex()} at {self.node}, stage {self.stage})"


class Limit(msgspec.Struct, frozen=True):
    """What may be counted under a key, within a window of time that ends now.

    Attributes:
        name: what people know it by.
        key: under which is counted; limits of one key count the same amount.
        window_seconds: how long the window is, a day at most.
        most: what may be in it; None for whatever comes.
        amount: what is counted this time.
        scope: what is counted together with others has the same one as they; a key is always of one scope.
    """

    name: str
    key: str
    window_seconds: int
    most: int | None
    amount: int = 1
    scope: str = ""


class SentMessage(msgspec.Struct, frozen=True):
    """A message that a gateway took.

    Attributes:
        gateway: its name in config.ini.
        id: what it knows the message by.
        user: whose code was in it.
        login: correlation of the request that began the login.
        at: when it took it (aware).
        fates: what it said afterwards, `delivered` and `failed`, each once; several where it took back what it said.
    """

    gateway: str
    id: str
    user: EntryId
    login: str
    at: datetime
    fates: tuple[str, ...] = ()


class Wanted(msgspec.Struct, frozen=True):
    """What is to be recalled, in one question.

    Attributes:
        user: whose failures.
        marks: keys of marks.
        stocks: keys under which codes are on stock.
        kept: keys of values.
        counted: limits of which is wanted how much is counted under their keys, within their windows.
    """

    user: EntryId | None = None
    marks: tuple[str, ...] = ()
    stocks: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    counted: tuple[Limit, ...] = ()


class Recalled(msgspec.Struct, frozen=True):
    """What is remembered, in the order in which it was wanted.

    Attributes:
        failures: instants of the user's failures, oldest first.
        marks: where each mark stands; None where nothing was consumed yet.
        stocks: how many good codes are on stock under each key.
        kept: the values; None where there is none.
        counted: how much is counted for each limit; see `Store.tally`.
    """

    failures: tuple[datetime, ...] = ()
    marks: tuple[int | None, ...] = ()
    stocks: tuple[int, ...] = ()
    kept: tuple[bytes | None, ...] = ()
    counted: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return f"Recalled({len(self.failures)} failures)"


class Struck(msgspec.Struct, frozen=True):
    """What counting a wrong code has found.

    Attributes:
        earlier: the user's earlier failures, oldest first, without this one.
        guess: the limit that counts it; None when none was given, or all are reached.
    """

    earlier: tuple[datetime, ...]
    guess: Limit | None = None


class Store(Protocol):
    """Where the state lives. Each verb happens whole or not at all, and nobody else comes between its parts.

    What verbs have written is durable through kill -9 when `settled` has returned; nothing that follows from it may
    leave this process sooner: no answer, no message, no question to somebody else. Every verb raises StateUnavailable
    when the store cannot be used; one that returns nothing may leave that to whatever is asked next, and to `settled`.
    """

    async def settled(self) -> None:
        """Wait until all that was written up to now is durable.

        Raises:
            StateUnavailable: some of it is not, and never will be.
        """
        ...

    async def recall(self, wanted: Wanted, now: datetime) -> Recalled:
        """What is remembered of all that is wanted; each part of it is as of some moment of this call."""
        ...

    async def begin(self, state: Secret, challenge: Challenge) -> None:
        """Open a challenge under a state value that was never used before."""
        ...

    async def renew(self, state: Secret, challenge: Challenge) -> None:
        """Open a challenge for a second login, in the place of the one that may wait under this value."""
        ...

    async def attempt(self, state: Secret, node: str) -> Challenge | None:
        """Take the challenge out of the store: whoever gets it, and nobody else, may evaluate one answer.

        None when there is no open challenge of this state at this node. One that has expired is still handed out
        (its `expires_at` says so), once.
        """
        ...

    async def claim(self, state: Secret, challenge: Challenge) -> bool:
        """Take this very challenge out of the store; False, and nothing happens, when it is not the one that waits."""
        ...

    async def waiting(self, state: Secret, node: str) -> Challenge | None:
        """The open challenge of this state at this node, which stays there: only `attempt` gives a right to it."""
        ...

    async def strike(self, user: EntryId, at: datetime, guesses: Sequence[Limit] = ()) -> Struck:
        """Count a wrong code before it is compared, and one of these limits besides: the first that is not reached."""
        ...

    async def forgive(self, user: EntryId) -> None:
        """Forget the user's failures."""
        ...

    async def withdraw(self, user: EntryId, at: datetime, guess: Limit | None = None) -> None:
        """Take back one strike made at this instant, and the limit that it counted: it was no wrong code after all."""
        ...

    async def count(self, key: str, at: datetime, window_seconds: int, limit: int) -> bool:
        """Count one event under a key, unless there were `limit` in the window up to `at`: then False, not counted."""
        ...

    async def consume(self, key: str, mark: int) -> bool:
        """Move the key's mark up to `mark`; False, and nothing happens, when it is there or beyond already.

        So what carries a number that only grows (a time step, a counter) counts once, whoever else asks.
        """
        ...

    async def lay_in(self, key: str, digests: Sequence[bytes], expires_at: datetime) -> None:
        """Put codes on stock under a key, by their digests, each good for one use until it expires."""
        ...

    async def take(self, key: str, digest: bytes, now: datetime) -> int | None:
        """Use up one code on stock: how many good ones are left after it; None when there is no such good one."""
        ...

    async def keep(self, key: str, octets: bytes) -> None:
        """Remember a small value under a key, in place of the one before."""
        ...

    async def first(self, key: str, octets: bytes, now: datetime, until: datetime) -> bytes | None:
        """Note a value under a key until an instant, unless one is noted: then that one, which stays."""
        ...

    async def supersede(self, key: str, octets: bytes, until: datetime) -> None:
        """Note a value under a key until an instant, in place of the one before."""
        ...

    async def replace(self, key: str, before: bytes, octets: bytes, until: datetime) -> bool:
        """The same, if this is the one before; False, and nothing happens, when it is another one, or there is none."""
        ...

    async def reserve(self, limits: Sequence[Limit], at: datetime) -> Limit | None:
        """Count all of these, or none: then the first limit that would be passed.

        Whatever the schedule, and also when the clock is set back, no window ever has more in it than its limit. It
        may be a minute longer than it says.
        """
        ...

    async def give_back(self, limits: Sequence[Limit], at: datetime) -> None:
        """Take back what was reserved at this instant: it was not used after all."""
        ...

    async def tally(self, key: str, at: datetime, window_seconds: int) -> int:
        """What is counted under a key without a scope in the window that ends at this instant, and after it."""
        ...

    async def remember(self, message: SentMessage) -> None:
        """Remember a message for a week, in place of what was known of it."""
        ...

    async def remembered(self, gateway: str, identity: str) -> SentMessage | None:
        """The message that a gateway knows by this id; None when there is none."""
        ...

    async def purge(self, now: datetime) -> int:
        """Remove what is long over; how many rows."""
        ...

    async def aclose(self) -> None:
        """Let go of it; nothing can be asked afterwards."""
        ...


class StateReader(Protocol):
    """The store as somebody else reads it; nothing of it is changed. Every verb raises StateUnavailable."""

    def recall(self, wanted: Wanted, now: datetime) -> Recalled:
        """What is remembered; see `Store.recall`."""
        ...

    def kept_under(self, prefix: str) -> tuple[bytes, ...]:
        """The values that are remembered under keys which begin with this."""
        ...

    def open_challenges(self, now: datetime) -> int | None:
        """How many challenges wait for an answer; None where nobody counts them."""
        ...


def state_key(state: Secret) -> bytes:
    """Under what a state value is stored: its SHA-256, so that a copy of the store opens no challenge."""
    return hashlib.sha256(state.octets).digest()


def stock_key(user: EntryId, kind: TokenKind, address: str) -> str:
    """Under what a user's codes for logons to come are kept: those that were sent to one address."""
    return f"stock {kind} {user.hex()} {hashlib.sha256(user + address.encode()).hexdigest()}"


def second_login(key: bytes, user: EntryId, node: str, station: str) -> Secret:
    """The state value under which a challenge waits at a node that can ask nothing; nobody is told it.

    Args:
        key: the server's key.
        user: whose login.
        node: through which node.
        station: the calling station, so that a login from elsewhere is not taken for the second one.
    """
    parts = (b"second login", user, node.encode(), station.encode(errors="surrogatepass"))
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return Secret(hmac.digest(key, framed, hashlib.sha256).hex())
