"""User Services: our requests are what their schema asks for, and an answer is believed only when it is ours."""

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from auth.vip.faults import VipAnswerRefused
from auth.vip.reasons import Kind
from auth.vip.soap import SOAP
from auth.vip.user_services.answers import parse
from auth.vip.user_services.messages import (
    USER_SERVICES,
    AuthenticateCredentials,
    AuthenticateUser,
    CheckOtp,
    GetCredentialInfo,
    GetServerTime,
    GetUserInfo,
    SendOtp,
    build,
)
from auth.vip.verdict import Response, TokenInformation, TokenStatus
from schema.errors import Fault
from schema.secret import Secret

ID = "vip_0123456789abcdef"
SAMPLE = AuthenticateCredentials(("VSST12345678", "sms:436640000001"), Secret("001234"))

telephones = st.from_regex(r"(sms|voice):\+?[0-9]{5,20}", fullmatch=True)
credentials = st.from_regex(r"[0-9A-Za-z,#.*]{4,40}", fullmatch=True) | telephones
several = st.lists(credentials, min_size=1, max_size=5).map(tuple)
codes = st.from_regex(r"[a-zA-Z0-9]{6,10}", fullmatch=True).map(Secret)
users = st.from_regex(r"[A-Za-z0-9äß@._ -]{1,128}", fullmatch=True)
requests = st.one_of(
    st.builds(AuthenticateCredentials, several, codes, st.none() | codes, st.booleans()),
    st.builds(AuthenticateUser, users, codes),
    st.builds(CheckOtp, users, codes, codes),
    st.builds(SendOtp, users, st.none() | telephones),
    st.builds(GetUserInfo, users),
    st.builds(GetCredentialInfo, credentials),
    st.builds(GetServerTime),
)
request_ids = st.from_regex(r"[0-9A-Za-z_]{4,40}", fullmatch=True)


def answer(
    name="AuthenticateCredentials", status="0000", *, request_id=ID, detail="", more="", namespace=USER_SERVICES
) -> bytes:
    why = f"<detail>{detail}</detail><detailMessage>why</detailMessage>" if detail else ""
    said = f"<requestId>{request_id}</requestId><status>{status}</status><statusMessage>words</statusMessage>{why}"
    inside = f'<{name}Response xmlns="{namespace}">{said}{more}</{name}Response>'
    return f'<Envelope xmlns="{SOAP}"><Body>{inside}</Body></Envelope>'.encode()


def credential_info(named="VSST12345678", status="ENABLED", user_status="ACTIVE", bind_status="ENABLED") -> bytes:
    binding = f"<bindStatus>{bind_status}</bindStatus><lastBindTime>2026-01-01T00:00:00Z</lastBindTime>"
    user = f"<userId>alice</userId><userStatus>{user_status}</userStatus><bindingDetail>{binding}</bindingDetail>"
    more = (
        f"<credentialId>{named}</credentialId><credentialType>STANDARD_OTP</credentialType><credentialStatus>{status}"
        f"</credentialStatus><numBindings>1</numBindings><userBindingDetail>{user}</userBindingDetail>"
    )
    return answer("GetCredentialInfo", more=more)


@settings(max_examples=40)
@given(requests, request_ids)
def test_every_request_is_valid_against_the_services_schema(violations, request_, request_id):
    assert violations(build(request_, request_id)) == []


def test_codes_keep_their_leading_zeros_and_come_in_order():
    (message,) = fromstring(build(AuthenticateCredentials(("VSST12345678",), Secret("001234"), Secret("000007")), ID))[
        0
    ]
    assert [code.text for code in message.iter(f"{{{USER_SERVICES}}}otpAuthData") for code in code] == [
        "001234",
        "000007",
    ]


def test_no_request_shows_its_code():
    shown = repr(
        [SAMPLE, AuthenticateUser("alice", Secret("001234")), CheckOtp("a", Secret("001234"), Secret("004321"))]
    )
    assert "001234" not in shown
    assert "004321" not in shown


@pytest.mark.parametrize(
    "wrong", [(), ("A" * 4,) * 6, ("abc",), ("VSST-1234",), ("user:alice",), ("fax:436640000001",)]
)
def test_what_the_schema_does_not_allow_is_a_fault_and_not_sent(wrong):
    with pytest.raises(Fault):
        AuthenticateCredentials(wrong, Secret("001234"))


def test_the_examples_of_answers_are_what_the_service_may_send(violations):
    assert violations(answer()) == []
    assert violations(answer(status="6009", detail="49B5")) == []
    assert violations(credential_info()) == []


@pytest.mark.parametrize(
    ("status", "detail", "reason", "kind"),
    [
        ("0000", "", "0000", Kind.SUCCESS),
        ("6009", "", "6009", Kind.PERSON),
        ("6009", "49b5", "49B5", Kind.PERSON),
        ("6009", "4923", "4923", Kind.RESYNCHRONISE),
        ("6004", "4e03", "6004", Kind.CONFIGURATION),
        ("6005", "", "6005", Kind.SERVICE),
    ],
)
def test_status_and_detail_become_one_reason(status, detail, reason, kind):
    response = parse(answer(status=status, detail=detail), SAMPLE, ID)
    assert (response.reason_code, response.kind) == (reason, kind)
    assert response.message == ("words: why" if detail else "words")


def test_the_credential_that_matched_is_named_in_our_spelling():
    assert parse(answer(more="<credentialId>436640000001</credentialId>"), SAMPLE, ID).credential == "sms:436640000001"
    assert parse(answer(more="<credentialId>vsst12345678</credentialId>"), SAMPLE, ID).credential == "VSST12345678"
    assert parse(answer(), SAMPLE, ID).credential is None


@pytest.mark.parametrize(
    ("changes", "status", "users"),
    [
        ({}, TokenStatus.ENABLED, ("alice",)),
        ({"status": "LOCKED"}, TokenStatus.LOCKED, ("alice",)),
        ({"status": "A WORD OF TOMORROW"}, TokenStatus.UNKNOWN, ("alice",)),
        ({"user_status": "LOCKED"}, TokenStatus.ENABLED, ()),
        ({"bind_status": "DISABLED"}, TokenStatus.ENABLED, ()),
    ],
)
def test_only_users_and_bindings_in_force_are_a_credentials_users(changes, status, users):
    told = parse(credential_info(**changes), GetCredentialInfo("VSST12345678"), ID).information
    assert told == TokenInformation("VSST12345678", status, "STANDARD_OTP", None, users)


@pytest.mark.parametrize("status", ["0000", "6009"])
@pytest.mark.parametrize("request_id", ["another", "", ID + "x", ID.upper()])
def test_another_request_id_is_refused_whatever_the_status(status, request_id):
    with pytest.raises(VipAnswerRefused, match="requestId"):
        parse(answer(status=status, request_id=request_id), SAMPLE, ID)


REFUSED = {
    "another operation": answer("AuthenticateUser"),
    "another namespace": answer(namespace="urn:x"),
    "no status": answer().replace(b"<status>0000</status>", b""),
    "two statuses": answer().replace(b"<status>0000</status>", b"<status>6009</status><status>0000</status>"),
    "no hexBinary": answer(status="000"),
    "a detail that is none": answer(status="6009", detail="49B"),
    "a foreign credential": answer(more="<credentialId>VSST99999999</credentialId>"),
    "two credentials": answer(more="<credentialId>VSST12345678</credentialId>" * 2),
    "a document type": b"<!DOCTYPE x>" + answer(),
    "the request itself": build(SAMPLE, ID),
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_the_answer_is_refused(body):
    with pytest.raises(VipAnswerRefused):
        parse(body, SAMPLE, ID)


def test_information_about_another_credential_or_user_is_refused():
    with pytest.raises(VipAnswerRefused):
        parse(credential_info(named="VSST99999999"), GetCredentialInfo("VSST12345678"), ID)
    other = answer("GetUserInfo", more="<userId>bob</userId><userStatus>ACTIVE</userStatus>")
    with pytest.raises(VipAnswerRefused):
        parse(other, GetUserInfo("alice"), ID)


@given(st.binary(), requests)
def test_any_octets_are_an_answer_or_are_refused(body, request_):
    with pytest.raises(VipAnswerRefused):
        parse(body, request_, ID)


def test_a_soap_fault_is_an_answer_and_never_success():
    inside = "<s:Fault><faultcode>s:Server</faultcode><faultstring>it broke</faultstring></s:Fault>"
    body = f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{inside}</s:Body></s:Envelope>'.encode()
    assert parse(body, SAMPLE, ID) == Response("soap:Server", "it broke")
