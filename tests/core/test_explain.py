"""Explain promises no logon that config.ini cannot carry out: what it says is what a login would meet."""

import pytest

from auth.facts import Reach
from auth.why.explain import explain
from core.logins import NOW, REACH, facts, link, person, policy
from schema.words import TokenKind

SMS, EMAIL, VIP = TokenKind.SMS, TokenKind.EMAIL, TokenKind.VIP
LACKING = {
    SMS: (Reach(mail=REACH.mail, vip=True), {}, "config.ini has no [sms:...] section"),
    EMAIL: (Reach(sms=REACH.sms, vip=True), {}, "config.ini has no [email:...] section"),
    VIP: (Reach(REACH.sms, REACH.mail), {}, "config.ini has no [vip] section"),
    "an SMS gateway": (REACH, {"sms_gateways": ("gone",)}, "the policy names gateway gone, which config.ini"),
    "a mail server": (REACH, {"email_gateways": ("gone",)}, "the policy names gateway gone, which config.ini"),
}
KINDS = {"an SMS gateway": SMS, "a mail server": EMAIL}


@pytest.mark.parametrize("what", LACKING)
def test_whoever_has_only_a_token_that_cannot_be_reached_is_refused_and_the_trace_says_what_is_missing(what):
    reach, settings, why = LACKING[what]
    kind = KINDS.get(what, what)
    known = facts(person(link(policy(**settings)), tokens=(kind,)), reach=reach)
    explained = explain(known, NOW)
    assert explained.outcome == "refused: no-token"
    assert explained.remedy
    assert any(item.check == f"token {kind}" and item.found.startswith(why) for item in explained.trace)
    assert explain(facts(person(link(policy()), tokens=(kind,))), NOW).outcome == "accepted"


def test_the_next_token_that_can_be_reached_is_asked_for():
    explained = explain(facts(reach=Reach(mail=REACH.mail)), NOW)
    assert explained.outcome == "accepted"
    assert any("by email" in step for step in explained.steps)
