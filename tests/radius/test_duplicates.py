"""RFC 5080 section 2.2.2: what comes twice is answered once, and the same way twice."""

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from auth.radius.duplicates import Duplicates, Key

KEY = Key("192.0.2.7", 40000, 0, 5)
ONE, TWO = b"\x01" * 16, b"\x02" * 16


def settled(duplicates, key=KEY, authenticator=ONE, reply=b"reply", now=0.0):
    duplicates.open(key, authenticator)
    assert duplicates.settle(key, authenticator, reply, now)


def test_a_request_is_new_then_pending_then_answered_with_the_same_octets():
    duplicates = Duplicates()
    assert duplicates.recall(KEY, ONE, 0.0) is None
    duplicates.open(KEY, ONE)
    assert duplicates.recall(KEY, ONE, 1.0) == b""
    assert duplicates.settle(KEY, ONE, b"reply", 2.0)
    assert duplicates.recall(KEY, ONE, 3.0) == b"reply"
    assert duplicates.recall(KEY, ONE, 4.0) == b"reply"


def test_what_is_pending_stays_pending_however_long_it_takes():
    duplicates = Duplicates()
    duplicates.open(KEY, ONE)
    assert duplicates.recall(KEY, ONE, 3600.0) == b""


def test_an_answer_is_kept_for_30_seconds_from_when_it_was_given():
    duplicates = Duplicates()
    duplicates.open(KEY, ONE)
    duplicates.settle(KEY, ONE, b"reply", 20.0)
    assert duplicates.recall(KEY, ONE, 49.9) == b"reply"
    assert duplicates.recall(KEY, ONE, 50.0) is None


def test_another_address_port_or_identifier_is_another_request():
    duplicates = Duplicates()
    settled(duplicates)
    for change in ({"address": "192.0.2.8"}, {"port": 40001}, {"connection": 1}, {"identifier": 6}):
        other = KEY._replace(**change)
        assert duplicates.recall(other, ONE, 1.0) is None


def test_another_authenticator_is_a_new_request_and_purges_the_answer():
    duplicates = Duplicates()
    settled(duplicates)
    assert duplicates.recall(KEY, TWO, 1.0) is None
    assert duplicates.recall(KEY, ONE, 2.0) is None


def test_another_authenticator_purges_what_is_pending_and_its_late_answer_goes_nowhere():
    duplicates = Duplicates()
    duplicates.open(KEY, ONE)
    assert duplicates.recall(KEY, TWO, 1.0) is None
    assert not duplicates.settle(KEY, ONE, b"late", 1.5)
    duplicates.open(KEY, TWO)
    assert not duplicates.settle(KEY, ONE, b"late", 2.0)
    assert duplicates.recall(KEY, TWO, 3.0) == b""
    assert duplicates.settle(KEY, TWO, b"reply", 4.0)
    assert duplicates.recall(KEY, TWO, 5.0) == b"reply"


def test_silence_is_an_answer_too():
    duplicates = Duplicates()
    settled(duplicates, reply=b"")
    assert duplicates.recall(KEY, ONE, 1.0) == b""
    assert duplicates.recall(KEY, ONE, 31.0) is None


def test_each_source_has_its_own_bound_and_its_oldest_goes_first():
    duplicates = Duplicates(most_per_source=3)
    neighbour = Key("192.0.2.8", 1, 0, 0)
    settled(duplicates, neighbour)
    keys = [Key("192.0.2.7", 1, 0, identifier) for identifier in range(4)]
    for now, key in enumerate(keys):
        settled(duplicates, key, now=float(now))
    assert [duplicates.recall(key, ONE, 5.0) for key in keys] == [None, b"reply", b"reply", b"reply"]
    assert duplicates.recall(neighbour, ONE, 5.0) == b"reply"


def busy_second_by_second(duplicates, seconds, rate=1000):
    """One client address that asks without a pause from many ports; its keys in the order of their answers."""
    found = [Key("192.0.2.7", number // 256, 0, number % 256) for number in range(seconds * rate)]
    for number, key in enumerate(found):
        now = number / rate
        assert duplicates.recall(key, ONE, now) is None
        settled(duplicates, key, now=now)
    return found


def test_a_busy_source_hears_the_same_answer_when_it_repeats_after_five_and_after_nearly_ten_seconds():
    duplicates = Duplicates()
    asked = busy_second_by_second(duplicates, 20)
    assert duplicates.recall(asked[-5000], ONE, 20.0) == b"reply"
    assert duplicates.recall(asked[-9900], ONE, 20.0) == b"reply"


def test_a_busy_source_has_no_more_kept_than_its_first_repeats_need():
    duplicates = Duplicates()
    busy_second_by_second(duplicates, 25)
    assert len(duplicates) <= 10_001


def test_all_sources_together_have_a_bound_and_the_oldest_of_all_goes_first():
    duplicates = Duplicates(most=3)
    keys = [Key(f"192.0.2.{last}", 1, 0, 0) for last in (1, 2, 2, 3)]
    keys[2] = keys[2]._replace(identifier=1)
    for now, key in enumerate(keys):
        settled(duplicates, key, now=float(now))
    assert [duplicates.recall(key, ONE, 5.0) for key in keys] == [None, b"reply", b"reply", b"reply"]
    assert "192.0.2.1" not in duplicates._sources


def test_a_source_that_falls_silent_leaves_nothing_behind():
    duplicates = Duplicates()
    for last in range(200):
        settled(duplicates, Key(f"192.0.2.{last}", 1, 0, 0))
    duplicates.recall(KEY, ONE, 100.0)
    assert len(duplicates) == 0
    assert duplicates._sources == {}


keys = st.builds(Key, st.sampled_from(["192.0.2.7", "192.0.2.8"]), st.just(1), st.just(0), st.integers(0, 2))


class AgainstOneDictionary(RuleBasedStateMachine):
    """The cache against the plainest thing that keeps RFC 5080's rule: one dictionary and a look at the clock."""

    asked = Bundle("asked")

    def __init__(self):
        super().__init__()
        self.duplicates = Duplicates(lifetime=30.0)
        self.model = {}
        self.now = 0.0

    @rule(seconds=st.floats(0, 20))
    def time_passes(self, seconds):
        self.now += seconds

    @rule(target=asked, key=keys, authenticator=st.sampled_from([ONE, TWO]))
    def request_comes(self, key, authenticator):
        known = self.model.get(key)
        alive = known and known[0] == authenticator and (known[1] is None or self.now < known[2])
        expected = (known[1] or b"") if alive else None
        assert self.duplicates.recall(key, authenticator, self.now) == expected
        if expected is None:
            self.duplicates.open(key, authenticator)
            self.model[key] = (authenticator, None, None)
        return key, authenticator

    @rule(request=asked, reply=st.binary(max_size=3))
    def answer_comes(self, request, reply):
        key, authenticator = request
        waiting = self.model.get(key) == (authenticator, None, None)
        assert self.duplicates.settle(key, authenticator, reply, self.now) == waiting
        if waiting:
            self.model[key] = (authenticator, reply, self.now + 30.0)

    @invariant()
    def nothing_is_kept_twice(self):
        assert len(self.duplicates) <= 6


TestAgainstOneDictionary = AgainstOneDictionary.TestCase
