"""The double of Microsoft believes nobody whom the real one would not believe."""

import json
import time
import uuid

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from microsoft.authority import ASSERTION_TYPE, Authority, Refused
from microsoft.mailboxes import send
from microsoft.running import register

URL, CLIENT, RESOURCE = "https://login.example.test/t/oauth2/v2.0/token", "app", "https://graph.example.test"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return register(tmp_path_factory.mktemp("app"), "application")


@pytest.fixture
def authority(files):
    certificate = x509.load_pem_x509_certificate(files[0].read_bytes())
    return Authority(URL, "t", CLIENT, "s3cret", certificate, "refresh", (RESOURCE,), 3600)


def asked(**changes) -> dict[str, list[str]]:
    standard = {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "client_secret": "s3cret",
        "scope": f"{RESOURCE}/.default",
    }
    return {key: [value] for key, value in (standard | changes).items() if value is not None}


def assertion(authority, files, *, head=None, algorithm="PS256", **changes) -> str:
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - one helper's business

    thumbprint = jwt.utils.base64url_encode(authority.certificate.fingerprint(hashes.SHA256())).decode()
    now = int(time.time())
    claims = {"iss": CLIENT, "sub": CLIENT, "aud": URL, "nbf": now, "exp": now + 300, "jti": str(uuid.uuid4())}
    key = load_pem_private_key(files[1].read_bytes(), None) if algorithm != "none" else None
    return jwt.encode(claims | changes, key, algorithm, headers=head or {"x5t#S256": thumbprint})


def with_assertion(text: str) -> dict[str, list[str]]:
    return asked(client_secret=None, client_assertion_type=ASSERTION_TYPE, client_assertion=text)


def test_it_believes_what_is_right_and_its_own_tokens(authority, files):
    for request in (asked(), with_assertion(assertion(authority, files))):
        token = authority.token(request)["access_token"]
        assert authority.holder(token, RESOURCE) == CLIENT
        assert authority.holder(token, "https://elsewhere.example.test") is None
        assert authority.holder(token[:-4] + "AAAA", RESOURCE) is None


@pytest.mark.parametrize(
    ("request_", "number"),
    [
        (asked(client_secret="wrong"), 7000215),
        (asked(client_secret=None), 7000215),
        (asked(scope=None), 900144),
        (asked(scope=f"{RESOURCE}/Mail.Send"), 70011),
        (asked(surprise="x"), 9002014),
        (asked() | {"scope": ["a", "b"]}, 9002014),
        (asked(grant_type="password"), 70003),
        (asked(grant_type="refresh_token", refresh_token="old"), 700082),
    ],
)
def test_it_refuses_requests_that_are_not_right(authority, request_, number):
    with pytest.raises(Refused, match=str(number)):
        authority.token(request_)


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "https://login.example.test/"},
        {"iss": "another"},
        {"exp": 1},
        {"nbf": int(time.time()) + 600},
        {"head": {"x5t#S256": "AAAA"}},
        {"algorithm": "RS256"},
        {"algorithm": "none"},
    ],
)
def test_it_refuses_assertions_that_are_not_right(authority, files, wrong):
    with pytest.raises(Refused):
        authority.token(with_assertion(assertion(authority, files, **wrong)))


def test_it_takes_an_assertion_once(authority, files):
    text = assertion(authority, files)
    authority.token(with_assertion(text))
    with pytest.raises(Refused, match="700025"):
        authority.token(with_assertion(text))


MAIL = {
    "subject": "s",
    "body": {"contentType": "Text", "content": "x"},
    "toRecipients": [{"emailAddress": {"address": "a@example.test"}}],
}


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"message": MAIL, "saveToSentItems": "false"}, "RequestBodyRead"),
        ({"message": MAIL, "save": False}, "RequestBodyRead"),
        ({"message": MAIL | {"from_": "x"}}, "RequestBodyRead"),
        ({"message": MAIL | {"body": "x"}}, "RequestBodyRead"),
        ({"message": MAIL | {"toRecipients": []}}, "ErrorInvalidRecipients"),
        ({"message": MAIL | {"toRecipients": [{"emailAddress": {"address": "no"}}]}}, "ErrorInvalidRecipients"),
        (
            {"message": MAIL | {"internetMessageHeaders": [{"name": "Auto-Submitted", "value": "auto-generated"}]}},
            "InvalidInternetMessageHeader",
        ),
    ],
)
def test_it_refuses_mails_of_another_shape(request_, code):
    reply, message = send(json.dumps(request_).encode())
    assert (reply.status, reply.code, message) == (400, code, {})


def test_it_takes_a_mail_of_the_right_shape():
    reply, message = send(json.dumps({"message": MAIL, "saveToSentItems": False}).encode())
    assert (reply.status, message) == (202, MAIL)
