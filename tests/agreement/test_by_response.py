"""A logon whose client shows responses goes like the same one typed, or is refused for it: it opens nothing more."""

import hashlib
from itertools import pairwise
from random import Random

from agreement import generator
from agreement.driver import copied
from agreement.naive.service import Naive
from agreement.real import ALICE, Real, a_store, emptied
from auth.chap.response import ChapResponse
from plain_store import in_turn

CASES = 1500
MOST_MOVES = 8
CODES_ONLY = 0.7
"""Of the nodes, so that much gets further than to the first password."""


class Shows(Real):
    """The service for a client of CHAP."""

    def shown(self, text):
        digest = hashlib.md5(b"\1" + text.encode() + b"challenge", usedforsecurity=False).digest()
        return ChapResponse(1, b"challenge", digest)


def as_sent(text):
    """A code as it was sent: who shows a response may not break it up."""
    bare = text.replace(" ", "").replace("-", "")
    return bare if bare.isdecimal() else text


async def do(move, real):
    """One move in a service; None where nobody asks anything."""
    match move:
        case ("wait", seconds):
            real.now += seconds
        case ("edit", seed):
            generator.edit(Random(seed), real.world)
            real.edited()
        case ("answer", text):
            return await real.answer(as_sent(text))
        case ("begin", password, _, caller):
            return await real.begin(None if password is None else as_sent(password), None, caller)
    return None


def naively(move, naive):
    """The same for the naive one, which knows what may be typed next."""
    match move:
        case ("wait", seconds):
            naive.now += seconds
        case ("edit", seed):
            generator.edit(Random(seed), naive.world)
        case ("answer", text):
            naive.answer(as_sent(text))
        case ("begin", password, _, caller):
            naive.begin(None if password is None else as_sent(password), None, caller)


async def same_until_refused(rng, typing, showing):
    """The reasons that both came to; the last one is password-protocol where the other had to read what was typed."""
    world = generator.world(rng)
    if world["node"] is not None and rng.random() < CODES_ONLY:
        world["node"]["mode"] = "codeOnly"
    naive = Naive(copied(world))
    typed = Real(await emptied(typing, world["failures"]), copied(world))
    shown = Shows(await emptied(showing, world["failures"]), copied(world))
    reasons = []
    for _ in range(rng.randrange(1, MOST_MOVES)):
        move = generator.move(rng, naive)
        naively(move, naive)
        one, other = await do(move, typed), await do(move, shown)
        if other is not None and other[1] == "password-protocol":
            return [*reasons, other[1]]
        assert one == other, (move, world)
        assert typed.messages == shown.messages
        assert in_turn(typing).failures(ALICE) == in_turn(showing).failures(ALICE)
        reasons += [] if one is None else [one[1]]
    return reasons


async def test_showing_goes_like_typing_or_is_refused():
    with a_store() as typing, a_store() as showing:
        cases = [await same_until_refused(Random(f"responses {n}"), typing, showing) for n in range(CASES)]
    met = [reason for reasons in cases for reason in reasons]
    by_text = sum(pair == ("code-sent", "accepted") for reasons in cases for pair in pairwise(reasons))
    assert met.count("accepted") > CASES / 20, "much is opened by responses"
    assert by_text > CASES / 100, "also by codes that we sent"
    assert met.count("password-protocol") > CASES / 20
    assert {"code-sent", "code-wanted", "code-wrong-retry", "attempts-exhausted", "violations-locked"} <= set(met)
