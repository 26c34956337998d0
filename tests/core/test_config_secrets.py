"""Secrets of config.ini: only by reference, only from where nobody else reads, and never in a message."""

import pytest

from auth.config import ConfigFault
from core.config_file import CANARY, LDIF, only, read

SECRET_KEYS = {
    "bind_password": "[directory]\nkind = ad\nurl = ldaps://dc\nbase = b\nbind_dn = d\nbind_password = {}\n",
    "vip": LDIF + "[vip]\ncertificate = c\npassword = {}\n",
    "sms": LDIF + "[sms:a]\nurl = https://a\nsuccess_status = 200\npassword = {}\n",
    "sms token": LDIF + "[sms:a]\nurl = https://a\nsuccess_status = 200\nbearer_token = {}\n",
    "email": LDIF + "[email:a]\nhost = h\nsender = s\npassword = {}\n",
    "secret": LDIF + "[secret:a]\nvalue = {}\n",
    "node": LDIF + "[node:a]\ndirfactorMember = everyone\nsecret = {}\n",
}


@pytest.mark.parametrize("text", SECRET_KEYS.values(), ids=SECRET_KEYS)
@pytest.mark.parametrize(
    "value", [CANARY, f"plain:{CANARY}", f"FILE:{CANARY}", f"password {CANARY}", f"{CANARY}\n  {CANARY}"]
)
def test_a_secret_as_plain_text_is_refused_and_never_quoted(write, text, value):
    with pytest.raises(ConfigFault) as caught:
        read(write(text.format(value), below=""))
    assert "is not a reference; secrets do not stand in config.ini" in str(caught.value)
    assert "file:PATH, env:NAME or cred:NAME" in str(caught.value)
    assert CANARY not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f"[vip]\npassword {CANARY}\n",
        f"[vip]\n{CANARY}\n",
        f"[vip]\npassword = env:X\npassword = {CANARY}\n",
        f"[node:a]\ndirfactorSharedSecret = {CANARY}\n",
        f"[node:a]\ndirfactorMember = everyone\nsecret = file:{{folder}}\nsecret = {CANARY}\n",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_quoted_either(write, text):
    with pytest.raises(ConfigFault) as caught:
        read(write(text), X="x")
    assert CANARY not in str(caught.value) + repr(caught.value)


def test_a_secret_before_the_first_section_is_not_quoted(tmp_path):
    file = tmp_path / "config.ini"
    file.write_text(f"password = {CANARY}\n")
    with pytest.raises(ConfigFault) as caught:
        read(file)
    assert CANARY not in str(caught.value) + repr(caught.value)


def test_a_node_may_not_have_its_secret_in_the_attribute_of_the_directory(write):
    text = "[node:a]\ndirfactorMember = everyone\nsecret = env:X\ndirfactorSharedSecret = sealed\n"
    assert only(write(text), X="x")[:3] == (7, "[node:a] dirfactorSharedSecret", "unknown key")


@pytest.mark.parametrize("key", [CANARY, "0" * 63, "0" * 65, "g" * 64])
def test_an_api_key_does_not_stand_where_its_hash_belongs(write, key):
    text = f"[node:a]\ndirfactorNodeType = http\ndirfactorMember = everyone\ndirfactorApiKeyHash = {key}\n"
    line, where, problem, remedy = only(write(text))
    assert (line, where) == (7, "[node:a] dirfactorApiKeyHash")
    assert key not in problem + remedy


SECRET = "[secret:a]\nvalue = {}\n"


def secret_problem(write, reference, **environment):
    line, where, problem, remedy = only(write(SECRET.format(reference)), **environment)
    assert (line, where, remedy) == (5, "[secret:a] value", "give file:PATH, env:NAME or cred:NAME")
    return problem


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o601])
def test_a_secret_file_that_others_may_read_is_refused_with_the_command_that_mends_it(write, tmp_path, mode):
    (tmp_path / "vpn.secret").chmod(mode)
    problem = secret_problem(write, "file:vpn.secret")
    assert problem == f"{tmp_path / 'vpn.secret'} may be read by others; run chmod 600 on it"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("s3cret", "s3cret"),
        ("s3cret\n", "s3cret"),
        ("s3cret\r\n", "s3cret"),
        (" s3 cret \n", " s3 cret "),
        ("gehei\u00df", "gehei\u00df"),
    ],
)
def test_a_secret_file_holds_the_secret_and_perhaps_the_end_of_its_line(write, tmp_path, content, text):
    (tmp_path / "vpn.secret").write_text(content, encoding="utf-8")
    assert read(write(SECRET.format("file:vpn.secret"))).secrets["a"].text == text
    assert read(write(SECRET.format(f"file:{tmp_path}/vpn.secret"))).secrets["a"].text == text


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n\n", b"\xff" + CANARY.encode()])
def test_a_secret_file_without_a_text_is_refused(write, tmp_path, content):
    (tmp_path / "vpn.secret").write_bytes(content)
    problem = secret_problem(write, "file:vpn.secret")
    assert problem.endswith(("vpn.secret is empty", "vpn.secret cannot be read as text: not UTF-8"))
    assert CANARY not in problem


def test_references_that_lead_nowhere_are_said_so(write, tmp_path):
    assert secret_problem(write, "file:missing").endswith("missing cannot be read as text: No such file or directory")
    assert secret_problem(write, "env:NOWHERE") == "environment variable NOWHERE is not set"
    assert secret_problem(write, "env:EMPTY", EMPTY="") == "environment variable EMPTY is not set"
    assert secret_problem(write, "cred:vip").startswith("no $CREDENTIALS_DIRECTORY")
    assert secret_problem(write, "file:") == "is not a reference; secrets do not stand in config.ini"


def test_a_credential_is_one_of_systemds_and_no_path(write, tmp_path):
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "vip").write_text("s3cret")
    (folder / "vip").chmod(0o644)  # systemd guards the folder
    environment = {"CREDENTIALS_DIRECTORY": str(folder)}
    assert read(write(SECRET.format("cred:vip")), **environment).secrets["a"].text == "s3cret"
    for escape in ("cred:../vpn.secret", "cred:/etc/passwd", "cred:.."):
        assert secret_problem(write, escape, **environment)
