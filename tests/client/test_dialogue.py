"""The client takes an answer for what it says, and whatever is none for a reason to let nobody in."""

import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.client import Accepted, Challenged, Client, LogonError, Refused, RequestRefused, ServiceUnavailable, dialogue
from auth.http.messages import AuthenticateBody

TEXTS = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
ACCEPT = {"outcome": "accepted", "correlation": "c0ffee", "reply_attributes": []}


def said(document: object, status: int = 200):
    return dialogue.outcome(status, msgspec.json.encode(document), "alice")


def test_an_accept_has_the_attributes_by_name():
    pairs = [{"name": "Class", "value": "a"}, {"name": "Filter-Id", "value": "x"}, {"name": "Class", "value": "b"}]
    assert said(ACCEPT | {"reply_attributes": pairs}) == Accepted("c0ffee", {"Class": ("a", "b"), "Filter-Id": ("x",)})


def test_a_challenge_remembers_whose_it_is_and_shows_no_state():
    fields = {"outcome": "challenged", "correlation": "c", "state": "opaque", "message": "Code:", "method": "sms"}
    found = said(fields | {"expires_in": 60})
    assert found == Challenged("c", "Code:", "sms", 60, "alice", "opaque")
    assert "opaque" not in repr(found)


def test_a_refusal_has_the_words_for_the_person():
    assert said({"outcome": "refused", "correlation": "c", "message": "No."}) == Refused("c", "No.")


def test_what_a_newer_service_says_besides_is_passed_over():
    assert said(ACCEPT | {"more": 1}) == Accepted("c0ffee", {})


@given(st.binary(max_size=80) | JSON.map(msgspec.json.encode), st.integers(100, 599))
def test_nothing_else_is_an_outcome(body, status):
    with pytest.raises(LogonError) as raised:
        dialogue.outcome(status, body, "alice")
    assert isinstance(raised.value, RequestRefused if 200 < status < 500 or status < 200 else ServiceUnavailable)


@given(st.integers(100, 599).filter(lambda status: status != 200))
def test_an_accept_with_another_status_is_none(status):
    with pytest.raises(LogonError):
        said(ACCEPT, status)


def test_an_accept_that_is_too_long_is_none():
    with pytest.raises(ServiceUnavailable):
        said(ACCEPT | {"more": "x" * 300_000})


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (500, b"{}", ServiceUnavailable, "the service answers with status 500"),
        (503, b"{}", ServiceUnavailable, "the service answers with status 503"),
        (200, b"<html>", ServiceUnavailable, "the answer is none of ours: is this the address of dirfactor?"),
        (404, b"<html>", RequestRefused, "404: no reason given"),
    ],
)
def test_what_is_no_outcome_is_told_in_words(status, body, error, words):
    with pytest.raises(error) as raised:
        dialogue.outcome(status, body, "alice")
    assert str(raised.value) == words


def test_the_longest_answer_is_one():
    whole = msgspec.json.encode(ACCEPT)
    assert dialogue.outcome(200, whole.ljust(256 * 1024), "alice") == Accepted("c0ffee", {})
    with pytest.raises(ServiceUnavailable):
        dialogue.outcome(200, whole.ljust(256 * 1024 + 1), "alice")


def test_an_answer_goes_back_with_whose_and_which_challenge_it_is():
    challenge = Challenged("c", "Code:", "sms", 60, "alice", "opaque")
    body = {"user": "alice", "passcode": "123456", "state": "opaque"}
    assert msgspec.json.decode(dialogue.later_step(challenge, "123456")) == body


def test_what_goes_with_each_request():
    common = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    assert dialogue.headers("k") == common | {"Authorization": "Bearer k"}
    assert dialogue.headers(None) == common


def test_a_request_that_is_not_taken_says_why():
    with pytest.raises(RequestRefused, match="403: the caller is not") as raised:
        said({"title": "Forbidden", "status": 403, "detail": "the caller is not the node"}, 403)
    assert raised.value.status == 403


@given(TEXTS, st.none() | TEXTS, st.none() | TEXTS)
def test_a_step_says_what_was_typed_and_nothing_that_was_not(user, password, passcode):
    body = dialogue.first_step(user, password, passcode)
    typed = {"user": user, "password": password, "passcode": passcode}
    assert msgspec.json.decode(body) == {name: text for name, text in typed.items() if text is not None}
    assert msgspec.json.decode(body, type=AuthenticateBody) == AuthenticateBody(user, password, passcode)


@pytest.mark.parametrize("url", ["http://auth.example.org", "http://192.0.2.1:8480", "ftp://localhost", "auth.example"])
def test_no_password_goes_in_clear_to_another_host(url):
    with pytest.raises(ValueError, match="https"):
        Client(url, api_key="k")


def test_somebody_has_to_ask():
    with pytest.raises(ValueError, match="API key or the client certificate"):
        Client("https://auth.example.org")


def test_an_application_that_imports_it_imports_nothing_of_the_server():
    server = {"ldap", "ldap3", "httptools", "cryptography", "apscheduler", "dirsync", "uvloop", "typer"}
    code = "import auth.client, sys; print(*{name.split('.')[0] for name in sys.modules})"
    imported = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "httpx" in imported
    assert not server & set(imported)
