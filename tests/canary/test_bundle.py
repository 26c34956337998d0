"""What goes out to whoever helps says nothing secret, though config.ini be wrong, and names nobody."""

from pathlib import Path

import pytest

from auth.doctor.bundle import bare, redacted


def shown(folder: Path, text: str) -> str:
    (folder / "config.ini").write_text(text)
    return redacted(folder / "config.ini")


@pytest.mark.parametrize(
    "key",
    [
        *("password", "bind_password", "sentinel_password", "next_password", "client_secret", "secret", "bearer_token"),
        *("refresh_token", "token", "value", "Password", "passwort", "dirfactorSharedSecret"),
    ],
)
@pytest.mark.parametrize("typed", ["swordfish", "correct-horse-battery", "12345", "Teapot-41", "no\n  swordfish"])
def test_a_secret_in_the_place_of_its_reference_is_not_shown_whatever_it_looks_like(tmp_path, key, typed):
    assert shown(tmp_path, f"[sms:gateway]\n{key} = {typed}\n") == f"[sms:gateway]\n{key} = ***\n"


@pytest.mark.parametrize("reference", ["file:sms.password", "env:SMS_PASSWORD", "cred:sms"])
def test_where_a_secret_is_is_shown(tmp_path, reference):
    assert f"password = {reference}\n" in shown(tmp_path, f"[sms:gateway]\npassword = {reference}\n")


@pytest.mark.parametrize("key", ["api_key_hash", "fields", "headers", "success_body", "raw", "username", "api_key"])
def test_of_what_may_hold_a_secret_words_are_shown_alone(tmp_path, key):
    assert shown(tmp_path, f"[sms:a]\n{key} = Teapot-41\n") == f"[sms:a]\n{key} = ***\n"
    assert shown(tmp_path, f"[sms:a]\n{key} = json\n") == f"[sms:a]\n{key} = json\n"


def test_of_the_query_of_a_url_names_and_placeholders_are_shown_alone(tmp_path):
    url = (
        "https://sms.example.org/send?key=Teapot41&to={phone}&both={username}{password}&mixed=x{text}&last=swordfish#a"
    )
    bared = "https://sms.example.org/send?key=***&to={phone}&both={username}{password}&mixed=***&last=***#a"
    assert shown(tmp_path, f"[sms:a]\nurl = {url}\n") == f"[sms:a]\nurl = {bared}\n"
    assert bare(f"{url} does not answer") == f"{bared} does not answer"
    assert "swordfish" not in shown(tmp_path, "[sms:a]\nurl = https://me:swordfish@sms.example.org/\n")


@pytest.mark.parametrize(
    "text",
    ["alice@example.org", "uid=alice,ou=people", "CN=Alice Doe,OU=Staff", "+43 664 1234567", "ask +441234567890"],
)
def test_nobody_is_named(text):
    assert not any(each in bare(f"about {text}: wrong") for each in ("alice", "Alice", "664", "4412"))
    assert bare("2 users have no phone, since 2026") == "2 users have no phone, since 2026"


def test_comments_stay_at_home(tmp_path):
    assert "Teapot" not in shown(tmp_path, "# was Teapot-41\n[sms:a]\n; or Teapot-42\nhost = a\n# Teapot-43\n")
