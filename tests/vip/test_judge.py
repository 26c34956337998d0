"""A credential that has drifted: its code is held, sealed and for one person, until the next one is typed."""

import contextlib
from datetime import timedelta

import pytest
from msgspec.structs import replace

from auth.clock import SYSTEM_ENTROPY
from auth.embedded_state import EmbeddedStore
from auth.facts import CodeVerdict
from auth.judges.base import Asked
from auth.judges.vip import NoVip, VipJudge
from auth.state import Challenge
from auth.tokens import Usable
from auth.turn import Turns
from auth.vip.faults import VipUnavailable
from auth.vip.reasons import look_up
from auth.vip.verdict import Verdict
from core.logins import NOW, person, policy
from schema.errors import Fault
from schema.secret import Secret
from schema.words import TokenKind

KEY = b"k" * 32
FIRST, SECOND = Secret("314159"), Secret("271828")
TOKEN = Usable(TokenKind.VIP, credentials=("VSST12345678",))


class Service:
    """Answers the first question and the one about two codes as it is told, and remembers what it was asked."""

    def __init__(self, second="0000", first="4923"):
        self.answers = {1: first, 2: second}
        self.asked = []

    async def validate(self, credentials, code):
        return self._say(credentials, code)

    async def resynchronise(self, credentials, code1, code2):
        return self._say(credentials, code1, code2)

    def _say(self, credentials, *codes):
        self.asked.append([code.text for code in codes])
        self.credentials = credentials
        code = self.answers[len(codes)]
        return Verdict(look_up(code).kind, code, None, f"about {codes[0].text}")


_STORES = []


@pytest.fixture(autouse=True)
def store(tmp_path):
    with contextlib.closing(EmbeddedStore(tmp_path / "state.sqlite", "this boot", Turns())) as opened:
        _STORES.append(opened)
        yield
        _STORES.pop()


def judge(service, key=KEY):
    return VipJudge(_STORES[-1], service, key, SYSTEM_ENTROPY.octets)


def asked(held=None, who=None, token=TOKEN):
    challenge = Challenge(b"c" * 16, person().id, "vpn", 1, "vip", None, NOW + timedelta(minutes=5), 3, "x", held=held)
    return Asked(who or person(), policy(), token, challenge)


async def held_by(service):
    checked = await judge(service).check(asked(), FIRST, NOW)
    assert checked.verdict is CodeVerdict.RESYNCHRONISE
    assert checked.violation is False
    return checked.held


async def test_vip_judges_both_codes_together_and_the_second_opens():
    service = Service()
    held = await held_by(service)
    checked = await judge(service).check(asked(held), SECOND, NOW)
    assert (checked.verdict, checked.held) == (CodeVerdict.RIGHT, None)
    assert service.asked == [["314159"], ["314159", "271828"]]
    assert checked.detail == f"0000 {look_up('0000').meaning}"


@pytest.mark.parametrize("drifted", [False, True])
async def test_vip_is_asked_about_the_credentials_that_are_assigned(drifted):
    two = replace(TOKEN, credentials=("VSST1", "VSST2"))
    service = Service()
    first = await judge(service).check(asked(token=two), FIRST, NOW)
    if drifted:
        service.credentials = None
        await judge(service).check(asked(first.held, token=two), SECOND, NOW)
    assert service.credentials == ("VSST1", "VSST2")


@pytest.mark.parametrize(
    ("code", "verdict", "told"),
    [
        ("0000", CodeVerdict.RIGHT, None),
        ("49B5", CodeVerdict.WRONG, None),
        ("4879", CodeVerdict.UNAVAILABLE, ("WARNING", "VIP could not judge a code: ")),
        ("4994", CodeVerdict.MISCONFIGURED, ("ERROR", "VIP refuses us: ")),
    ],
)
async def test_only_what_is_nobodys_typing_is_logged_and_always_told_to_the_audit(code, verdict, told, caplog):
    checked = await judge(Service(first=code)).check(asked(), FIRST, NOW)
    detail = f"{code} {look_up(code).meaning}"
    assert (checked.verdict, checked.detail) == (verdict, detail)
    logged = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert logged == ([(told[0], told[1] + detail)] if told else [])


async def test_a_code_with_the_first_step_is_held_as_well():
    checked = await judge(Service()).check(replace(asked(), challenge=None), FIRST, NOW)
    service = Service()
    assert (await judge(service).check(asked(checked.held), SECOND, NOW)).verdict is CodeVerdict.RIGHT


async def test_what_is_held_shows_no_code_and_is_never_the_same_twice():
    first, again = await held_by(Service()), await held_by(Service())
    assert first != again
    assert FIRST.octets not in first


@pytest.mark.parametrize("second", ["49B5", "4923"])
async def test_a_second_code_that_does_not_follow_is_a_violation_and_nothing_is_held_any_more(second):
    checked = await judge(Service(second)).check(asked(await held_by(Service())), SECOND, NOW)
    assert (checked.verdict, checked.violation, checked.held) == (CodeVerdict.WRONG, True, None)


@pytest.mark.parametrize(
    ("second", "verdict"), [("4879", CodeVerdict.UNAVAILABLE), ("4994", CodeVerdict.MISCONFIGURED)]
)
async def test_what_is_not_the_persons_fault_is_not_theirs_at_the_second_code_either(second, verdict):
    checked = await judge(Service(second)).check(asked(await held_by(Service())), SECOND, NOW)
    assert (checked.verdict, checked.held) == (verdict, None)


async def test_neither_code_is_in_the_detail():
    """Not even codes with letters, which do not look like codes in VIP's words."""
    first, second = Secret("abc12x"), Secret("def34y")
    held = (await judge(Service()).check(asked(), first, NOW)).held
    checked = await judge(Service("49B5")).check(asked(held), second, NOW)
    assert checked.detail == f"49B5 {look_up('49B5').meaning}"


OTHERS = {
    "another person": {"who": replace(person(), id=b"another person's")},
    "another credential": {"token": replace(TOKEN, credentials=("VSST87654321",))},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
async def test_what_is_held_for_one_is_nothing_for_another(other, caplog):
    service = Service(first="49B5")
    checked = await judge(service).check(asked(await held_by(Service()), **other), SECOND, NOW)
    assert (checked.verdict, service.asked) == (CodeVerdict.WRONG, [["271828"]])
    again = "a code that was held for the next one cannot be read again, so that one alone is judged"
    assert caplog.messages == [again]


@pytest.mark.parametrize(
    "damage", [lambda held: held[:-1] + bytes([held[-1] ^ 1]), lambda held: held[:5], lambda _: b""]
)
async def test_damaged_octets_and_those_of_another_key_are_nothing(damage):
    held = await held_by(Service())
    for service, key, octets in ((Service(first="49B5"), KEY, damage(held)), (Service(first="49B5"), b"o" * 32, held)):
        assert (await judge(service, key).check(asked(octets), SECOND, NOW)).verdict is CodeVerdict.WRONG
        assert service.asked == [["271828"]]


@pytest.mark.parametrize(
    ("fault", "verdict", "logged"),
    [
        (
            Fault("VIP is not configured", remedy="configure it"),
            CodeVerdict.MISCONFIGURED,
            "VIP is misconfigured: VIP is not configured (configure it)",
        ),
        (
            VipUnavailable("no answer", remedy="wait"),
            CodeVerdict.UNAVAILABLE,
            "VIP could not be asked: no answer (wait)",
        ),
    ],
)
async def test_without_vip_everybody_is_told_why_and_nobody_is_blamed(fault, verdict, logged, caplog):
    nobody = NoVip(fault)
    held = await held_by(Service())
    for question in (asked(), asked(held)):
        caplog.clear()
        checked = await judge(nobody).check(question, FIRST, NOW)
        assert (checked.verdict, checked.detail) == (verdict, fault.problem)
        assert caplog.messages == [logged]
    with pytest.raises(Fault):
        await nobody.send(TOKEN.credentials)


async def test_a_code_that_vip_called_drifted_is_good_for_nothing_by_itself_when_its_time_has_come():
    """Who guesses is told when a guess is a code of the time to come, and could wait for it."""
    service = Service()
    await held_by(service)
    service.answers[1] = "0000"
    later = NOW + timedelta(minutes=20)
    assert (await judge(service).check(asked(), FIRST, later)).verdict is CodeVerdict.WRONG
    assert (await judge(service).check(asked(), SECOND, later)).verdict is CodeVerdict.RIGHT
