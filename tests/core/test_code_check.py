"""VIP's word on a code: what of it is recorded, and when a wrong code is the person's fault."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.code_check import CodeCheck
from auth.embedded_state import EmbeddedStore
from auth.facts import CodeVerdict
from auth.judges.base import Asked
from auth.judges.response import ResponseJudge
from auth.judges.vip import VipJudge
from auth.state import StateUnavailable
from auth.tokens import Usable
from auth.vip.client import Verdict
from auth.vip.reasons import look_up
from core.logins import NOW, person, policy
from schema.errors import Fault
from schema.secret import Secret
from schema.words import TokenKind

TYPED = Secret("Ab3456 7890")
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
    with contextlib.closing(EmbeddedStore(tmp_path / "state.sqlite", "this boot")) as opened:
        yield opened


async def checked(store, judge, typed=TYPED):
    vip = VipJudge(judge, b"k" * 32, lambda number: b"n" * number)
    check = CodeCheck(store, {TokenKind.VIP: vip}, ResponseJudge(store, lambda: None))
    asked = Asked(person(), policy(), TOKEN, None)
    return await check.counted(asked.person, asked.policy, lambda: check.judged(asked, typed, NOW), NOW)


@pytest.mark.parametrize("code", WHOSE_FAULT)
async def test_only_a_code_that_was_wrong_is_a_violation(store, code):
    verdict, failures = WHOSE_FAULT[code]
    assert (await checked(store, Judge(code))).verdict is verdict
    assert len(store.failures(person().id)) == failures


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
    judge = VipJudge(Judge("49B5", f"{before}{typed}{after}"), b"k" * 32, bytes)
    found = await judge.check(Asked(person(), policy(), TOKEN, None), Secret(typed), NOW)
    assert found.detail == f"49B5 {look_up('49B5').meaning}"


async def test_what_only_an_operator_can_mend_is_no_violation_and_keeps_the_door_shut(store):
    async def judged():
        raise Fault("there is no key ring", remedy="copy it")

    check = CodeCheck(store, {}, ResponseJudge(store, lambda: None))
    found = await check.counted(person(), policy(), judged, NOW)
    assert (found.verdict, found.detail) == (CodeVerdict.MISCONFIGURED, "there is no key ring")
    assert not store.failures(person().id)


async def test_what_the_state_store_could_not_remember_stays_counted_and_is_no_verdict(store):
    async def judged():
        raise StateUnavailable("the disk is full", remedy="make room")

    check = CodeCheck(store, {}, ResponseJudge(store, lambda: None))
    with pytest.raises(StateUnavailable):
        await check.counted(person(), policy(), judged, NOW)
    assert len(store.failures(person().id)) == 1
