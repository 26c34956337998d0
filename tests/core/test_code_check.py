"""A code is counted, then judged by whoever can tell; what VIP says of it, and when it is the person's fault."""

import contextlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.code_check import CodeCheck
from auth.embedded_state import EmbeddedStore, StateFile
from auth.facts import CodeVerdict
from auth.judges.base import Asked, Checked
from auth.judges.response import ResponseJudge
from auth.judges.vip import VipJudge
from auth.state import StateUnavailable
from auth.tokens import Usable
from auth.turn import Turns
from auth.vip.client import Verdict
from auth.vip.reasons import look_up
from core.logins import NOW, person, policy
from plain_store import in_turn
from schema.errors import Fault
from schema.secret import Secret
from schema.words import TokenKind

TYPED = Secret("Ab3456 7890")
STRICT, EARLIER = policy(logon_attempts=2, violation_limit=1, lock_minutes=30), NOW - timedelta(hours=1)
TOKEN = Usable(TokenKind.VIP, credentials=("VSST12345678",))
WHOSE_FAULT = {
    "49B5": (CodeVerdict.WRONG, 1),
    "4923": (CodeVerdict.RESYNCHRONISE, 0),  # the device has drifted
    "4993": (CodeVerdict.MISCONFIGURED, 0),
    "4879": (CodeVerdict.UNAVAILABLE, 0),
}
"""Reason code -> what comes of it, and how many failures are counted."""


class Judge:
    """Answers every question alike."""

    def __init__(self, code, words=""):
        self.verdict = Verdict(look_up(code).kind, code, None, words)

    async def validate(self, _credentials, _code):
        return self.verdict


@pytest.fixture
def store(tmp_path):
    with contextlib.closing(EmbeddedStore(tmp_path / "state.sqlite", "this boot", Turns())) as opened:
        yield opened


async def checked(store, judge, typed=TYPED):
    vip = VipJudge(store, judge, b"k" * 32, lambda number: b"n" * number)
    check = CodeCheck(store, {TokenKind.VIP: vip}, ResponseJudge(store, lambda: None))
    asked = Asked(person(), policy(), TOKEN, None)
    return await check.counted(asked.person, asked.policy, lambda _: check.judged(asked, typed, NOW), NOW)


@pytest.mark.parametrize("code", WHOSE_FAULT)
async def test_only_a_code_that_was_wrong_is_a_violation(store, code):
    verdict, failures = WHOSE_FAULT[code]
    assert (await checked(store, Judge(code))).verdict is verdict
    assert len(in_turn(store).failures(person().id)) == failures


@pytest.mark.parametrize("code", WHOSE_FAULT)
@pytest.mark.parametrize(
    "words",
    [
        "code Ab3456 7890 is not valid",
        "code ab34567890 is not valid",
        "Ab3-456-7890",
        "expected 314159",
        "expected 314 159",
    ],
)
async def test_words_that_show_a_code_are_replaced_by_our_own(store, caplog, code, words):
    detail = (await checked(store, Judge(code, words))).detail
    assert detail == f"{code} {look_up(code).meaning}"
    assert words not in caplog.text


async def test_other_words_of_vip_are_kept_with_its_reason_code(store):
    words = "Failed with an invalid OTP, 12345 times"
    assert (await checked(store, Judge("49B5", words))).detail == f"49B5 {words}"


@given(st.from_regex(r"[0-9A-Za-z]{6,10}", fullmatch=True), st.text(max_size=10), st.text(max_size=10))
async def test_what_was_typed_is_never_in_the_detail(typed, before, after):
    judge = VipJudge(None, Judge("49B5", f"{before}{typed}{after}"), b"k" * 32, bytes)
    found = await judge.check(Asked(person(), policy(), TOKEN, None), Secret(typed), NOW)
    assert found.detail == f"49B5 {look_up('49B5').meaning}"


async def test_what_only_an_operator_can_mend_is_no_violation_and_keeps_the_door_shut(store, caplog):
    async def judged(_narrow):
        raise Fault("there is no key ring", remedy="copy it")

    found = await counting(store).counted(person(), policy(), judged, NOW)
    assert (found.verdict, found.detail) == (CodeVerdict.MISCONFIGURED, "there is no key ring")
    assert not in_turn(store).failures(person().id)
    assert caplog.messages == [f"what {person().dn} typed cannot be judged: there is no key ring (copy it)"]


async def test_what_the_state_store_could_not_remember_stays_counted_and_is_no_verdict(store):
    async def judged(_narrow):
        raise StateUnavailable("the disk is full", remedy="make room")

    with pytest.raises(StateUnavailable):
        await counting(store).counted(person(), policy(), judged, NOW)
    assert len(in_turn(store).failures(person().id)) == 1


# counting


def counting(store, *, temporary=None, **kinds):
    """A check whose judges are these, and whose comparers are the same."""
    judges = {TokenKind(kind): judge for kind, judge in kinds.items()}
    return CodeCheck(store, judges, temporary or ResponseJudge(store, lambda: None), judges)


async def tried(store, checked, somebody=None, at=NOW, settings=STRICT):
    """What comes of an attempt that is judged so, and whether anybody was asked to judge it."""
    asked = []

    async def judged(_narrow):
        asked.append(at)
        return checked

    found = await counting(store).counted(somebody or person(), settings, judged, at)
    return found, bool(asked)


@pytest.mark.parametrize("verdict", CodeVerdict)
@pytest.mark.parametrize("violation", [True, False])
async def test_an_attempt_stays_counted_only_when_it_was_wrong_and_the_persons_fault(store, verdict, violation):
    in_turn(store).strike(person().id, EARLIER)
    found, asked = await tried(store, Checked(verdict, violation=violation))
    assert (found, asked) == (Checked(verdict, violation=violation), True)
    counts = verdict is CodeVerdict.WRONG and violation
    assert in_turn(store).failures(person().id) == ((EARLIER, NOW) if counts else (EARLIER,))


async def test_while_the_lock_holds_nothing_is_compared_nor_counted(store):
    for _ in range(2):
        assert await tried(store, Checked(CodeVerdict.WRONG)) == (Checked(CodeVerdict.WRONG), True)
    for minutes in (0, 1, 29):
        later = NOW + timedelta(minutes=minutes)
        assert await tried(store, Checked(CodeVerdict.RIGHT), at=later) == (Checked(CodeVerdict.LOCKED), False)
        assert in_turn(store).failures(person().id) == (NOW, NOW)
    found, asked = await tried(store, Checked(CodeVerdict.RIGHT), at=NOW + timedelta(minutes=30))
    assert (found.verdict, asked) == (CodeVerdict.RIGHT, True)


async def test_the_lock_of_one_is_nobody_elses(store):
    for _ in range(2):
        await tried(store, Checked(CodeVerdict.WRONG))
    found, asked = await tried(store, Checked(CodeVerdict.RIGHT), person(name="bob"))
    assert (found.verdict, asked) == (CodeVerdict.RIGHT, True)


@pytest.mark.parametrize(("seconds", "opens"), [(-1, False), (0, True), (60, True), (61, False), (3600, False)])
async def test_a_helpdesk_opens_the_lock_by_an_instant_that_has_come(store, seconds, opens):
    for _ in range(2):
        await tried(store, Checked(CodeVerdict.WRONG))
    unlocked = person(unlocked_at=NOW + timedelta(seconds=seconds))
    found, asked = await tried(store, Checked(CodeVerdict.RIGHT), unlocked, NOW + timedelta(seconds=60))
    assert (found.verdict, asked) == ((CodeVerdict.RIGHT if opens else CodeVerdict.LOCKED), opens)


# who is asked


class Told:
    """Says the same to everybody, and remembers what it was asked."""

    def __init__(self, verdict):
        self.checked = Checked(verdict, f"told {verdict}")
        self.asked = []

    async def check(self, *question):
        self.asked.append(question)
        return self.checked

    compare = check


def about(kind, somebody=None, **settings):
    return Asked(somebody or person(), policy(**settings), Usable(kind), None)


@pytest.mark.parametrize("kind", TokenKind)
async def test_the_judge_of_the_tokens_own_kind_is_asked_and_no_other(store, kind):
    judges = {each.value: Told(CodeVerdict.RIGHT) for each in TokenKind}
    check, question = counting(store, **judges), (about(kind), TYPED, NOW)
    assert await check.judged(*question) is judges[kind].checked
    assert await check.compared(*question) is judges[kind].checked
    assert {each: judge.asked for each, judge in judges.items() if judge.asked} == {kind.value: [question] * 2}


@pytest.mark.parametrize("kind", TokenKind)
async def test_a_kind_that_nobody_knows_has_no_right_code(store, kind):
    check = counting(store)
    assert await check.judged(about(kind), TYPED, NOW) == Checked(
        CodeVerdict.MISCONFIGURED, f"nobody can judge the codes of {kind} tokens"
    )
    assert await check.compared(about(kind), TYPED, NOW) == Checked(
        CodeVerdict.MISCONFIGURED, f"codes of {kind} tokens cannot be compared"
    )


@pytest.mark.parametrize("verdict", CodeVerdict)
async def test_a_temporary_response_stands_for_any_code_when_it_is_right_and_else_the_token_decides(store, verdict):
    temporary, token = Told(verdict), Told(CodeVerdict.WRONG)
    check = counting(store, temporary=temporary, sms=token)
    somebody = person(temporary_response="a digest")
    question = (about(TokenKind.SMS, somebody, temporary_response_allowed=True), TYPED, NOW)
    right = verdict is CodeVerdict.RIGHT
    assert await check.judged(*question) is (temporary.checked if right else token.checked)
    assert (temporary.asked, token.asked) == ([question], [] if right else [question])


@pytest.mark.parametrize(("held", "allowed"), [(None, True), ("a digest", False), (None, False)])
async def test_none_is_looked_for_where_none_is_set_or_allowed(store, held, allowed):
    temporary, token = Told(CodeVerdict.RIGHT), Told(CodeVerdict.WRONG)
    somebody = person(temporary_response=held)
    question = about(TokenKind.SMS, somebody, temporary_response_allowed=allowed)
    assert await counting(store, temporary=temporary, sms=token).judged(question, TYPED, NOW) is token.checked
    assert temporary.asked == []


async def test_another_process_can_see_an_attempt_before_vip_is_asked(store, tmp_path):
    class Looks:
        async def check(self, *_):
            self.seen = StateFile(tmp_path / "state.sqlite").failures(person().id)
            return Checked(CodeVerdict.RIGHT)

    vip, question = Looks(), about(TokenKind.VIP)
    check = counting(store, vip=vip)
    await check.counted(question.person, question.policy, lambda _: check.judged(question, TYPED, NOW), NOW)
    assert vip.seen == (NOW,)
    assert in_turn(store).failures(person().id) == ()
