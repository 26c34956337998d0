"""What a state store promises, as a plain model, and a machine that asks a store and the model the same."""

import math
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from auth.facts import Question
from auth.state import Challenge, Limit, Struck
from plain_store import PlainStore
from schema.secret import Secret

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=3)
"""Still to come, for as long as a run of all tests may take: a server forgets by its own clock."""
USERS = [b"a" * 16, b"b" * 16]
ALICE = USERS[0]
NODES = ["vpn", "wiki"]


def challenge(number=0, node="vpn", expires_at=NOW + timedelta(minutes=5), **values):
    return Challenge(
        **{
            "id": number.to_bytes(16, "big"),
            "user": ALICE,
            "node": node,
            "stage": 1,
            "question": Question.SMS,
            "digest": b"d" * 32,
            "expires_at": expires_at,
            "attempts_left": 3,
            "correlation": f"login-{number}",
            **values,
        }
    )


class Model:
    """What the verbs promise, in a few dictionaries."""

    def __init__(self):
        self.open = {}
        self.struck = []
        self.events = []
        self.marks = {}
        self.stock = {}
        self.values = {}
        self.notes = {}
        self.sums = []

    def consume(self, key, mark):
        if mark <= self.marks.get(key, mark - 1):
            return False
        self.marks[key] = mark
        return True

    def left(self, key, now):
        return sum(name == key and now < expires for (name, _), expires in self.stock.items())

    def take(self, key, code, now):
        if self.stock.get((key, code), now) <= now:
            return None
        del self.stock[key, code]
        return self.left(key, now)

    def attempt(self, state, node):
        found = self.open.get(state)
        return self.open.pop(state) if found is not None and found.node == node else None

    def failures(self, user):
        return tuple(sorted(at for who, at in self.struck if who == user))

    def total(self, key, since):
        return sum(amount for name, minute, amount in self.sums if name == key and minute > since)

    def guessed(self, guesses, at):
        """The first limit that is not reached, counted."""
        for guess in guesses:
            if self.total(guess.key, at.timestamp() - guess.window_seconds) < guess.most:
                self.sums.append((guess.key, minute_of(at), 1))
                return guess
        return None

    def first(self, key, octets, now, until):
        found = self.notes.get(key)
        if found is not None and found[1] > now:
            return found[0]
        self.notes[key] = (octets, until)
        return None

    def count(self, key, at, window, limit):
        since = at - timedelta(seconds=window)
        if sum(name == key and since < instant for name, instant in self.events) >= limit:
            return False
        self.events.append((key, at))
        return True


GUESSES = (Limit("", "wide", 86_400, 2), Limit("", "narrow", 86_400, 3))


def minute_of(at):
    """What an instant is counted under: the minute that is not over before it."""
    return math.ceil(at.timestamp() / 60) * 60


states = st.integers(0, 5)
nodes = st.sampled_from(NODES)
users = st.sampled_from(USERS)
instants = st.builds(
    lambda seconds, microseconds: NOW + timedelta(seconds=seconds, microseconds=microseconds),
    st.integers(-3, 3),
    st.sampled_from([0, 0, 1, 999_999]),
)


moments = st.integers(1, 4).map(lambda seconds: NOW + timedelta(seconds=seconds))
keys = st.sampled_from(["sms a", "totp b"])
codes = st.sampled_from([b"1", b"2", b"3"])


class StoreMachine(RuleBasedStateMachine):
    """Two stores over the same state, closed and opened again at will, answer as the model does."""

    def __init__(self):
        super().__init__()
        self.model = Model()
        self.used = set()
        self.stores = []

    def opened(self) -> PlainStore:
        """One more store over the state of this run."""
        raise NotImplementedError

    @initialize()
    def start(self):
        self.stores = [self.opened() for _ in range(2)]

    def teardown(self):
        for store in self.stores:
            store.close()

    @rule(which=st.integers(0, 1), number=states, node=nodes, at=instants, data=st.data())
    def begin(self, which, number, node, at, data):
        if number in self.used:
            return
        self.used.add(number)
        opened = challenge(number, node, at, digest=data.draw(st.none() | st.binary(min_size=32, max_size=32)))
        self.stores[which].begin(Secret(f"state-{number}"), opened)
        self.model.open[number] = opened

    @rule(which=st.integers(0, 1), number=states, node=nodes)
    def attempt(self, which, number, node):
        assert self.stores[which].attempt(Secret(f"state-{number}"), node) == self.model.attempt(number, node)

    @rule(which=st.integers(0, 1), number=states, left=st.integers(2, 3))
    def claim(self, which, number, left):
        found = self.model.open.get(number)
        if found is None:
            assert not self.stores[which].claim(Secret(f"state-{number}"), challenge(number))
            return
        wanted = msgspec.structs.replace(found, attempts_left=left)
        assert self.stores[which].claim(Secret(f"state-{number}"), wanted) == (wanted == found)
        if wanted == found:
            del self.model.open[number]

    @rule(which=st.integers(0, 1), number=states, node=nodes)
    def waiting(self, which, number, node):
        found = self.model.open.get(number)
        wanted = found if found is not None and found.node == node else None
        assert self.stores[which].waiting(Secret(f"state-{number}"), node) == wanted

    @rule(which=st.integers(0, 1), user=users, at=instants)
    def strike(self, which, user, at):
        assert self.stores[which].strike(user, at) == self.model.failures(user)
        self.model.struck.append((user, at))

    @rule(which=st.integers(0, 1), user=users, at=instants)
    def withdraw(self, which, user, at):
        self.stores[which].withdraw(user, at)
        if (user, at) in self.model.struck:
            self.model.struck.remove((user, at))

    @rule(which=st.integers(0, 1), user=users, at=instants, again=st.booleans())
    def guess(self, which, user, at, again):
        """Counted within the same step as the strike, and taken back within the same step."""
        store = self.stores[which]
        found = store.struck(user, at, GUESSES)
        assert found == Struck(self.model.failures(user), self.model.guessed(GUESSES, at))
        self.model.struck.append((user, at))
        if again:
            store.withdraw(user, at, found.guess)
            self.model.struck.remove((user, at))
            if found.guess is not None:
                self.model.sums.append((found.guess.key, minute_of(at), -1))

    @rule(which=st.integers(0, 1), key=st.sampled_from(["wide", "narrow"]), at=instants)
    def tally(self, which, key, at):
        counted = self.model.total(key, at.timestamp() - 86_400)
        assert self.stores[which].tally(key, at, 86_400) == counted
        assert self.stores[which].counted(Limit("", key, 86_400, 1), at) == counted

    @rule(which=st.integers(0, 1), user=users)
    def forgive(self, which, user):
        self.stores[which].forgive(user)
        self.model.struck = [item for item in self.model.struck if item[0] != user]

    @rule(which=st.integers(0, 1), user=users)
    def failures(self, which, user):
        assert self.stores[which].failures(user) == self.model.failures(user)

    @rule(
        which=st.integers(0, 1),
        key=st.sampled_from(["send a", "send b"]),
        at=instants,
        window=st.integers(1, 4),
        limit=st.integers(0, 3),
    )
    def count(self, which, key, at, window, limit):
        found = self.stores[which].count(key, at, window, limit)
        assert found == self.model.count(key, at, window, limit)

    @rule(which=st.integers(0, 1), key=keys, mark=st.integers(-1, 4))
    def consume(self, which, key, mark):
        assert self.stores[which].consume(key, mark) == self.model.consume(key, mark)
        assert self.stores[1 - which].mark(key) == self.model.marks.get(key)

    @rule(which=st.integers(0, 1), key=keys, codes=st.lists(codes, max_size=3), at=instants)
    def lay_in(self, which, key, codes, at):
        self.stores[which].lay_in(key, codes, at)
        self.model.stock |= dict.fromkeys(((key, code) for code in codes), at)

    @rule(which=st.integers(0, 1), key=keys, code=codes, at=instants)
    def take(self, which, key, code, at):
        assert self.stores[which].take(key, code, at) == self.model.take(key, code, at)
        assert self.stores[1 - which].left(key, at) == self.model.left(key, at)

    @rule(which=st.integers(0, 1), key=keys, value=st.binary(max_size=4))
    def keep(self, which, key, value):
        self.stores[which].keep(key, value)
        self.model.values[key] = value

    @rule(which=st.integers(0, 1), key=keys)
    def kept(self, which, key):
        assert self.stores[which].kept(key) == self.model.values.get(key)

    @rule(which=st.integers(0, 1), key=keys, octets=codes, now=moments, until=moments)
    def first(self, which, key, octets, now, until):
        assert self.stores[which].first(key, octets, now, until) == self.model.first(key, octets, now, until)

    @rule(which=st.integers(0, 1), key=keys, octets=codes, until=moments)
    def supersede(self, which, key, octets, until):
        self.stores[which].supersede(key, octets, until)
        self.model.notes[key] = (octets, until)

    @rule(which=st.integers(0, 1), key=keys, before=codes, octets=codes, until=moments)
    def replace(self, which, key, before, octets, until):
        noted = self.model.notes.get(key)
        is_noted = noted is not None and noted[0] == before
        assert self.stores[which].replace(key, before, octets, until) == is_noted
        if is_noted:
            self.model.notes[key] = (octets, until)

    @rule(which=st.integers(0, 1))
    def restart(self, which):
        self.stores[which].close()
        self.stores[which] = self.opened()
