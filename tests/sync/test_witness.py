"""What proves that a server's past is the one that was read, held against every way in which it may be another."""

from hypothesis import given
from hypothesis import strategies as st

from dirsync.ad import witness
from dirsync.ad.controls import SHOW_DELETED
from dirsync.ad.witness import Past, Witness, read_witness
from dirsync.wire.search import Scope

BASE = "DC=lab,DC=example,DC=test"


class Toy:
    """A server as it matters here: who holds which number, and what each entry says."""

    def __init__(self, holders=(), usn=100, clock=0):
        self.holders = dict(holders)
        self.usn = usn
        self.clock = clock

    def change(self, who):
        self.usn += 1
        self.clock += 1
        self.holders[who] = (self.usn, self.clock)

    def copy(self):
        return Toy(self.holders, self.usn)

    def present(self):
        return [Witness(b"%d" % who, usn, b"%d" % when) for who, (usn, when) in self.holders.items()]

    def past(self):
        return Past(self.usn).recorded(self.present())


def restored(copy, after):
    """The server of the copy, started later than everything that was seen."""
    server = copy.copy()
    server.clock = 1_000
    for who in after:
        server.change(who)
    return server


ENTRIES = st.lists(st.integers(1, 6), max_size=12)


@given(ENTRIES, ENTRIES, ENTRIES)
def test_a_server_that_only_went_on_keeps_its_past(before, seen, later):
    server = Toy()
    for who in before + seen:
        server.change(who)
    past = server.past()
    for who in later:
        server.change(who)
    assert past.is_past_of(server.present())


@given(ENTRIES, st.lists(st.integers(1, 6), min_size=1, max_size=12), ENTRIES)
def test_of_a_server_that_was_restored_nothing_is_lost(before, seen, after):
    copy = Toy()
    for who in before:
        copy.change(who)
    first = copy.copy()
    first.clock = 500
    for who in seen:
        first.change(who)
    past = first.past()
    now = restored(copy, after)
    if now.usn < past.usn or not past.is_past_of(now.present()):
        return  # noticed
    # not noticed: then each entry that differs has a number that is asked for
    for who in {*first.holders, *now.holders}:
        here = now.holders.get(who)
        assert here == first.holders.get(who) or (here and here[0] > past.usn)


def test_a_server_that_went_back_and_has_passed_the_number_again_is_found_out():
    copy = Toy()
    copy.change(1)
    first = copy.copy()
    first.change(2)
    past = first.past()
    assert not past.is_past_of(restored(copy, [3]).present())
    assert not past.is_past_of(restored(copy, [3, 2]).present())
    assert not past.is_past_of(restored(copy, [2]).present())
    assert not past.is_past_of(restored(copy, [3, 3, 3]).present())


def test_a_witness_that_is_gone_proves_nothing():
    server = Toy()
    server.change(1)
    past = server.past()
    assert past.is_past_of(server.present())
    assert not past.is_past_of([])


def test_only_the_last_numbers_are_remembered():
    server = Toy()
    for who in range(100):
        server.change(who)
    assert {int(one.guid) for one in server.past().witnesses} == set(range(68, 100))


def test_the_question_asks_for_numbers_and_witnesses_deleted_ones_too():
    past = Past(2, (Witness(bytes(15) + b"*", 2, b"x"),))
    asked = witness.search(BASE, past, None)
    escaped = "\\00" * 15 + "\\2a"
    assert asked.where == f"(|(uSNChanged=1)(uSNChanged=2)(objectGUID={escaped}))"
    assert (asked.base, asked.scope, asked.controls) == (BASE, Scope.SUBTREE, (SHOW_DELETED,))


def test_who_does_not_show_its_number_is_no_witness():
    whole = {"objectGUID": [b"1"], "uSNChanged": [b"7"], "whenChanged": [b"20260101000000.0Z"]}
    assert read_witness(("", whole)) == Witness(b"1", 7, b"20260101000000.0Z")
    for name in whole:
        assert read_witness(("", {key: found for key, found in whole.items() if key != name})) is None
