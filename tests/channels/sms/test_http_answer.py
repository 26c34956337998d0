"""What an answer means: success is said by status and body, and only what may be shown is taken from it."""

import pytest

from auth.channels.base import DeliveryFailed
from auth.channels.sms.http.answer import AnswerRules
from auth.channels.sms.http.settings import HttpSmsSettings
from schema.errors import Fault

SENT = ("+12025550123", "481516 is your logon code.")


def rules(*statuses: str, **more: str) -> AnswerRules:
    return AnswerRules(HttpSmsSettings(url="", success_status=statuses or ("200",), **more))


def refusal(found: AnswerRules, status: int, body: str) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        found.read(status, body, SENT)
    return caught.value


def test_the_status_alone_may_be_the_rule():
    assert rules("200", "202").read(202, "anything", SENT) is None


@pytest.mark.parametrize("status", [100, 201, 204, 301, 400, 404, 429, 500, 503])
def test_a_status_that_is_not_listed_is_a_refusal(status):
    found = refusal(rules("200"), status, "")
    assert f"HTTP {status}" in found.problem
    assert (found.permanent, found.unknown) == (False, False)


def test_a_body_that_does_not_say_success_is_a_refusal():
    found = rules(success_body=r'"status":\s*"0"')
    assert found.read(200, '{"messages": [{"status": "0"}]}', SENT) is None
    assert "success_body" in refusal(found, 200, '{"messages": [{"status": "9"}]}').problem


def test_a_body_that_says_failure_is_a_refusal_whatever_else_it_says():
    found = rules(success_body="OK", failure_body="(?i)error")
    assert "failure_body" in refusal(found, 200, "OK? Error!").problem


def test_a_number_at_fault_is_permanent():
    found = rules(failure_body="error", permanent_body="21211|21614")
    permanent = refusal(found, 200, '{"error": 21211}')
    assert permanent.permanent
    assert "phone number" in permanent.remedy
    assert refusal(found, 400, "21614").permanent
    assert not refusal(found, 200, '{"error": 30001}').permanent


def test_a_proxy_that_gave_up_waiting_leaves_it_unknown():
    assert refusal(rules(), 504, "").unknown


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_named_in_the_remedy(status):
    assert "username, password" in refusal(rules(), status, "").remedy


def test_a_redirect_is_said_to_be_one():
    assert "redirect" in refusal(rules(), 302, "").problem


def test_the_message_id_is_the_first_group():
    assert rules(message_id='"id": "([^"]+)"').read(200, '{"id": "SM0a1b"}', SENT) == "SM0a1b"
    assert rules(message_id='"id": "([^"]+)"').read(200, "{}", SENT) is None
    assert rules(message_id='"id": (?:"(.*)"|null)').read(200, '{"id": null}', SENT) is None


@pytest.mark.parametrize("echo", ["12025550123", "id-481516", "two words", "new\nline", "x" * 101, "ü"])
def test_an_id_that_echoes_what_was_sent_or_cannot_be_shown_is_dropped(echo):
    assert rules(message_id="(?s)id=(.*)").read(200, f"id={echo}", SENT) is None


def test_the_providers_error_code_is_shown_and_nothing_else_of_the_body():
    found = rules(error_code='"code": (\\d+)')
    said = refusal(found, 400, '{"code": 21211, "message": "To +12025550123 is invalid"}')
    assert "error code 21211" in said.problem
    assert "555" not in f"{said}"


@pytest.mark.parametrize("echo", ["2025550123", "481516", "<b>", "x" * 41])
def test_an_error_code_that_echoes_what_was_sent_is_not_shown(echo):
    said = refusal(rules(error_code="(?s)(.+)"), 400, echo)
    assert said.problem == "answered HTTP 400"


@pytest.mark.parametrize(
    ("statuses", "more", "problem"),
    [
        ((), {}, "success_status"),
        (("two hundred",), {}, "success_status"),
        (("302",), {}, "success_status"),
        (("404",), {}, "success_status"),
        (("200", "200"), {}, "success_status"),
        (("200",), {"success_body": "("}, "success_body"),
        (("200",), {"failure_body": "*"}, "failure_body"),
        (("200",), {"permanent_body": "["}, "permanent_body"),
        (("200",), {"message_id": "id"}, "message_id has no group"),
        (("200",), {"error_code": "code"}, "error_code has no group"),
    ],
)
def test_a_rule_that_is_none_is_refused_at_the_start(statuses, more, problem):
    with pytest.raises(Fault, match=problem):
        AnswerRules(HttpSmsSettings(url="", success_status=statuses, **more))
