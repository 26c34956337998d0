"""Two implementations of a logon, one of them naive, agree; and a stricter policy never lets anybody in."""

import re
from pathlib import Path
from random import Random

import msgspec
import pytest

from agreement import driver, generator, ideal
from agreement.generator import CODES
from agreement.naive.policy import BUILT_IN
from agreement.naive.service import Naive
from agreement.real import Real, a_store, emptied, vip_says
from agreement.stricter import NO_ORDER, NODE_NO_ORDER, NODE_ORDER, ORDER, stricter
from auth.reason import Reason
from schema.entry import Policy

CASES = 1500
SEED = 4
PAIRS = 3000
MOST_MOVES = 8
MOSTLY = 0.6  # of the times somebody types what is right
COUNTING = {"logon_attempts", "violation_limit", "lock_minutes"}


async def test_the_service_and_a_naive_one_do_the_same_in_every_case():
    tally = driver.Tally()
    await driver.run(range(CASES), SEED, tally)
    assert tally.cases == CASES
    assert driver.unmet(tally) == []


async def test_a_difference_is_told_by_the_smallest_case_that_shows_it(monkeypatch):
    """A naive one that knows nothing of VIP differs, whatever else is odd."""
    monkeypatch.setitem(CODES["vip"]["verdicts"], "513270", "wrong")
    monkeypatch.setattr(Real, "validate", always_right)
    with pytest.raises(driver.Difference) as caught:
        await driver.run(range(CASES), SEED, driver.Tally())
    told = str(caught.value)
    assert "they differ in" in told
    assert len(told.splitlines()) < 14, told


async def always_right(_real, _credentials, _code):
    return vip_says("0000")


def test_the_naive_one_knows_the_built_in_policy():
    real = {field.name: field.default for field in msgspec.structs.fields(Policy) if field.name in BUILT_IN}
    assert {name: value for name, value in real.items() if name not in {"token_order", "malformed"}} == {
        name: value for name, value in BUILT_IN.items() if name not in {"token_order", "malformed"}
    }
    assert list(real["token_order"]) == BUILT_IN["token_order"]


def test_the_naive_one_shares_no_code_with_the_service():
    for file in (Path(__file__).parent / "naive").glob("*.py"):
        imported = re.findall(r"^(?:from|import) (\w+)", file.read_text(), re.MULTILINE)
        assert set(imported) <= {"agreement"}, file.name


def test_every_reason_is_met_or_known_to_be_another_partys():
    assert {str(reason) for reason in Reason} >= driver.OF_OTHERS


# stricter is never easier


async def test_who_is_let_in_by_a_stricter_policy_is_let_in_by_the_laxer_one_with_the_same_texts():
    """The naive service is the stricter one, for speed; the two agree."""
    with a_store() as store:
        accepted = 0
        for number in range(PAIRS):
            accepted += await not_easier(f"{SEED}:{number}", store)
    assert accepted > PAIRS // 10, "the generator lets people in"


async def not_easier(seed: str, store) -> bool:
    """One world and one that is stricter: whether somebody was let in by it."""
    rng = Random(seed)
    lax = generator.world(rng)
    lax["user"]["policy"] = "p1"
    strict, change = stricter(rng, lax)
    if change.partition(":")[0] in COUNTING:
        lax["failures"] = strict["failures"] = list(range(-rng.randrange(14), 0))
    texts = let_in_by(strict, Random(f"{seed}:typed"))
    if texts:
        told = await told_under(lax, texts, store)
        assert ("accepted", "accepted", None) in told, f"{seed}: {change}: {texts} {told}"
    return bool(texts)


def let_in_by(world: dict, rng: Random) -> list[tuple]:
    """What somebody typed in one logon until they were let in; nothing when they were not."""
    naive = Naive(world)
    moves: list[tuple] = []
    while len(moves) < MOST_MOVES:
        move = ideal.move(naive) if rng.random() < MOSTLY else generator.move(rng, naive)
        if move[0] in ("edit", "again") or (move[0] == "begin" and naive.open is not None):
            continue
        moves.append(move)
        if move[0] == "wait":
            naive.now += move[1]
            continue
        told = naive.answer(*move[1:]) if move[0] == "answer" else naive.begin(*move[1:])
        if told[0] == "accepted":
            return moves
        if naive.open is None and not naive.parked:
            return []
    return []


async def told_under(world: dict, moves: list[tuple], store) -> list[tuple]:
    """What they would have been told."""
    real, naive = Real(await emptied(store, world["failures"]), world), Naive(world)
    told = [await driver.made(move, real, naive) for move in moves]
    return [each[0] for each in told if each]


def test_every_field_of_a_policy_and_a_node_is_in_the_order_or_has_a_reason_why_not():
    fields = {field.name for field in msgspec.structs.fields(Policy)}
    assert ORDER.keys() | NO_ORDER.keys() == fields
    assert not ORDER.keys() & NO_ORDER.keys()
    assert NODE_ORDER.keys() | NODE_NO_ORDER.keys() == set(generator.plain()["node"])


def test_every_field_in_the_order_is_tightened_now_and_then():
    changes = [stricter(Random(number), generator.world(Random(number)))[1] for number in range(1500)]
    done = {change.partition(":")[0] for change in changes if not change.endswith("None -> None")}
    assert done == ORDER.keys() | {"node"}
