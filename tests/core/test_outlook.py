"""What is told about the next logon is what the next logon does."""

from datetime import timedelta

from auth.outlook import Around, outlook, warnings, works
from auth.prompts import destination
from auth.what_to_tell import what_to_tell
from core.logins import NOW, REACH, link, person, policy
from schema.words import KeywordKind, Method, SendMode, TokenKind


def ahead(assigned, around=None, **values):
    found = person(link(assigned) if assigned else None, **values)
    return outlook(found, around or Around(reach=REACH), NOW)


def test_the_first_usable_token_is_told_with_its_address_masked():
    for kind, words in (
        (TokenKind.SMS, "alice gets a text to +43***67 at the next logon"),
        (TokenKind.EMAIL, "alice gets a mail to a***@example.org at the next logon"),
        (TokenKind.VIP, "alice is asked for the security code of VIP credential "),
    ):
        coming = ahead(policy(token_order=(kind,)))
        assert what_to_tell("alice", coming).startswith(words)
        assert works(coming, kind)
        (step,) = [step for step in coming.explanation.steps if "code" in step]
        assert (destination(coming.chosen) or "VSST12345678") in step, "explain says the same"
        assert warnings("alice", coming, kind) == ()


def test_a_token_that_comes_later_is_warned_of_and_works():
    coming = ahead(policy(token_order=(TokenKind.SMS, TokenKind.EMAIL)))
    (note,) = warnings("alice", coming, TokenKind.EMAIL)
    assert "has sms asked for before email" in note
    assert works(coming, TokenKind.EMAIL)


def test_a_token_that_cannot_be_used_does_not_work_even_if_another_does():
    coming = ahead(policy(sms_enabled=False, token_order=(TokenKind.SMS, TokenKind.EMAIL)))
    assert what_to_tell("alice", coming).startswith("alice gets a mail")
    assert not works(coming, TokenKind.SMS)
    assert "dirfactorSmsEnabled" in warnings("alice", coming, TokenKind.SMS)[0]


def test_a_logon_that_is_refused_has_nothing_to_tell():
    coming = ahead(policy(), disabled=True)
    assert what_to_tell("alice", coming) == ""
    assert not works(coming)
    assert "account-disabled" in warnings("alice", coming)[0]


def test_a_policy_that_demands_no_token_is_warned_of():
    coming = ahead(policy(first_method=Method.PASSWORD, second_method=Method.NONE))
    assert what_to_tell("alice", coming) == ""
    assert "does not demand one" in warnings("alice", coming, TokenKind.SMS)[0]
    assert not works(coming, TokenKind.SMS)
    assert works(coming), "the logon itself succeeds"


def test_without_a_policy_of_its_own_the_access_nodes_would_govern():
    coming = ahead(None, Around(server_default=policy(), reach=REACH))
    assert what_to_tell("alice", coming)
    assert any("access node's own policy" in note for note in warnings("alice", coming))


def test_without_a_config_nothing_is_held_against_gateways():
    coming = ahead(policy(token_order=(TokenKind.SMS,), sms_gateways=("kannel",)), Around())
    assert works(coming, TokenKind.SMS)
    assert not works(ahead(policy(sms_gateways=("kannel",))), TokenKind.SMS), "config.ini has no such gateway"


def test_whoever_must_type_a_keyword_or_a_pin_or_keep_codes_is_told_so():
    def told(**settings):
        return what_to_tell("alice", ahead(policy(token_order=(TokenKind.SMS,), **settings), pin="set"))

    word = {"sms_mode": SendMode.KEYWORD, "sms_keyword": "Text me"}
    assert told(**word) == "alice gets a text to +43***67 after typing the word Text me where the code is asked for"
    assert "after typing the password" in told(sms_mode=SendMode.KEYWORD, sms_keyword_kind=KeywordKind.PASSWORD)
    assert "after typing the PIN" in told(sms_mode=SendMode.KEYWORD, sms_keyword_kind=KeywordKind.PIN)
    assert "with 4 codes, each for one logon" in told(sms_mode=SendMode.AHEAD, sms_codes_per_message=4)
    assert told(pin_with_token=True).endswith("at the next logon. The PIN is typed in front of the code")
    assert told(first_method=Method.PIN).endswith("The PIN is typed by itself")


def test_of_a_lock_that_has_run_out_no_violation_is_left():
    strict = policy(logon_attempts=1, violation_limit=1, lock_minutes=1)
    over, held = (ahead(strict, Around(failures=[NOW - timedelta(seconds=seconds)])) for seconds in (60, 59))
    assert (over.standing.violations, over.standing.locked_until) == (0, None)
    assert (held.standing.violations, held.standing.locked(NOW)) == (1, True)


def test_one_field_and_rollout_demand_a_token_too():
    for method in (Method.PASSWORD_THEN_TOKEN, Method.TOKEN_THEN_PASSWORD, Method.PASSWORD_UNTIL_TOKEN):
        assert what_to_tell("alice", ahead(policy(first_method=method, second_method=Method.NONE)))
