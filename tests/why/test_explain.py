"""Explain promises no logon that config.ini cannot carry out: what it says is what a login would meet."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from auth import steps
from auth.facts import Reach
from auth.guessing import MOST_WRONG
from auth.reason import Reason
from auth.why.explain import explain
from auth.why.report import as_data, reported
from auth.why.report_data import Looked
from auth.why.report_text import as_text
from core.dialogue import login
from core.logins import MAIL, NOW, PHONE, REACH, ancestor, entry_id, facts, link, membership, node, person, policy
from core.test_decision_laws import any_facts, at, instants
from dirsync.view import Freshness
from schema.grammar import ReplyRule
from schema.words import KeywordKind, LoginMode, Method, SendMode, TokenKind

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
    reach, asked, why = LACKING[what]
    kind = KINDS.get(what, what)
    known = facts(person(link(policy(**asked)), tokens=(kind,)), reach=reach)
    explained = explain(known, NOW)
    assert explained.outcome == "refused: no-token"
    assert explained.remedy
    assert any(item.check == f"token {kind}" and item.found.startswith(why) for item in explained.trace)
    assert explain(facts(person(link(policy()), tokens=(kind,))), NOW).outcome == "accepted"


def test_the_next_token_that_can_be_reached_is_asked_for():
    explained = explain(facts(reach=Reach(mail=REACH.mail)), NOW)
    assert explained.outcome == "accepted"
    assert any("by email" in step for step in explained.steps)


def outcome(course):
    return "accepted" if course.accepted else f"refused: {course.reason}"


@given(any_facts, instants)
@settings(max_examples=300)
def test_explain_ends_as_a_login_does_that_shows_everything_right(known, now):
    """The login is carried by a driver of its own, which performs one step after the other as the service does."""
    course, explained = login(known, now=now), explain(known, now)
    assert explained.outcome == outcome(course)
    assert replace(explained.decision, evidence=None) == replace(course.decided, evidence=None)
    assert bool(explained.remedy) is not course.accepted
    if course.accepted:
        rules = [(rule.name, rule.value) for rule in course.steps[-1].reply_rules]
        assert list(explained.reply_attributes) == rules
    else:
        assert explained.reply_attributes == ()


@given(any_facts, instants, st.integers(-8 * 24, 8 * 24))
@settings(max_examples=300)
def test_at_another_instant_it_ends_as_a_login_then_with_the_directory_as_it_is(known, now, hours):
    at = now + timedelta(hours=hours)
    as_of = known.freshness.as_of
    later = known if as_of is None else replace(known, freshness=Freshness(known.freshness.version, as_of + (at - now)))
    report = reported(known, now, at)
    assert report.explanation.outcome == outcome(login(later, now=at))
    assert report.asked_at == at
    assert reported(known, now).explanation == explain(known, now)


@given(any_facts, instants)
@settings(max_examples=200)
def test_what_the_answer_rests_on_is_what_was_decided_from(known, now):
    report = reported(known, now)
    explained, rests_on = report.explanation, report.grounds
    if explained.outcome == "accepted":
        assert [(item.name, item.value) for item in rests_on.replies] == list(explained.reply_attributes)
    for token in rests_on.tokens:
        found = [item.found for item in explained.trace if item.check == f"token {token.kind}"]
        if found:
            assert found[0].startswith("usable") is token.usable
            assert token.usable or found[0] == token.why
    if rests_on.standing is not None:
        where = rests_on.standing
        assert (rests_on.failures_to_lock is None) is (where.locked(now) or where.too_many)
        assert where.today == known.wrong_today
    assert as_text(report).plain.startswith(explained.outcome)
    assert msgspec.json.encode(as_data(report))


@given(any_facts, instants)
def test_no_number_is_shown_whole(known, now):
    report = reported(known, now)
    for shown in (as_text(report).plain, msgspec.json.encode(as_data(report)).decode()):
        for secret in (PHONE, PHONE[1:], "+447700900123", MAIL):
            assert secret not in shown


def of_pin(settings, mode=LoginMode.CHALLENGE, days=40, **values):
    """What explain says of somebody whose administrator has set a PIN so many days ago; it expires after thirty."""
    aging = replace(settings, pin_expire_days=30)
    somebody = person(link(aging), pin="a digest", pin_set_at=NOW - timedelta(days=days))
    return explain(facts(somebody, node(mode=mode), **values), NOW)


ONLY_PIN = policy(first_method=Method.PIN, second_method=Method.NONE)
WITH_TOKEN = policy(pin_with_token=True)


def test_an_expired_pin_is_followed_by_the_question_for_a_new_one_where_the_node_can_ask():
    explained = of_pin(ONLY_PIN)
    assert explained.outcome == "accepted"
    assert explained.steps == (
        "the PIN is asked for and checked, and has expired",
        "a new PIN, typed twice, is asked for and kept",
    )
    assert of_pin(ONLY_PIN, days=20).steps == ("the PIN is asked for and checked",)


@pytest.mark.parametrize("mode", [LoginMode.APPEND, LoginMode.REJECT_THEN_CODE])
def test_an_expired_pin_is_refused_where_the_node_can_ask_nothing(mode):
    explained = of_pin(ONLY_PIN, mode)
    assert (explained.outcome, explained.remedy) == ("refused: pin-expired", Reason.PIN_EXPIRED.remedy)
    assert of_pin(ONLY_PIN, mode, days=20).outcome == "accepted"


def test_an_expired_pin_in_front_of_a_code_is_said_to_be_so():
    front = "a code is sent by sms to +43***67 and asked for; the PIN stands in front of it"
    assert of_pin(WITH_TOKEN, days=20).steps[1:] == (front,)
    new = "a new PIN, typed twice, is asked for and kept"
    assert of_pin(WITH_TOKEN).steps[1:] == (f"{front}, and has expired", new)
    assert of_pin(WITH_TOKEN, LoginMode.REJECT_THEN_CODE).outcome == "refused: pin-expired"


def test_a_pin_that_the_person_has_chosen_since_is_as_old_as_that():
    for days, outcome in ((29, "accepted"), (31, "refused: pin-expired")):
        chosen = NOW - timedelta(days=days)
        assert of_pin(ONLY_PIN, LoginMode.APPEND, pin_chosen_at=chosen).outcome == outcome


def test_an_expired_pin_brings_no_code_whose_keyword_it_is_until_a_new_one_was_typed():
    keyword = {"sms_mode": SendMode.KEYWORD, "sms_keyword_kind": KeywordKind.PIN, "token_order": (SMS,)}
    explained = of_pin(policy(**keyword))
    assert explained.outcome == "refused: attempts-exhausted"
    assert "has expired: none is sent" in explained.steps[-1]
    assert of_pin(policy(first_method=Method.TOKEN, second_method=Method.NONE, **keyword)).outcome == explained.outcome
    assert of_pin(policy(first_method=Method.PIN, **keyword)).outcome == "accepted"
    assert of_pin(policy(**keyword), days=20).outcome == "accepted"
    stocked = policy(first_method=Method.TOKEN, second_method=Method.NONE, **keyword)
    assert of_pin(stocked, stock={SMS: 2}).steps == ("the code of sms is asked for",), "one that they have already"


def test_an_expired_pin_is_refused_where_no_new_one_is_what_the_policy_allows():
    none = replace(ONLY_PIN, pin_minimum_length=6, pin_maximum_length=5)
    assert of_pin(none).outcome == "refused: pin-unfit"
    assert of_pin(none, days=20).outcome == "accepted"


def test_each_reply_attribute_says_whose_it_is_once():
    rule, other = ReplyRule("Filter-Id", "a"), ReplyRule("Class", "b")
    somebody = person(
        link(policy(reply_attribute=(rule,))),
        groups=(membership("g", reply_attributes=(rule, other)),),
        ancestors=(ancestor("o", reply_attributes=(ReplyRule("Class", "c"),)),),
        reply_attributes=(ReplyRule("Class", "d"),),
    )
    report = reported(facts(somebody, node(reply_attribute=(ReplyRule("Class", "e"),))), NOW)
    assert [(item.name, item.value, item.source.partition(" ")[0]) for item in report.grounds.replies] == [
        ("Filter-Id", "a", "policy"),
        ("Class", "b", "group"),
        ("Class", "c", "container"),
        ("Class", "d", "user"),
        ("Class", "e", "access"),
    ]


def test_a_group_is_shown_with_the_way_that_leads_to_it_and_what_it_decides():
    groups = (
        membership("vpn-users"),
        membership("staff", link(policy("office")), path=("vpn-users",)),
        membership("choir"),
    )
    asking = node(members=frozenset({entry_id("vpn-users")}))
    report = reported(facts(person(groups=groups), asking), NOW)
    text = as_text(report).plain
    assert "  alice > vpn-users   for access node\n" in text
    assert "  alice > vpn-users > staff   for policy\n" in text
    assert "1 more that decide nothing here" in text
    assert "choir" not in text


def test_the_attribute_of_the_address_that_counts_is_named():
    own = policy(sms_phone_attribute="pager", email_mail_attribute="mail")
    plain = reported(facts(person(link(own))), NOW).grounds.tokens
    overridden = reported(facts(person(link(own), phone=PHONE, mail_override=MAIL)), NOW).grounds.tokens
    assert [token.attribute for token in plain[:2]] == ["pager", "mail"]
    assert [(token.attribute, token.address) for token in overridden[:2]] == [
        ("dirfactorPhone", "+43***67"),
        ("dirfactorMail", "a***@example.org"),
    ]


def test_violations_say_how_many_more_lock_and_until_when():
    strict = policy(logon_attempts=2, violation_limit=2, lock_minutes=15)
    two = reported(facts(person(link(strict)), failures=at(-9, -8)), NOW)
    assert "1 violations, 2 wrong codes that count; 2 more lock" in as_text(two).plain
    four = reported(facts(person(link(strict)), failures=at(-9, -8, -7, -6)), NOW)
    assert "; locked until 2026-11-24 12:14:54 UTC" in as_text(four).plain
    assert as_data(four).violations.locked_until == NOW + timedelta(minutes=15, seconds=-6)


def test_after_a_lock_that_has_run_out_counting_begins_anew_and_the_day_goes_on():
    strict = policy(logon_attempts=2, violation_limit=2, lock_minutes=1)
    known = facts(person(link(strict)), failures=at(-70, -69, -68, -67), wrong_today=4)
    over = reported(known, NOW)
    assert "0 violations, 0 wrong codes that count; 4 more lock\n  4 wrong codes within a day" in as_text(over).plain
    assert over.explanation.outcome == "accepted"
    held = reported(known, NOW - timedelta(seconds=10))
    assert "2 violations, 4 wrong codes that count; locked until" in as_text(held).plain


def test_wrong_codes_of_the_day_are_told_and_those_that_are_too_many():
    few = reported(facts(wrong_today=MOST_WRONG - 2), NOW)
    assert "0 wrong codes that count; 2 more lock\n  58 wrong codes within a day" in as_text(few).plain
    many = reported(facts(wrong_today=MOST_WRONG), NOW)
    assert many.explanation.decision.step == steps.Refuse(Reason.VIOLATIONS_LOCKED)
    assert "more lock" not in as_text(many).plain
    told = as_data(many).violations
    assert (told.wrong_codes_today, told.wrong_codes_to_lock, told.locked_until) == (MOST_WRONG, None, None)
    assert Looked("wrong codes within a day", "60, and 60 are the most") in as_data(many).trace
