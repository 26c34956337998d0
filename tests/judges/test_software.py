"""Codes of software tokens: accepted in their window, once, whoever asks; and two in a row find a token again."""

import asyncio
import itertools
from datetime import timedelta

import pytest

from auth.facts import CodeVerdict
from auth.keys.ring import Key, Ring
from judges.software_world import HOTP, NOW, RING, TOTP, World, token
from schema.errors import Fault
from schema.secret import Secret

RIGHT, WRONG, AGAIN = CodeVerdict.RIGHT, CodeVerdict.WRONG, CodeVerdict.RESYNCHRONISE
PERIOD = timedelta(seconds=30)
COPIED = "the sealed value for purpose seed is not this entry's: copied from another one, or altered"


@pytest.fixture
def world(tmp_path):
    made = []
    folders = itertools.count()

    def make(*tokens, **values):
        folder = tmp_path / str(next(folders))
        folder.mkdir()
        made.append(World(folder, *tokens, **values))
        return made[-1]

    yield make
    for item in made:
        item.close()


async def verdict(world, code, **values):
    return (await world.ask(code, **values)).verdict


@pytest.mark.parametrize("window", [0, 1, 2])
async def test_a_time_code_is_right_in_the_window_and_wrong_or_astray_outside_it(world, window):
    for offset in range(-4, 5):
        alice = world(token(TOTP)).with_policy(totp_window=window, resynchronise_window=3)
        found = await verdict(alice, alice.code(alice.step() + offset))
        assert found is (RIGHT if abs(offset) <= window else AGAIN if abs(offset) <= 3 else WRONG), offset


@pytest.mark.parametrize("look_ahead", [1, 3])
async def test_a_counter_code_is_right_up_to_the_look_ahead_and_astray_beyond_it(world, look_ahead):
    for counter in range(20):
        alice = world(token(HOTP, first=5)).with_policy(hotp_look_ahead=look_ahead, resynchronise_window=8)
        found = await verdict(alice, alice.code(counter))
        wanted = RIGHT if 5 <= counter <= 5 + look_ahead else AGAIN if 5 <= counter <= 13 else WRONG
        assert found is wanted, counter


@pytest.mark.parametrize("kind", [TOTP, HOTP])
async def test_a_code_is_accepted_once_and_no_earlier_one_after_it(world, kind):
    alice = world(token(kind))
    start = alice.step() if kind is TOTP else 0
    later, earlier = alice.code(start + 1), alice.code(start)
    assert await verdict(alice, later) is RIGHT
    assert await verdict(alice, later) is WRONG
    assert await verdict(alice, earlier) is WRONG


async def test_a_code_that_comes_twice_in_the_window_is_accepted_once(world):
    """The token of this seed shows the same six digits two times running."""
    alice = world(token(HOTP, seed=b"two codes alike!16ccb7", first=1))
    assert alice.code(1).matches(alice.code(2))
    assert [await verdict(alice, alice.code(1)) for _ in range(3)] == [RIGHT, WRONG, WRONG]
    assert await verdict(alice, alice.code(3)) is RIGHT


@pytest.mark.parametrize("kind", [TOTP, HOTP])
async def test_a_code_from_before_the_last_accepted_one_finds_nothing_again(world, kind):
    alice = world(token(kind))
    last = alice.step() if kind is TOTP else 3
    assert await verdict(alice, alice.code(last)) is RIGHT
    now = NOW + 10 * PERIOD
    assert await verdict(alice, alice.code(last), now=now) is WRONG
    assert await verdict(alice, alice.code(last - 3), now=now) is WRONG


async def test_the_look_ahead_begins_after_the_last_accepted_code(world):
    for beyond in (1, 2, 3, 4, 5):
        alice = world(token(HOTP, first=5))
        assert await verdict(alice, alice.code(6)) is RIGHT
        assert await verdict(alice, alice.code(6 + beyond)) is (RIGHT if beyond <= 4 else AGAIN)


async def test_a_repeated_time_code_is_said_to_be_one_and_counts_against_the_person(world):
    alice = world(token(TOTP))
    await alice.ask(alice.code(alice.step()))
    again = await alice.ask(alice.code(alice.step()))
    assert (again.verdict, again.violation) == (WRONG, True)
    assert again.detail == "token T-1: the code was accepted already, or a later one"


@pytest.mark.parametrize(("back", "persons"), [(0, True), (1, True), (2, False)])
async def test_the_clock_is_blamed_only_when_all_of_the_window_is_behind_the_code_accepted_last(world, back, persons):
    alice = world(token(TOTP)).with_policy(totp_window=2)
    assert await verdict(alice, alice.code(alice.step() + 1)) is RIGHT
    now = NOW - back * PERIOD
    again = await alice.ask(alice.code(alice.step(now)), now=now)
    assert (again.verdict, again.violation) == (WRONG, persons)


async def test_a_code_that_was_typed_is_not_told_as_one_that_a_response_proved(world):
    alice = world(token(HOTP))
    found = await alice.ask(alice.code(0))
    assert (found.verdict, found.proven) == (RIGHT, None)


@pytest.mark.parametrize("kind", [TOTP, HOTP])
async def test_of_many_who_bring_one_code_at_once_one_is_let_in(world, kind):
    """Each through a store and judge of its own on the same file, as processes have."""
    alice = world(token(kind))
    code = alice.code(alice.step() if kind is TOTP else 0)

    def ask():
        other = World(alice.file.parent, *alice.tokens)
        try:
            return asyncio.run(other.ask(code)).verdict
        finally:
            other.close()

    verdicts = await asyncio.gather(*(asyncio.to_thread(ask) for _ in range(12)))
    assert verdicts.count(RIGHT) == 1
    assert set(verdicts) == {RIGHT, WRONG}


async def test_a_clock_that_was_set_back_lets_no_code_in_twice_and_is_blamed(world):
    alice = world(token(TOTP))
    assert await verdict(alice, alice.code(alice.step())) is RIGHT
    back = NOW - timedelta(hours=1)
    found = await alice.ask(alice.code(alice.step(back)), now=back)
    assert (found.verdict, found.violation) == (WRONG, False)
    assert "this machine's clock is behind" in found.detail
    assert await verdict(alice, alice.code(alice.step())) is WRONG


@pytest.mark.parametrize(("kind", "far"), [(TOTP, -30), (TOTP, 30), (HOTP, 30)])
async def test_two_codes_in_a_row_find_a_token_again_and_it_stays_found(world, kind, far):
    alice = world(token(kind))
    start = far + (alice.step() if kind is TOTP else 0)
    first = await alice.ask(alice.code(start))
    assert first.verdict is AGAIN
    distance = "30 codes ahead" if kind is HOTP else f"30 time steps {'ahead' if far > 0 else 'behind'}"
    assert first.detail == f"token T-1 is {distance}"
    assert first.violation is False
    second = await alice.ask(alice.code(start + 1), held=first.held)
    assert second.verdict is RIGHT
    assert "found again" in second.detail
    assert await verdict(alice, alice.code(start + 1), held=first.held) is WRONG
    later = NOW + PERIOD if kind is TOTP else NOW
    assert await verdict(alice, alice.code(start + 2), now=later) is RIGHT, "in the ordinary window from now on"


@pytest.mark.parametrize(
    ("item", "offset", "distance"),
    [
        (token(TOTP), 1, "1 time steps ahead"),
        (token(TOTP), -1, "1 time steps behind"),
        (token(HOTP, first=5), 9, "4 codes ahead"),
    ],
)
async def test_how_far_a_token_went_astray_is_told(world, item, offset, distance):
    alice = world(item).with_policy(totp_window=0)
    start = alice.step() if item.kind is TOTP else 0
    assert (await alice.ask(alice.code(start + offset))).detail == f"token T-1 is {distance}"


@pytest.mark.parametrize("kind", [TOTP, HOTP])
async def test_one_code_of_the_wider_window_is_never_enough(world, kind):
    alice = world(token(kind))
    start = 30 + (alice.step() if kind is TOTP else 0)
    first = await alice.ask(alice.code(start))
    assert first.verdict is AGAIN
    for position, held in ((start, first.held), (start + 2, first.held), (start + 1, None), (start - 1, first.held)):
        assert await verdict(alice, alice.code(position), held=held) is AGAIN
    assert await verdict(alice, Secret("000000"), held=first.held) is WRONG


async def test_the_second_code_must_be_of_the_same_token(world):
    alice = world(token(TOTP), token(TOTP, "T-2", b"another seed of 24 octet"))
    first = await alice.ask(alice.code(alice.step() + 30))
    assert await verdict(alice, alice.code(alice.step() + 31, 1), held=first.held) is AGAIN
    assert await verdict(alice, alice.code(alice.step() + 31), held=b"something else") is AGAIN


async def test_a_window_follows_a_clock_that_goes_wrong_slowly(world):
    alice = world(token(TOTP))
    now = NOW
    for ahead in range(1, 8):
        now += timedelta(days=1)
        assert await verdict(alice, alice.code(alice.step(now) + ahead), now=now) is RIGHT
    now += timedelta(days=1)
    assert await verdict(alice, alice.code(alice.step(now)), now=now) is AGAIN, "seven steps off by now"


async def test_somebody_who_types_slowly_does_not_lock_out_who_types_at_once(world):
    alice = world(token(TOTP))
    now = NOW
    for late in (1, 1, 0, 1, 0, 0, 1, 1, 0):
        now += timedelta(hours=1)
        assert await verdict(alice, alice.code(alice.step(now) - late), now=now) is RIGHT


async def test_of_several_tokens_only_the_one_whose_code_it_is_moves_on(world):
    alice = world(token(HOTP), token(HOTP, "T-2", b"another seed of 24 octet", digits=8))
    assert (await alice.ask(alice.code(0, 1))).detail == "token T-2"
    assert (await alice.ask(alice.code(0, 0))).detail == "token T-1"
    assert await verdict(alice, alice.code(0, 1)) is WRONG
    assert await verdict(alice, alice.code(1, 1)) is RIGHT


async def test_a_seed_that_is_sealed_anew_goes_on_where_it_was_and_a_new_seed_begins_anew(world):
    alice = world(token(HOTP))
    assert await verdict(alice, alice.code(2)) is RIGHT
    alice.holding(secrets=World(alice.file.parent, token(HOTP, "renamed")).person.user.secrets)
    assert await verdict(alice, alice.code(2)) is WRONG
    other = token(HOTP, seed=b"another seed of 24 octet")
    alice.holding(secrets=World(alice.file.parent, other).person.user.secrets)
    assert await verdict(alice, other.code(0)) is RIGHT


@pytest.mark.parametrize("typed", ["", "75522", "7552244", "٧٥٥٢٢٤", "755 22"])
async def test_what_is_not_quite_the_code_is_wrong(world, typed):
    assert await verdict(world(token(HOTP)), Secret(typed)) is WRONG


async def test_spaces_and_dashes_do_not_count(world):
    assert await verdict(world(token(HOTP)), Secret("755-224 ")) is RIGHT


async def test_a_seed_that_was_copied_from_another_user_lets_nobody_in(world):
    alice = world(token(HOTP), entry=b"b" * 16)
    found = await alice.ask(alice.code(0))
    assert (found.verdict, found.detail) == (CodeVerdict.MISCONFIGURED, f"token T-1: {COPIED}")


async def test_tokens_that_do_not_open_leave_the_others_in_use_and_are_named(world, caplog):
    alice = world(token(HOTP))
    others = [token(HOTP, serial, f"seed of {serial} with 24 octets".encode()) for serial in ("stolen", "taken")]
    copied = World(alice.file.parent, *others, entry=b"b" * 16)
    alice.holding(secrets=(*alice.person.user.secrets, *copied.person.user.secrets))
    wrong = await alice.ask(copied.code(0))
    assert (wrong.verdict, wrong.detail) == (WRONG, "; ".join(f"token {each.serial}: {COPIED}" for each in others))
    assert [text.partition(f": {COPIED}")[:2] for text in caplog.messages] == [
        (f"token {each.serial} of cn=alice cannot be used", f": {COPIED}") for each in others
    ]
    assert await verdict(alice, alice.code(0)) is RIGHT
    copied.close()


async def test_a_missing_key_or_ring_is_the_configurations_fault(world):
    without = world(token(HOTP), ring=lambda: Ring((Key(b"x" * 32, NOW),)))
    found = await without.ask(without.code(0))
    assert found.verdict is CodeVerdict.MISCONFIGURED
    assert RING.current.id in found.detail
    none = world(token(HOTP)).holding()
    nothing = await none.ask(none.code(0))
    assert (nothing.verdict, nothing.detail) == (CodeVerdict.MISCONFIGURED, "no seed is in dirfactorSecret")


def no_ring():
    raise Fault("there is no key ring", remedy="copy it")


async def test_without_a_ring_nobody_gets_in_and_the_log_says_why(world, caplog):
    alice = world(token(HOTP), ring=no_ring)
    found = await alice.ask(alice.code(0))
    assert (found.verdict, found.detail) == (CodeVerdict.MISCONFIGURED, "there is no key ring")
    assert caplog.messages == ["software tokens cannot be judged: there is no key ring (copy it)"]


async def test_no_detail_has_a_code_or_seed(world):
    alice = world(token(TOTP))
    step = alice.step()
    for position in (step, step, step + 30, step - 40):
        checked = await alice.ask(alice.code(position))
        assert alice.code(position).text not in repr(checked)
        assert "123456789" not in repr(checked)


@pytest.mark.parametrize("kind", [TOTP, HOTP])
async def test_a_code_that_was_told_to_be_too_far_ahead_is_good_for_nothing_when_its_time_has_come(world, kind):
    """Who guesses is told when a guess is a code of the time to come, and could wait for it."""
    alice = world(token(kind)).with_policy(totp_window=1, hotp_look_ahead=3, resynchronise_window=20)
    start = alice.step() if kind is TOTP else 0
    far = alice.code(start + 8)
    assert await verdict(alice, far) is AGAIN
    if kind is HOTP:
        for counter in (3, 6):
            assert await verdict(alice, alice.code(counter)) is RIGHT
    now = NOW + 8 * PERIOD if kind is TOTP else NOW
    assert await verdict(alice, far, now=now) is WRONG
    assert await verdict(alice, alice.code(start + 9), now=now) is RIGHT, "the next one is as good as ever"
