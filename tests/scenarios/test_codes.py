"""A code opens once, in time, at the node and for the person that it was sent for, and nothing else does."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
import pytest_asyncio

from auth.app import opened
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY, Clock
from auth.config import read_config
from auth.demo.service import Reply
from auth.demo.site import NODES
from auth.guessing import MOST_WRONG
from auth.reason import Reason
from auth.request import Accepted, AnswerRequest, Challenged, Door, LoginRequest, Origin, Outcome, Refused
from scenarios.command_line import dirfactor
from scenarios.company import password_of, person, policy, policy_dn, texted
from scenarios.office import Office, another, each_door, open_office
from schema.secret import Secret

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATIENCE = 10
TELL_APART = NODES.replace("dirfactorAddress", "dirfactorCoalesceSeconds = 0\ndirfactorAddress")


def both(name: str, number: int, **attributes: str):
    """A person for each door, so that the tests of the two do not meet in one person's limits."""
    return [texted(f"{name}-{door}", number + step, **attributes) for step, door in enumerate(("radius", "http"))]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    names = ("clumsy", "guesser", "repeater", "rewinder", "traveller", "alice", "mangler", "blank", "twice", "spaced")
    people = [one for number, name in enumerate(names) for one in both(name, 10 * (number + 1))]
    people += both("pumped", 200, dirfactorPolicy=policy_dn("patient"))
    patient = policy(
        "patient",
        dirfactorLogonAttempts=str(PATIENCE),
        dirfactorViolationLimit="100",
        dirfactorCodesPerWindow="9",
        dirfactorSecondMethodAttempts=str(PATIENCE),
        dirfactorCodeAttempts=str(PATIENCE),
    )
    late = [texted("late", 1), texted("stubborn", 2, dirfactorPolicy=policy_dn("strict")), person("emma", "email")]
    strict = policy("strict", dirfactorLogonAttempts="1", dirfactorViolationLimit="2", dirfactorLockMinutes="10")
    folder = tmp_path_factory.mktemp("codes")
    async with open_office(folder, *people, *late, strict, patient, nodes=TELL_APART) as running:
        yield running


async def refuses(office: Office, door: str, user: str, state: Secret | None, typed: str) -> str:
    """The reason for which an answer is refused."""
    reply = await office.answer(door, user, state, typed)
    assert reply == Reply("refused", "Logon failed.")
    return office.reason()


@each_door
async def test_after_a_wrong_code_the_right_one_opens(office: Office, door: str):
    asked, code = await office.texted(door, user := f"clumsy-{door}")
    again = await office.answer(door, user, asked.state, another(code))
    assert (again.outcome, office.reason()) == ("challenged", "code-wrong-retry")
    assert again.message == f"That code was not right. {asked.message}"
    accepted = await office.answer(door, user, again.state, code)
    assert (accepted.outcome, accepted.filter_id, office.reason()) == ("accepted", "staff", "accepted")


@each_door
async def test_after_three_wrong_codes_the_right_one_no_longer_opens(office: Office, door: str):
    asked, code = await office.texted(door, user := f"guesser-{door}")
    state = asked.state
    for _ in range(2):
        again = await office.answer(door, user, state, another(code))
        assert (again.outcome, office.reason()) == ("challenged", "code-wrong-retry")
        state = again.state
    assert await refuses(office, door, user, state, another(code)) == "attempts-exhausted"
    assert await refuses(office, door, user, state, code) == "challenge-unknown"


@each_door
async def test_who_had_too_many_wrong_codes_within_a_day_is_refused_before_a_text_goes_out(office: Office, door: str):
    user = f"pumped-{door}"
    for _ in range(MOST_WRONG // PATIENCE):
        asked, code = await office.texted(door, user)
        for _ in range(PATIENCE):
            asked = await office.answer(door, user, asked.state, another(code))
    mark = office.site.mark()
    assert (await office.log_on(door, user)).outcome == "refused"
    assert (office.reason(), office.texts_since(mark)) == ("violations-locked", 0)
    node = office.last()["node"]
    told = await dirfactor("explain", user, "--node", node, "--config", str(office.service.config))
    assert "60 wrong codes within a day" in told.out


@each_door
async def test_a_code_opens_once(office: Office, door: str):
    asked, code = await office.texted(door, user := f"repeater-{door}")
    assert (await office.answer(door, user, asked.state, code)).outcome == "accepted"
    assert await refuses(office, door, user, asked.state, code) == "challenge-unknown"


@each_door
async def test_a_wrong_answer_ends_its_state(office: Office, door: str):
    asked, code = await office.texted(door, user := f"rewinder-{door}")
    again = await office.answer(door, user, asked.state, another(code))
    assert again.outcome == "challenged"
    assert await refuses(office, door, user, asked.state, code) == "challenge-unknown"


@each_door
async def test_a_code_opens_only_at_the_node_that_asked_for_it(office: Office, door: str):
    asked, code = await office.texted(door, user := f"traveller-{door}")
    elsewhere = {"radius": "http", "http": "radius"}[door]
    assert await refuses(office, elsewhere, user, asked.state, code) == "challenge-unknown"
    assert (await office.answer(door, user, asked.state, code)).outcome == "accepted", "a stray answer spoils nothing"


@each_door
async def test_a_code_opens_only_for_the_person_who_asked_for_it(office: Office, door: str):
    asked, code = await office.texted(door, user := f"alice-{door}")
    assert await refuses(office, door, "emma", asked.state, code) == "challenge-unknown"
    asked, code = await office.texted(door, user)
    assert await refuses(office, door, "nobody", asked.state, code) == "challenge-unknown"


@each_door
async def test_a_code_of_somebody_else_is_wrong(office: Office, door: str):
    _, hers = await office.texted(door, f"alice-{door}")
    asked, code = await office.texted(door, user := f"blank-{door}")
    assert hers != code, "one time in a million this test fails by itself"
    again = await office.answer(door, user, asked.state, hers)
    assert (again.outcome, office.reason()) == ("challenged", "code-wrong-retry")


@each_door
async def test_a_state_that_is_not_whole_belongs_to_no_challenge(office: Office, door: str):
    asked, code = await office.texted(door, user := f"mangler-{door}")
    state = asked.state.text
    flipped = state[:-1] + chr(ord(state[-1]) ^ 1)
    for spoilt in (state[:-1], state[1:], flipped, state + "0", state.upper() + " ", "", "0" * len(state)):
        if spoilt or door == "http":
            assert await refuses(office, door, user, Secret(spoilt), code) == "challenge-unknown"
    assert (await office.answer(door, user, asked.state, code)).outcome == "accepted"


@each_door
async def test_no_code_is_a_refusal_and_no_violation(office: Office, door: str):
    asked, _ = await office.texted(door, user := f"blank-{door}")
    assert await refuses(office, door, user, asked.state, "") == "code-empty"


@each_door
async def test_the_code_of_an_older_challenge_does_not_answer_a_newer_one(office: Office, door: str):
    older, old = await office.texted(door, user := f"twice-{door}")
    if door == "http":  # without marks of a caller only an answer tells that another login begins
        assert (await office.answer(door, user, older.state, another(old))).outcome == "challenged"
    newer, new = await office.texted(door, user)
    assert old != new, "one time in a million this test fails by itself"
    again = await office.answer(door, user, newer.state, old)
    assert (again.outcome, office.reason()) == ("challenged", "code-wrong-retry")
    assert (await office.answer(door, user, again.state, new)).outcome == "accepted"


@each_door
async def test_a_code_may_be_typed_as_people_read_it(office: Office, door: str):
    asked, code = await office.texted(door, user := f"spaced-{door}")
    assert (await office.answer(door, user, asked.state, f" {code[:3]} {code[3:]} ")).outcome == "accepted"


async def test_a_code_opens_up_to_its_last_second_and_a_lock_ends_with_its_last_minute(office: Office):
    """The real parts in this process, with a clock that can be put forward."""
    ahead = timedelta()
    clock = Clock(lambda: SYSTEM_CLOCK.now() + ahead, SYSTEM_CLOCK.monotonic)
    settings = read_config(office.site.folder / "config.ini")
    elsewhere = msgspec.structs.replace(settings.service, state_directory=office.site.folder / "later")
    async with opened(replace(settings, service=elsewhere), clock, SYSTEM_ENTROPY) as app:
        app.syncs[""].run_once()

        async def begin(user: str) -> tuple[Challenged, str]:
            mark = office.site.mark()
            origin = Origin(Door.HTTP, "portal", SYSTEM_ENTROPY.octets(8).hex(), "127.0.0.1", str(mark))
            asked = await app.service.begin(LoginRequest(origin, user, Secret(password_of(user))))
            assert isinstance(asked, Challenged)
            return asked, await office.site.text_code(mark)

        async def answer(asked: Outcome, typed: str) -> Outcome:
            assert isinstance(asked, Challenged)
            origin = Origin(Door.HTTP, "portal", SYSTEM_ENTROPY.octets(8).hex(), "127.0.0.1")
            return await app.service.answer(AnswerRequest(origin, asked.state, Secret(typed)))

        asked, code = await begin("late")
        assert asked.expires_in == 300
        ahead = timedelta(seconds=299)
        assert isinstance(await answer(asked, code), Accepted)

        asked, code = await begin("late")
        ahead += timedelta(seconds=300)
        assert await answer(asked, code) == Refused(Reason.CHALLENGE_EXPIRED)
        assert await answer(asked, code) == Refused(Reason.CHALLENGE_UNKNOWN)

        asked, code = await begin("late")
        ahead += timedelta(seconds=200)
        again = await answer(asked, another(code))
        assert isinstance(again, Challenged)
        assert again.expires_in <= 100, "a wrong code buys no time"
        ahead += timedelta(seconds=101)
        assert await answer(again, code) == Refused(Reason.CHALLENGE_EXPIRED)

        asked, code = await begin("stubborn")
        again = await answer(asked, another(code))
        assert isinstance(again, Challenged)
        last = await answer(again, another(code))
        assert last == Refused(Reason.VIOLATIONS_LOCKED)
        ahead += timedelta(minutes=9, seconds=59)
        origin = Origin(Door.HTTP, "portal", "lock", "127.0.0.1")
        first_step = LoginRequest(origin, "stubborn", Secret(password_of("stubborn")))
        assert await app.service.begin(first_step) == Refused(Reason.VIOLATIONS_LOCKED)
        ahead += timedelta(seconds=1)
        asked, code = await begin("stubborn")
        assert isinstance(await answer(asked, code), Accepted)
