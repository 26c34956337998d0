"""Equal first steps are one login: what is equal, for how long, and that nothing else is shared."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from auth.coalesce import ACCEPT_SECONDS, Coalescer
from auth.reason import Reason
from auth.request import Accepted, Challenged, Door, LoginRequest, Origin, Refused
from auth.state import state_key
from schema.secret import Secret

ORIGIN = Origin(
    Door.RADIUS, "vpn", "first", "192.0.2.7", caller="port-1", session="session-1", authenticator=b"drawn for the 1st"
)
REQUEST = LoginRequest(ORIGIN, "alice", Secret("correct horse"))
AGAIN = replace(REQUEST, origin=replace(ORIGIN, correlation="second", authenticator=b"drawn for the 2nd"))
COPY = replace(REQUEST, origin=replace(ORIGIN, correlation="copy"))
REFUSED = Refused(Reason.PASSWORD_WRONG)
WINDOW = 20


def challenged(name="state-1", expires_in=300):
    return Challenged(Secret(name), "Enter the code.", "sms", expires_in, Reason.CODE_SENT)


class Watch:
    """A monotonic clock that is turned by hand."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Logins:
    """Logins that a test lets end when it likes, and the count of those that began."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.begun = 0
        self.ended = 0
        self.gate = asyncio.Event()

    async def __call__(self):
        outcome = self.outcomes[self.begun % len(self.outcomes)]
        self.begun += 1
        await self.gate.wait()
        self.ended += 1
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def opened(*outcomes):
    logins = Logins(*outcomes)
    logins.gate.set()
    return logins


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def coalescer(watch):
    return Coalescer(b"k" * 32, watch)


async def turns(count=5):
    """Let everything that can go on go on."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("outcome", [challenged(), Accepted(), REFUSED], ids=lambda item: type(item).__name__)
async def test_equal_first_steps_while_one_runs_run_once_and_share_its_outcome(coalescer, outcome):
    logins = Logins(outcome)
    waiting = [asyncio.ensure_future(coalescer.run(REQUEST, WINDOW, logins))]
    await turns()
    repeats = [replace(AGAIN, origin=replace(AGAIN.origin, authenticator=bytes((n,)))) for n in range(20)]
    waiting += [asyncio.ensure_future(coalescer.run(repeat, WINDOW, logins)) for repeat in repeats]
    await turns()
    logins.gate.set()
    results = await asyncio.gather(*waiting)
    assert logins.begun == 1
    assert all(result[0] is outcome for result in results)
    assert {result[1] for result in results} == {"first"}, "everyone is told which login it was"


async def test_a_challenge_answers_an_equal_first_step_for_the_whole_window_and_no_longer(coalescer, watch):
    logins = opened(challenged("state-1"), challenged("state-2"))
    first, _ = await coalescer.run(REQUEST, WINDOW, logins)
    watch.now += WINDOW - 0.001
    joined, login = await coalescer.run(AGAIN, WINDOW, logins)
    left = replace(first, expires_in=first.expires_in - int(WINDOW - 0.001))
    assert (joined, login, logins.begun) == (left, "first", 1), "it is good for so many seconds less"
    watch.now += 0.001
    later, login = await coalescer.run(AGAIN, WINDOW, logins)
    assert (later.state.text, login, logins.begun) == ("state-2", "second", 2)


async def test_a_challenge_is_not_shared_beyond_its_own_end(coalescer, watch):
    logins = opened(challenged(expires_in=30))
    await coalescer.run(REQUEST, 300, logins)
    watch.now += 30
    await coalescer.run(AGAIN, 300, logins)
    assert logins.begun == 2, "nobody can answer a challenge that is over"


async def test_after_the_challenge_was_answered_a_first_step_is_a_login_of_its_own(coalescer):
    logins = opened(challenged("state-1"), challenged("state-2"))
    first, _ = await coalescer.run(REQUEST, WINDOW, logins)
    coalescer.answered(state_key(first.state))
    second, _ = await coalescer.run(AGAIN, WINDOW, logins)
    assert second.state.text == "state-2"


async def test_the_answer_to_an_earlier_challenge_leaves_a_later_login_of_the_same_person_alone(coalescer, watch):
    logins = opened(challenged("state-1"), challenged("state-2"))
    first, _ = await coalescer.run(REQUEST, WINDOW, logins)
    watch.now += WINDOW
    await coalescer.run(REQUEST, WINDOW, logins)
    coalescer.answered(state_key(first.state))
    joined, _ = await coalescer.run(AGAIN, WINDOW, logins)
    assert (joined.state.text, logins.begun) == ("state-2", 2)


async def test_an_answer_to_a_challenge_that_nobody_knows_changes_nothing(coalescer):
    logins = opened(challenged())
    await coalescer.run(REQUEST, WINDOW, logins)
    coalescer.answered(state_key(Secret("made up")))
    await coalescer.run(AGAIN, WINDOW, logins)
    assert logins.begun == 1


DIFFERENT = {
    "password": replace(AGAIN, password=Secret("correct horse ")),
    "no password": replace(AGAIN, password=None),
    "empty password": replace(AGAIN, password=Secret("")),
    "a passcode": replace(AGAIN, passcode=Secret("123456")),
    "an empty passcode": replace(AGAIN, passcode=Secret("")),
    "the password as passcode": replace(AGAIN, password=None, passcode=REQUEST.password),
    "user": replace(AGAIN, user="alicia"),
    "node": replace(AGAIN, origin=replace(AGAIN.origin, node="wiki")),
    "caller": replace(AGAIN, origin=replace(AGAIN.origin, caller="port-2")),
    "session": replace(AGAIN, origin=replace(AGAIN.origin, session="session-2")),
    "a session of the same name at another client": replace(AGAIN, origin=replace(AGAIN.origin, address="192.0.2.8")),
}


@pytest.mark.parametrize("other", DIFFERENT.values(), ids=DIFFERENT)
async def test_a_first_step_that_differs_is_separate_while_running_and_after(coalescer, other):
    logins = Logins(challenged("state-1"), challenged("state-2"))
    waiting = [asyncio.ensure_future(coalescer.run(request, WINDOW, logins)) for request in (REQUEST, other)]
    await turns()
    logins.gate.set()
    first, second = await asyncio.gather(*waiting)
    assert (first[0].state.text, second[0].state.text) == ("state-1", "state-2")
    assert (await coalescer.run(other, WINDOW, logins))[0] is second[0]
    assert logins.begun == 2


typed = st.one_of(st.none(), st.text(max_size=8), st.just("\0absent"))
requests = st.builds(
    lambda node, user, caller, password, passcode: LoginRequest(
        replace(ORIGIN, node=node, caller=caller),
        user,
        None if password is None else Secret(password),
        None if passcode is None else Secret(passcode),
    ),
    st.sampled_from(["vpn", "vpn1", "v"]),
    st.text(alphabet="ab?\ud800", max_size=3),
    st.text(alphabet="ab1", max_size=3),
    typed,
    typed,
)


def parts(request):
    secrets = [None if item is None else item.text for item in (request.password, request.passcode)]
    return (request.origin.node, request.user, request.origin.caller, *secrets)


@given(requests, requests)
def test_different_requests_never_have_the_same_key_however_their_parts_are_cut(one, other):
    coalescer = Coalescer(b"k" * 32, Watch())
    assert (coalescer.same(one) == coalescer.same(other)) == (parts(one) == parts(other))


def test_a_name_that_is_no_unicode_text_is_told_apart_and_is_no_error():
    keys = {Coalescer(b"k" * 32, Watch()).same(replace(REQUEST, user=name)) for name in ("\ud800", "\ud801", "?")}
    assert len(keys) == 3


async def test_upper_case_and_surrounding_space_in_the_login_name_make_no_second_login(coalescer):
    logins = opened(challenged())
    await coalescer.run(REQUEST, WINDOW, logins)
    await coalescer.run(replace(AGAIN, user=" ALICE "), WINDOW, logins)
    assert logins.begun == 1


@pytest.mark.parametrize("session", ["", "session-1"])
async def test_a_refusal_is_not_remembered(coalescer, session):
    logins = opened(REFUSED)
    for request in (REQUEST, AGAIN):
        await coalescer.run(replace(request, origin=replace(request.origin, session=session)), WINDOW, logins)
    assert logins.begun == 2, "a corrected password must not meet yesterday's refusal"


async def test_a_client_that_names_its_logins_hears_of_an_accept_again_for_ten_seconds(coalescer, watch):
    logins = opened(Accepted(), REFUSED)
    told = []
    for number in range(4):
        origin = replace(ORIGIN, correlation=f"{number}", authenticator=b"drawn for %d" % number)
        told.append(await coalescer.run(replace(REQUEST, origin=origin), WINDOW, logins))
        watch.now += ACCEPT_SECONDS / 3
    assert told == [(Accepted(), "0")] * 3 + [(REFUSED, "3")]


@pytest.mark.parametrize(("session", "seconds"), [("", WINDOW), ("session-1", 0)])
async def test_an_accept_is_told_again_to_nobody_else(coalescer, session, seconds):
    logins = opened(Accepted(), REFUSED)
    named = [replace(each, origin=replace(each.origin, session=session)) for each in (REQUEST, AGAIN)]
    told = [(await coalescer.run(each, seconds, logins))[0] for each in named]
    assert told == [Accepted(), REFUSED]


async def test_a_copy_of_a_request_is_told_of_no_accept_and_takes_it_from_nobody(coalescer):
    logins = Logins(Accepted())
    waiting = [asyncio.ensure_future(coalescer.run(each, WINDOW, logins)) for each in (REQUEST, COPY, AGAIN)]
    await turns()
    logins.gate.set()
    refused = (Refused(Reason.CHALLENGE_UNKNOWN), "first")
    assert await asyncio.gather(*waiting) == [(Accepted(), "first"), refused, (Accepted(), "first")]
    third = replace(AGAIN, origin=replace(AGAIN.origin, authenticator=b"drawn for the 3rd"))
    told = [await coalescer.run(each, WINDOW, logins) for each in (COPY, AGAIN, third, third)]
    assert told == [refused, refused, (Accepted(), "first"), refused]
    assert logins.begun == 1


async def test_while_a_login_runs_who_names_none_is_told_of_no_accept(coalescer):
    logins, unnamed = (
        Logins(Accepted()),
        [replace(each, origin=replace(each.origin, session="")) for each in (REQUEST, AGAIN)],
    )
    waiting = [asyncio.ensure_future(coalescer.run(each, WINDOW, logins)) for each in unnamed]
    await turns()
    logins.gate.set()
    assert [told for told, _ in await asyncio.gather(*waiting)] == [Accepted(), Refused(Reason.CHALLENGE_UNKNOWN)]


async def test_a_login_that_failed_is_not_remembered_and_everyone_who_waited_hears_of_it(coalescer):
    logins = Logins(RuntimeError("broken"), challenged())
    waiting = [asyncio.ensure_future(coalescer.run(REQUEST, WINDOW, logins)) for _ in range(2)]
    await turns()
    logins.gate.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(result) for result in results] == ["broken", "broken"]
    await coalescer.run(AGAIN, WINDOW, logins)
    assert logins.begun == 2


async def test_zero_seconds_make_every_first_step_a_login_of_its_own(coalescer):
    logins = Logins(challenged("state-1"), challenged("state-2"), challenged("state-3"))
    waiting = [asyncio.ensure_future(coalescer.run(REQUEST, 0, logins)) for _ in range(2)]
    await turns()
    logins.gate.set()
    await asyncio.gather(*waiting)
    await coalescer.run(REQUEST, 0, logins)
    assert logins.begun == 3
    assert coalescer._steps == {}


@pytest.mark.parametrize("seconds", [0, WINDOW])
async def test_a_waiter_who_goes_away_does_not_cancel_the_login(coalescer, seconds):
    logins = Logins(challenged())
    waiting = asyncio.ensure_future(coalescer.run(REQUEST, seconds, logins))
    await turns()
    waiting.cancel()
    await turns()
    assert waiting.cancelled()
    logins.gate.set()
    await turns()
    assert (logins.begun, logins.ended) == (1, 1)


async def test_a_second_waiter_keeps_waiting_when_the_first_one_goes_away(coalescer):
    logins = Logins(challenged())
    first = asyncio.ensure_future(coalescer.run(REQUEST, WINDOW, logins))
    await turns()
    second = asyncio.ensure_future(coalescer.run(AGAIN, WINDOW, logins))
    await turns()
    first.cancel()
    logins.gate.set()
    outcome, login = await second
    assert (outcome.state.text, login, logins.begun) == ("state-1", "first", 1)


async def test_the_first_waiter_keeps_waiting_when_the_second_one_goes_away(coalescer):
    logins = Logins(challenged())
    first = asyncio.ensure_future(coalescer.run(REQUEST, WINDOW, logins))
    await turns()
    second = asyncio.ensure_future(coalescer.run(AGAIN, WINDOW, logins))
    await turns()
    second.cancel()
    await turns()
    logins.gate.set()
    assert (await first)[0].state.text == "state-1"


@pytest.mark.parametrize(
    ("outcome", "later"), [(Accepted(), ACCEPT_SECONDS), (REFUSED, 0)], ids=["Accepted", "Refused"]
)
async def test_an_outcome_that_nobody_waited_for_is_never_handed_to_a_later_login(coalescer, watch, outcome, later):
    logins = Logins(outcome)
    waiting = asyncio.ensure_future(coalescer.run(REQUEST, WINDOW, logins))
    await turns()
    waiting.cancel()
    logins.gate.set()
    await turns()
    watch.now += later
    await coalescer.run(AGAIN, WINDOW, logins)
    assert logins.begun == 2, "an accept from before a change of password would open the door for ever"


async def test_a_challenge_that_nobody_waited_for_is_shared_for_the_window_only(coalescer, watch):
    logins = Logins(challenged())
    waiting = asyncio.ensure_future(coalescer.run(REQUEST, WINDOW, logins))
    await turns()
    waiting.cancel()
    logins.gate.set()
    await turns()
    await coalescer.run(AGAIN, WINDOW, logins)
    assert logins.begun == 1, "one text"
    watch.now += WINDOW
    await coalescer.run(AGAIN, WINDOW, logins)
    assert logins.begun == 2


async def test_an_edit_of_the_directory_ends_the_sharing_at_once(coalescer):
    logins = opened(challenged("state-1"), challenged("state-2"))
    await coalescer.run(REQUEST, WINDOW, logins, basis=("alice", "policy 1"))
    joined, _ = await coalescer.run(AGAIN, WINDOW, logins, basis=("alice", "policy 1"))
    assert joined.state.text == "state-1"
    later, _ = await coalescer.run(AGAIN, WINDOW, logins, basis=("alice", "policy 2"))
    assert later.state.text == "state-2"


@pytest.mark.parametrize("outcome", [challenged("before"), REFUSED], ids=lambda item: type(item).__name__)
async def test_a_login_from_before_an_edit_does_not_displace_the_one_from_after_it(coalescer, outcome):
    before, after = Logins(outcome), opened(challenged("after"))
    waiting = asyncio.ensure_future(coalescer.run(REQUEST, WINDOW, before, basis=1))
    await turns()
    await coalescer.run(AGAIN, WINDOW, after, basis=2)
    before.gate.set()
    await waiting
    coalescer.answered(state_key(Secret("before")))
    joined, _ = await coalescer.run(AGAIN, WINDOW, after, basis=2)
    assert (joined.state.text, after.begun) == ("after", 1)


async def test_what_is_over_is_forgotten(coalescer, watch, monkeypatch):
    monkeypatch.setattr("auth.coalesce._SWEPT_FROM", 10)
    coalescer._swept_at = 10
    for number in range(500):
        logins = opened(challenged(f"state-{number}"))
        await coalescer.run(replace(REQUEST, user=f"user-{number}"), WINDOW, logins)
        watch.now += 1
        assert len(coalescer._by_state) <= len(coalescer._steps) <= 2 * WINDOW + 2


async def test_a_person_who_never_answers_leaves_one_challenge_behind_not_many(coalescer, watch):
    for number in range(50):
        await coalescer.run(REQUEST, WINDOW, opened(challenged(f"state-{number}")))
        watch.now += WINDOW
    assert (len(coalescer._steps), len(coalescer._by_state)) == (1, 1)


async def test_a_flood_of_challenges_is_bounded_and_running_logins_stay(coalescer, monkeypatch):
    monkeypatch.setattr("auth.coalesce._SWEPT_FROM", 10)
    monkeypatch.setattr("auth.coalesce._LARGEST", 50)
    coalescer._swept_at = 10
    running = Logins(challenged("running"))
    waiting = asyncio.ensure_future(coalescer.run(REQUEST, WINDOW, running))
    await turns()
    for number in range(500):
        await coalescer.run(replace(REQUEST, user=f"user-{number}"), WINDOW, opened(challenged(f"state-{number}")))
        assert len(coalescer._steps) <= 101
    joined = asyncio.ensure_future(coalescer.run(AGAIN, WINDOW, running))
    await turns()
    running.gate.set()
    assert (await joined)[0] is (await waiting)[0]


async def test_neither_password_nor_state_is_shown_by_the_repr_or_kept_in_clear(coalescer):
    await coalescer.run(REQUEST, WINDOW, opened(challenged("state-1")))
    assert "kkkk" not in repr(coalescer)
    assert "correct horse" not in repr(coalescer._steps) + repr(coalescer._by_state)
    assert b"state-1" not in b"".join(coalescer._by_state)
