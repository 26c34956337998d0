"""No datagram gets an exception out of what reads it, and what is malformed is known as such: `make fuzz` has more."""

from fuzz.codec import fuzz


def test_what_is_malformed_is_known_as_such_and_nothing_else_comes_out():
    tally = fuzz(100_000, seed=1)
    kinds = {"malformed", "objected", "posed", "Declined", "LoginRequest", "AnswerRequest"}
    # a fuzzer that reaches one kind only would find nothing
    assert set(tally) == kinds | {"accounted", "believed", "not believed"}
    assert min(tally.values()) > 100
