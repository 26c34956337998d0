"""Who may log on at all: node, user, membership, policy and the state of the account, one row for each refusal."""

from datetime import timedelta, timezone

import pytest
from msgspec.structs import replace

from auth.decision import decide
from auth.facts import CodeVerdict, Evidence, Field, Question, Typed, Waiting
from auth.reason import Reason
from auth.steps import CheckPassword, Part, Refuse
from core.dialogue import RADIUS, login
from core.logins import BAD, BASE, NOW, ancestor, entry_id, facts, governed, link, membership, node, person, policy
from dirsync.view import Freshness
from schema.hours import read_logon_hours
from schema.words import Method, TokenKind

SMS = TokenKind.SMS
PASSWORD = CheckPassword(Part(Field.PASSWORD))
STAFF = link(policy())
NEVER = bytes(21)
ALWAYS = b"\xff" * 21


def step(known, evidence=RADIUS, now=NOW):
    return decide(known, evidence, now).step


def refusal(known, evidence=RADIUS, now=NOW):
    found = step(known, evidence, now)
    assert isinstance(found, Refuse), found
    return found.reason


def trace(known, evidence=RADIUS):
    return {finding.check: finding.found for finding in decide(known, evidence, NOW).trace}


# who asks, and for whom


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (replace(facts(), node=None), Reason.NODE_UNKNOWN),
        (facts(at=node(node_enabled=False)), Reason.NODE_UNKNOWN),
        (facts(at=node(malformed=(BAD,))), Reason.NODE_UNKNOWN),
        (facts(found=()), Reason.USER_UNKNOWN),
        (facts(found=(), freshness=Freshness(0, None)), Reason.REPLICA_STALE),
        (facts(found=(person(STAFF), person(STAFF, name="alicia"))), Reason.USER_AMBIGUOUS),
        (facts(at=node(members=frozenset())), Reason.NOT_MEMBER),
        (facts(at=node(members=frozenset({entry_id("bob"), entry_id("staff")}))), Reason.NOT_MEMBER),
        (facts(person(link(None))), Reason.POLICY_MISSING),
        (facts(person(link(policy(malformed=(BAD,))))), Reason.POLICY_MALFORMED),
        (
            facts(person(groups=[membership("g", STAFF), membership("h", link(policy("other")))])),
            Reason.POLICY_CONFLICT,
        ),
    ],
)
def test_before_there_is_a_policy_it_is_refused_with(known, reason):
    assert refusal(known) is reason


def test_an_ambiguous_name_tells_the_trace_whose_it_is():
    found = trace(facts(found=(person(STAFF), person(STAFF, name="alicia"))))
    assert found["user"] == f"2 found: cn=alice,ou=staff,{BASE}, cn=alicia,ou=staff,{BASE}"


def test_a_node_that_cannot_be_used_tells_the_trace_why():
    assert trace(facts(at=node(node_enabled=False)))["access node"] == (
        "vpn cannot be used: disabled (dirfactorNodeEnabled)"
    )
    assert str(BAD) in trace(facts(at=node(malformed=(BAD,))))["access node"]


@pytest.mark.parametrize("members", [None, frozenset({entry_id("alice")}), frozenset({entry_id("alice"), b"x" * 16})])
def test_everyone_or_a_direct_member_may_use_the_node(members):
    known = facts(at=node(members=members))
    assert step(known) == PASSWORD
    assert trace(known)["member of the node"] == "yes"


def test_a_member_through_nested_groups_may_use_the_node_and_the_path_is_told():
    somebody = person(STAFF, [membership("team"), membership("vpn users", path=("team",))])
    known = facts(somebody, node(members=frozenset({entry_id("vpn users")})))
    assert step(known) == PASSWORD
    assert trace(known)["member of the node"] == f"yes, through cn=team,{BASE} -> cn=vpn users,{BASE}"


# the account


def locked(minutes_ago, *seconds):
    """Somebody whom the directory locked, under containers with these lockout durations, nearest first."""
    containers = [ancestor(f"o{number}", lockout_seconds=second) for number, second in enumerate(seconds)]
    return facts(person(STAFF, ancestors=containers, locked_at=NOW - timedelta(minutes=minutes_ago)))


def failing(*minutes_ago, unlocked_at=None):
    known = facts(person(STAFF, unlocked_at=unlocked_at))
    return replace(known, failures=[NOW - timedelta(minutes=minute) for minute in minutes_ago])


def at_hours(text):
    return governed(policy(logon_hours=read_logon_hours(text)))


ACCOUNTS = {
    "disabled": (facts(person(STAFF, disabled=True)), Reason.ACCOUNT_DISABLED),
    "not begun": (facts(person(STAFF, starts_at=NOW + timedelta(microseconds=1))), Reason.ACCOUNT_DISABLED),
    "just begun": (facts(person(STAFF, starts_at=NOW)), None),
    "expired": (facts(person(STAFF, expires_at=NOW)), Reason.ACCOUNT_EXPIRED),
    "not expired yet": (facts(person(STAFF, expires_at=NOW + timedelta(microseconds=1))), None),
    "locked, a domain without duration": (locked(60 * 24 * 365), Reason.ACCOUNT_LOCKED),
    "locked until it is undone": (locked(60 * 24 * 365, 0), Reason.ACCOUNT_LOCKED),
    "locked, within the duration": (locked(29.99, None, 1800), Reason.ACCOUNT_LOCKED),
    "locked, the duration is over": (locked(30, None, 1800), None),
    "locked, the nearest duration counts": (locked(30, 3600, 60), Reason.ACCOUNT_LOCKED),
    "locked, an impossible duration": (locked(30, -60), Reason.ACCOUNT_LOCKED),
    "locked, a duration beyond the calendar": (locked(30, 10**15), Reason.ACCOUNT_LOCKED),
    "AD's hours, never": (facts(person(STAFF, logon_grid=NEVER)), Reason.LOGON_HOURS),
    "AD's hours, always": (facts(person(STAFF, logon_grid=ALWAYS)), None),
    "AD's hours, unreadable": (facts(person(STAFF, logon_grid=b"\xff")), Reason.LOGON_HOURS),
    "the policy's hours, outside": (at_hours("Mon-Fri 13:00-19:00"), Reason.LOGON_HOURS),
    "the policy's hours, inside": (at_hours("Mon-Fri 07:00-19:00"), None),
    "the policy's hours, in their own zone": (at_hours("Tue 12:00-12:30; Europe/Vienna"), Reason.LOGON_HOURS),
    "the policy's hours, other days": (at_hours("Mon 00:00-24:00; Wed-Sun 00:00-24:00"), Reason.LOGON_HOURS),
    "malformed entry": (facts(person(STAFF, malformed=(BAD,))), Reason.ENTRY_MALFORMED),
    "malformed group": (facts(person(STAFF, [membership("g", malformed=(BAD,))])), Reason.ENTRY_MALFORMED),
    "malformed container": (
        facts(person(STAFF, ancestors=[ancestor("o", malformed=(BAD,))])),
        Reason.ENTRY_MALFORMED,
    ),
    "never synced": (facts(freshness=Freshness(0, None)), Reason.REPLICA_STALE),
    "too old": (facts(freshness=Freshness(7, NOW - timedelta(seconds=86_401))), Reason.REPLICA_STALE),
    "just not too old": (facts(freshness=Freshness(7, NOW - timedelta(seconds=86_400))), None),
    "too old for the policy": (
        replace(governed(policy(maximum_staleness=60)), freshness=Freshness(7, NOW - timedelta(seconds=61))),
        Reason.REPLICA_STALE,
    ),
    "old, which the policy allows": (
        replace(governed(policy(maximum_staleness=10**6)), freshness=Freshness(7, NOW - timedelta(seconds=86_401))),
        None,
    ),
    "eight wrong codes": (failing(*range(1, 9)), None),
    "nine wrong codes": (failing(*range(1, 10)), Reason.VIOLATIONS_LOCKED),
    "nine wrong codes, the lock is over": (failing(*range(15, 24)), None),
    "sixty wrong codes within a day, all forgiven": (facts(wrong_today=60), Reason.VIOLATIONS_LOCKED),
    "fifty-nine of them": (facts(wrong_today=59), None),
    "nine wrong codes, unlocked": (failing(*range(1, 10), unlocked_at=NOW), None),
    "nine wrong codes, unlocked before": (
        failing(*range(1, 10), unlocked_at=NOW - timedelta(hours=1)),
        Reason.VIOLATIONS_LOCKED,
    ),
    "nine wrong codes, unlocked in a time to come": (
        failing(*range(1, 10), unlocked_at=NOW + timedelta(days=9000)),
        Reason.VIOLATIONS_LOCKED,
    ),
}


@pytest.mark.parametrize(("known", "reason"), ACCOUNTS.values(), ids=ACCOUNTS)
def test_account(known, reason):
    """One row for each way in which an account can or cannot be used; the door stays shut from the first step on."""
    if reason is None:
        assert login(known).accepted
    else:
        assert refusal(known) is reason
        asked = Waiting(Question.SMS, 1, sent=True)
        methods = (Method.PASSWORD, Method.TOKEN)
        answering = Evidence(methods, 1, typed_code=Typed.GIVEN, answer=Field.CODE, waiting=asked)
        assert refusal(known, answering) is reason, "also for who has an open challenge"
        assert refusal(known, replace(answering, code=CodeVerdict.RIGHT)) is reason, "and the right code"


def test_an_account_that_has_not_begun_tells_the_trace_when_it_does():
    found = trace(facts(person(STAFF, starts_at=NOW + timedelta(days=1))))
    assert found["the account begins"] == f"{NOW + timedelta(days=1):%Y-%m-%d %H:%M:%S} UTC (pwdStartTime)"
    assert "the account begins" not in trace(facts(person(STAFF, starts_at=NOW, disabled=True)))


def test_ads_grid_is_read_hour_by_hour_in_utc():
    tuesday_noon = bytearray(21)
    tuesday_noon[(2 * 24 + 12) // 8] |= 1 << (2 * 24 + 12) % 8
    known = facts(person(STAFF, logon_grid=bytes(tuesday_noon)))
    for minutes, reason in ((-1, Reason.LOGON_HOURS), (0, None), (59, None), (60, Reason.LOGON_HOURS)):
        now = NOW + timedelta(minutes=minutes)
        found = step(replace(known, freshness=Freshness(1, now)), now=now)
        assert found == (PASSWORD if reason is None else Refuse(reason))


def test_what_is_malformed_is_named_with_whose_it_is():
    found = trace(facts(person(STAFF, [membership("g", malformed=(BAD,))])))
    assert found["malformed value"] == f"cn=g,{BASE}: {BAD}"


def test_the_instant_may_be_given_in_any_zone():
    known = facts(person(link(policy(logon_hours=read_logon_hours("Tue 12:00-12:01"))), logon_grid=ALWAYS))
    for hours in (-11, 0, 14):
        now = NOW.astimezone(timezone(timedelta(hours=hours)))
        assert step(known, now=now) == PASSWORD
