"""Codes shown as responses: right by the same rules as codes that were typed, and as often, which is once."""

import contextlib
import hashlib

import pytest

from auth.chap.ms_chap import challenge_response, nt_password_hash
from auth.chap.response import ChapResponse, MsChap2Response, MsChapResponse
from auth.code_check import CodeCheck
from auth.embedded_state import EmbeddedStore
from auth.facts import CodeVerdict, Question
from auth.judges.base import Asked
from auth.judges.minted import MintedJudge
from auth.judges.response import ResponseJudge
from auth.judges.software import SoftwareJudge
from auth.state import Challenge
from auth.turn import Turns
from core.logins import NOW, person, policy
from judges.software_world import HOTP, TOTP, World, token
from judges.software_world import NOW as SOFTWARE_NOW
from judges.test_minted import CODE, OTHER_PHONE, PHONE
from schema.secret import Secret
from schema.words import SendMode, TokenKind

RIGHT, WRONG, AGAIN = CodeVerdict.RIGHT, CodeVerdict.WRONG, CodeVerdict.RESYNCHRONISE
ID, EIGHT = b"i" * 16, b"8 octets"


def chap(code):
    return ChapResponse(3, EIGHT, hashlib.md5(b"\3" + code.octets + EIGHT, usedforsecurity=False).digest())


def ms_chap(code):
    return MsChapResponse(3, EIGHT, challenge_response(EIGHT, nt_password_hash(code.text)))


def ms_chap2(code):
    return MsChap2Response(3, EIGHT, challenge_response(EIGHT, nt_password_hash(code.text)))


each = pytest.mark.parametrize("shown_as", [chap, ms_chap, ms_chap2])


@pytest.fixture
def minted(tmp_path):
    with contextlib.closing(EmbeddedStore(tmp_path / "state.sqlite", "boot-1", Turns())) as store:
        yield MintedJudge(store, b"k" * 32, lambda most: most - 1)


def challenge(minted, code, *, sealed=True, token=PHONE, identity=ID):
    return Challenge(
        *(ID, person().id, "vpn", 0, Question.SMS, b"digest", NOW, 3, "c"),
        sealed=minted.seal(identity, token, code) if sealed else None,
    )


def asked(opened, token=PHONE):
    return Asked(person(), policy(sms_mode=SendMode.ON_LOGON), token, opened)


@each
async def test_a_code_that_we_have_sent_is_known_by_its_response(minted, shown_as):
    opened = challenge(minted, CODE)
    found = await minted.compare(asked(opened), shown_as(CODE), NOW)
    assert (found.verdict, found.proven.text) == (RIGHT, CODE.text)
    wrong = await minted.compare(asked(opened), shown_as(Secret("481517")), NOW)
    assert (wrong.verdict, wrong.proven) == (WRONG, None)


async def test_it_is_not_where_it_was_not_sealed_or_for_another_challenge_phone_or_server(minted):
    elsewhere = MintedJudge(minted.store, b"K" * 32, int)
    for opened, at, judge in (
        (challenge(minted, CODE, sealed=False), PHONE, minted),
        (challenge(minted, CODE, identity=b"j" * 16), PHONE, minted),
        (challenge(minted, CODE), OTHER_PHONE, minted),
        (challenge(minted, CODE), PHONE, elsewhere),
        (None, PHONE, minted),
    ):
        assert (await judge.compare(asked(opened, at), chap(CODE), NOW)).verdict is WRONG


def test_a_sealed_code_cannot_be_read_in_the_state_and_two_are_never_alike(minted):
    sealed = [minted.seal(identity, PHONE, CODE) for identity in (ID, b"j" * 16)]
    assert sealed[0] != sealed[1]
    assert all(CODE.octets not in octets for octets in sealed)


@each
@pytest.mark.parametrize("kind", [TOTP, HOTP])
async def test_a_software_tokens_code_is_right_in_its_window_and_once(tmp_path, kind, shown_as):
    alice = World(tmp_path, token(kind))
    judge, where = SoftwareJudge(alice.store, alice.ring), alice.step() if kind is TOTP else 0
    code = alice.code(where)
    found = [await judge.compare(alice.asked(), shown_as(code), SOFTWARE_NOW) for _ in range(2)]
    assert [each.verdict for each in found] == [RIGHT, WRONG]
    assert (found[0].proven.text, found[1].proven) == (code.text, None)
    typed_after = await judge.check(alice.asked(), code, SOFTWARE_NOW)
    assert typed_after.proven is None
    assert typed_after.verdict is WRONG, "nor is it right when it is typed after it was shown"


async def test_a_token_that_went_astray_is_found_by_two_responses_in_a_row(tmp_path):
    alice = World(tmp_path, token(HOTP))
    judge = SoftwareJudge(alice.store, alice.ring)
    first = await judge.compare(alice.asked(), chap(alice.code(20)), SOFTWARE_NOW)
    assert (first.verdict, first.proven) == (AGAIN, None)
    second = await judge.compare(alice.asked(first.held), chap(alice.code(21)), SOFTWARE_NOW)
    assert (second.verdict, second.proven.text) == (RIGHT, alice.code(21).text)


async def test_what_nobody_can_compare_is_never_right(minted):
    check = CodeCheck(minted.store, {TokenKind.SMS: minted}, ResponseJudge(minted.store, lambda: None))
    found = await check.compared(asked(challenge(minted, CODE)), chap(CODE), NOW)
    assert found.verdict is CodeVerdict.MISCONFIGURED
