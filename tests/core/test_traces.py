"""What a decision tells of how it came about, word for word: people read it in explain and in the audit."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from auth.decision import decide
from auth.facts import CodeVerdict, Evidence, Field, Question, Typed, Waiting, typed
from core.dialogue import RADIUS
from core.logins import BAD, BASE, NOW, entry_id, facts, governed, link, membership, node, person, policy
from dirsync.password import PasswordVerdict
from dirsync.view import Freshness
from schema.secret import Secret
from schema.words import KeywordKind, LoginMode, Method, SendMode, TokenKind

ALICE = f"cn=alice,ou=staff,{BASE}"
VIA = [membership("team", path=("leads",))]
STAFF = link(policy())
ADMITTED = (("access node", "vpn"), ("user", ALICE))
GOVERNED = (*ADMITTED, ("member of the node", "yes"), ("effective policy", f"cn=staff,{BASE}"))
USABLE = (*GOVERNED, ("account", "usable; directory data is 5 s old"))

SITUATIONS = {
    "no node": (replace(facts(), node=None), (("access node", "unknown"),)),
    "a node that is switched off": (
        facts(at=node(node_enabled=False)),
        (("access node", "vpn cannot be used: disabled (dirfactorNodeEnabled)"),),
    ),
    "a node that cannot be read": (
        facts(at=node(malformed=(BAD, BAD))),
        (("access node", f"vpn cannot be used: {BAD}; {BAD}"),),
    ),
    "nobody": (replace(facts(), found=()), (ADMITTED[0], ("user", "not found"))),
    "two people": (
        replace(facts(), found=(person(), person(name="bob"))),
        (ADMITTED[0], ("user", f"2 found: {ALICE}, cn=bob,ou=staff,{BASE}")),
    ),
    "an outsider": (facts(at=node(frozenset())), (*ADMITTED, ("member of the node", "no"))),
    "a member through a group": (
        facts(person(STAFF, VIA), node(frozenset({entry_id("team")}))),
        (*ADMITTED, ("member of the node", f"yes, through cn=leads,{BASE} -> cn=team,{BASE}")),
    ),
    "a policy that is gone": (
        facts(person(link(None))),
        (*GOVERNED[:3], ("effective policy", f"none: missing object {entry_id('missing').hex()}")),
    ),
    "old data": (
        replace(facts(), freshness=Freshness(7, NOW - timedelta(days=9))),
        (*GOVERNED, ("account", "the directory data is older than the policy allows, or was never read")),
    ),
    "a user who cannot be read": (
        facts(person(STAFF, malformed=(BAD,))),
        (*GOVERNED, ("account", "the user's entry has a malformed value"), ("malformed value", f"{ALICE}: {BAD}")),
    ),
    "nothing demanded": (
        governed(policy(first_method=Method.NONE, second_method=Method.NONE)),
        (*USABLE, ("methods", "the policy demands nothing here, which is not accepted")),
    ),
    "a method twice": (
        governed(policy(second_method=Method.PASSWORD)),
        (*USABLE, ("methods", "the policy demands password twice, which one login cannot show")),
    ),
    "methods that do not fit an append node": (
        governed(policy(second_method=Method.PIN), LoginMode.APPEND),
        (*USABLE, ("methods", "password and pin cannot stand in the one field of this node (append)")),
    ),
    "a PIN where all is in one field": (
        governed(policy(first_method=Method.PASSWORD_THEN_TOKEN, second_method=Method.NONE, pin_with_token=True)),
        (*USABLE, ("methods", "a PIN cannot stand in one field with password and code (dirfactorPinWithToken)")),
    ),
    "a PIN that is not there": (
        governed(policy(pin_with_token=True)),
        (*USABLE, ("PIN", "the policy wants one, and the user has none")),
    ),
    "a password": (governed(policy()), (*USABLE, ("password", "to be checked by the directory"))),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_trace_says_what_was_looked_at_and_found(situation):
    known, wanted = SITUATIONS[situation]
    told = [(finding.check, finding.found) for finding in decide(known, RADIUS, NOW).trace]
    assert told[: len(wanted)] == list(wanted)


def test_an_accept_names_the_methods_that_were_passed():
    passed = Evidence((Method.PASSWORD, Method.TOKEN), 1, code=CodeVerdict.RIGHT, token=TokenKind.SMS)
    trace = decide(governed(policy()), passed, NOW).trace
    assert (trace[-1].check, trace[-1].found) == ("methods", "all passed: password, token")


P_T = (Method.PASSWORD, Method.TOKEN)
CODE_ON_STOCK = replace(governed(policy(sms_mode=SendMode.AHEAD)), stock={TokenKind.SMS: 3})
BY_PIN = policy(sms_mode=SendMode.KEYWORD, sms_keyword_kind=KeywordKind.PIN)


def answered(text, question=Question.SMS, **shown):
    waiting = Waiting(question, 1, sent=True)
    asked = Evidence(P_T, 1, answer=Field.CODE, waiting=waiting, **shown)
    return asked.with_typed(Field.CODE, typed(Secret(text)))


def first_text(text):
    return Evidence(typed_password=typed(Secret(text)))


@pytest.mark.parametrize(
    ("known", "shown", "last"),
    [
        (governed(policy()), Evidence(typed_password=typed(Secret(""))), ("password", "empty")),
        (
            governed(policy(first_method=Method.PIN, second_method=Method.PASSWORD), pin="set"),
            Evidence((Method.PIN, Method.PASSWORD), 1),
            ("password", "to be asked for"),
        ),
        (governed(policy()), replace(RADIUS, methods=P_T, password=PasswordVerdict.WRONG), ("password", "wrong")),
        (governed(policy()), replace(RADIUS, methods=P_T, password=PasswordVerdict.RIGHT), ("send", "a code by sms")),
        (governed(policy()), Evidence(P_T, 1, send_limited=True), ("send", "5 codes in 15 minutes were sent already")),
        (CODE_ON_STOCK, Evidence(P_T, 1), ("stock", "3 codes of sms")),
        (governed(policy()), answered(""), ("code", "empty")),
        (governed(policy()), answered("513270"), ("code", "to be checked")),
        (governed(policy()), answered("5", code=CodeVerdict.WRONG), ("code", "of sms: wrong")),
        (
            governed(policy(pin_with_token=True), pin="set"),
            answered("5"),
            ("PIN", "to be checked, in front of the code"),
        ),
        (
            governed(BY_PIN, pin="set"),
            replace(answered("24"), waiting=Waiting(Question.SMS, 1)),
            ("keyword", "the pin is to be checked"),
        ),
        (
            governed(policy()),
            replace(answered("x"), keyword=TokenKind.SMS, token=TokenKind.SMS),
            ("send", "a code by sms"),
        ),
        (governed(policy(first_method=Method.PIN), pin="set"), first_text("24"), ("PIN", "to be checked")),
        (
            governed(policy(first_method=Method.PIN), pin="set"),
            Evidence(typed_password=Typed.ABSENT),
            ("PIN", "to be asked for"),
        ),
    ],
)
def test_the_last_line_of_the_trace_says_what_comes_next_and_why(known, shown, last):
    finding = decide(known, shown, NOW).trace[-1]
    assert (finding.check, finding.found) == last


def test_an_expired_password_that_passes_is_told():
    passes = replace(RADIUS, methods=P_T, password=PasswordVerdict.EXPIRED)
    trace = decide(governed(policy(allow_expired_password=True)), passes, NOW).trace
    assert [item.found for item in trace if item.check == "password"] == ["expired", "expired, which the policy allows"]
