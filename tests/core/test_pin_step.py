"""Each step of the method PIN, with what the decision tells of it: one row for each thing that can have been shown."""

import pytest
from msgspec.structs import replace

from auth.decision import decide
from auth.facts import CodeVerdict, Evidence, Field, PinShown, Question, Typed, Waiting, typed
from auth.reason import Reason
from auth.steps import Accept, AskNewPin, AskPin, CheckNewPin, CheckPin, KeepPin, Part, Refuse
from core.logins import NOW, governed, policy
from schema.secret import Secret
from schema.words import LoginMode, Method

PIN = (Method.PIN,)
ONLY_PIN = policy(first_method=Method.PIN, second_method=Method.NONE)
FIRST = Evidence(PIN, typed_password=Typed(4, 4, 4))
ANSWER = Evidence(PIN, typed_code=Typed(4, 4, 4), answer=Field.CODE, waiting=Waiting(Question.PIN, 0))
NEW = Evidence(PIN, typed_code=typed(Secret("97539753")), answer=Field.CODE, waiting=Waiting(Question.NEW_PIN, 0))
LAST = replace(NEW, waiting=Waiting(Question.NEW_PIN, 0, last_try=True))
BOTH = Evidence(PIN, typed_password=typed(Secret("246897539753")), pin=PinShown.CHANGED, pin_length=4)

ROWS = {
    "typed at first": (FIRST, CheckPin(Part(Field.PASSWORD)), "to be checked"),
    "typed as the answer": (ANSWER, CheckPin(Part(Field.CODE)), "to be checked"),
    "nothing typed at first": (replace(FIRST, typed_password=Typed.EMPTY), AskPin(), "to be asked for"),
    "no field at all": (Evidence(PIN), AskPin(), "to be asked for"),
    "an empty answer": (replace(ANSWER, typed_code=Typed.EMPTY), Refuse(Reason.CODE_EMPTY), "empty"),
    "wrong": (replace(ANSWER, code=CodeVerdict.WRONG), AskPin(Reason.PIN_WRONG_RETRY), "wrong"),
    "wrong once too often": (
        replace(ANSWER, code=CodeVerdict.EXHAUSTED),
        Refuse(Reason.ATTEMPTS_EXHAUSTED),
        "exhausted",
    ),
    "locked meanwhile": (replace(ANSWER, code=CodeVerdict.LOCKED), Refuse(Reason.VIOLATIONS_LOCKED), "locked"),
    "not to be judged": (
        replace(ANSWER, code=CodeVerdict.MISCONFIGURED),
        Refuse(Reason.TOKEN_UNREADABLE),
        "misconfigured",
    ),
    "expired": (replace(FIRST, pin=PinShown.EXPIRED), AskNewPin(Reason.PIN_EXPIRED), "expired"),
    "changed to what will not do": (replace(FIRST, pin=PinShown.UNFIT), AskNewPin(Reason.PIN_UNFIT), "unfit"),
    "changed": (BOTH, KeepPin(Part(Field.PASSWORD, 4, 8)), "changed"),
    "a new one typed": (NEW, CheckNewPin(Part(Field.CODE)), "the new one is to be checked"),
    "a new one that will do": (replace(NEW, pin=PinShown.CHANGED), KeepPin(Part(Field.CODE, 0, 4)), "changed"),
    "a new one that will not": (replace(NEW, pin=PinShown.UNFIT), AskNewPin(Reason.PIN_UNFIT), "unfit"),
    "a new one that will not, the last time": (
        replace(LAST, pin=PinShown.UNFIT),
        Refuse(Reason.PIN_UNFIT),
        "unfit",
    ),
}


def decided(evidence, mode=LoginMode.CHALLENGE):
    return decide(governed(ONLY_PIN, mode, pin="set"), evidence, NOW)


@pytest.mark.parametrize("row", ROWS)
def test_the_step_and_what_is_told_of_it(row):
    evidence, step, told = ROWS[row]
    found = decided(evidence)
    assert found.step == step
    assert (found.trace[-1].check, found.trace[-1].found) == ("PIN", told)


@pytest.mark.parametrize("evidence", [FIRST, ANSWER, NEW, LAST])
def test_a_right_pin_passes_the_method_whatever_brought_it(evidence):
    found = decided(replace(evidence, pin=PinShown.RIGHT))
    assert isinstance(found.step, Accept)
    assert ("PIN", "right") in [(item.check, item.found) for item in found.trace]


def test_an_empty_new_pin_refuses():
    assert decided(replace(NEW, typed_code=Typed.EMPTY)).step == Refuse(Reason.PIN_EXPIRED)


@pytest.mark.parametrize("shown", [PinShown.EXPIRED, PinShown.UNFIT])
@pytest.mark.parametrize("mode", [LoginMode.APPEND, LoginMode.REJECT_THEN_CODE])
def test_a_node_that_asks_nothing_refuses_where_a_new_pin_would_be_asked_for(shown, mode):
    reason = Reason.PIN_EXPIRED if shown is PinShown.EXPIRED else Reason.PIN_UNFIT
    assert decided(replace(FIRST, pin=shown), mode).step == Refuse(reason)


def test_a_question_of_another_stage_is_not_the_one_for_a_new_pin():
    two = policy(first_method=Method.PIN, second_method=Method.PASSWORD)
    methods = (Method.PIN, Method.PASSWORD)
    astray = replace(NEW, methods=methods, waiting=Waiting(Question.NEW_PIN, 1))
    found = decide(governed(two, pin="set"), astray, NOW)
    assert found.step == AskPin(), "what was typed is an answer to something else"


@pytest.mark.parametrize(
    ("methods", "field"),
    [
        ((Method.PASSWORD, Method.PIN), Field.CODE),
        ((Method.TOKEN, Method.PIN), Field.PASSWORD),
    ],
)
def test_where_the_client_has_a_field_for_codes_the_pin_stands_in_it_unless_that_is_the_tokens(methods, field):
    two = policy(first_method=methods[0], second_method=methods[1])
    both = Evidence(methods, 1, typed_password=Typed.GIVEN, typed_code=Typed.GIVEN)
    assert decide(governed(two, pin="set"), both, NOW).step == CheckPin(Part(field))


def test_a_pin_that_is_all_is_the_password_whatever_stands_in_the_field_for_codes():
    assert decided(replace(FIRST, typed_code=Typed.GIVEN)).step == CheckPin(Part(Field.PASSWORD))


def test_a_pin_in_front_of_another_method_leaves_it_the_field_for_codes():
    two = policy(first_method=Method.PIN, second_method=Method.PASSWORD)
    both = Evidence((Method.PIN, Method.PASSWORD), typed_password=Typed.GIVEN, typed_code=Typed.GIVEN)
    assert decide(governed(two, pin="set"), both, NOW).step == CheckPin(Part(Field.PASSWORD))
