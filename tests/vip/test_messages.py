"""Our requests are what the service's schema asks for; its answers are believed only when they are ours."""

from datetime import UTC, datetime

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import assume, example, given
from hypothesis import strategies as st

from auth.vip.authentication.answers import parse
from auth.vip.authentication.messages import (
    VIP,
    ActivateToken,
    CheckOTP,
    GetServerTime,
    GetTokenInformation,
    SendOTP,
    Synchronize,
    Validate,
    ValidateMultiple,
    build,
)
from auth.vip.credential import is_code
from auth.vip.faults import VipAnswerRefused
from auth.vip.reasons import Kind, look_up
from auth.vip.soap import SOAP
from auth.vip.verdict import Response, TokenStatus
from schema.errors import Fault
from schema.secret import Secret

ID = "vip_0123456789abcdef"
SAMPLE = Validate("VSST12345678", Secret("001234"))
SEVERAL = ValidateMultiple(("VSST12345678", "VSMT00000002"), Secret("001234"))
LOOK = GetTokenInformation("VSST12345678")
ACTIVATION = ActivateToken("VSST12345678", Secret("001234"), Secret("004321"))

plain = st.from_regex(r"[!-9;-~]{1,40}", fullmatch=True)
telephones = st.from_regex(r"(sms|voice):\+?[0-9]{5,20}", fullmatch=True)
credentials = plain | telephones
codes = st.from_regex(r"[a-zA-Z0-9]{6,10}", fullmatch=True).map(Secret)
requests = st.one_of(
    st.builds(Validate, credentials, codes),
    st.builds(ValidateMultiple, st.lists(credentials, min_size=2, max_size=5).map(tuple), codes),
    st.builds(GetTokenInformation, credentials),
    st.builds(ActivateToken, credentials, codes, st.none() | codes),
    st.builds(CheckOTP, credentials, codes, st.none() | codes),
    st.builds(Synchronize, credentials, codes, codes),
    st.builds(SendOTP, credentials),
    st.builds(GetServerTime),
)
request_ids = st.from_regex(r"[0-9A-Za-z_]{4,40}", fullmatch=True)


def answer(
    name: str = "ValidateResponse",
    code: str = "0000",
    *,
    request_id: str | None = ID,
    namespace: str = VIP,
    message: str = "",
    more: str = "",
) -> bytes:
    echo = "" if request_id is None else f'RequestId="{request_id}"'
    status = f"<Status><ReasonCode>{code}</ReasonCode><StatusMessage>{message}</StatusMessage></Status>"
    inside = f'<{name} {echo} Version="3.1" xmlns="{namespace}">{status}{more}</{name}>'
    return f'<Envelope xmlns="{SOAP}"><Body>{inside}</Body></Envelope>'.encode()


def fault(code: str) -> bytes:
    inside = f"<s:Fault><faultcode>{code}</faultcode><faultstring>it broke</faultstring></s:Fault>"
    return f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{inside}</s:Body></s:Envelope>'.encode()


# --- requests


@given(requests, request_ids)
def test_every_request_is_valid_against_the_services_schema(violations, request_, request_id):
    assert violations(build(request_, request_id)) == []


@given(codes, request_ids)
def test_a_request_carries_version_id_and_the_code_with_its_leading_zeros(code, request_id):
    (message,) = fromstring(build(Validate("VSST12345678", code), request_id))[0]
    assert message.tag == f"{{{VIP}}}Validate"
    assert message.attrib == {"Version": "3.1", "Id": request_id}
    children = [(child.tag, child.text, child.attrib) for child in message]
    assert children == [(f"{{{VIP}}}TokenId", "VSST12345678", {}), (f"{{{VIP}}}OTP", code.text, {})]


def test_validate_multiple_asks_which_credential_it_was():
    (message,) = fromstring(build(SEVERAL, ID))[0]
    names = [child.tag.removeprefix(f"{{{VIP}}}") for child in message]
    assert names == ["TokenIds", "TokenIds", "OTP", "SendSuccessfulTokenId"]
    assert message[-1].text == "true"


def test_activation_carries_both_codes_in_order():
    (message,) = fromstring(build(ACTIVATION, ID))[0]
    assert [child.text for child in message] == ["VSST12345678", "001234", "004321"]


@given(st.text())
@example("VSST12345678\n")
@example("VSST 1234 5678")
@example("x" * 41)
@example("")
def test_an_id_either_stands_in_a_valid_message_or_is_a_fault(violations, credential):
    try:
        request = GetTokenInformation(credential)
    except Fault:
        assert not (credential.isascii() and credential.isalnum() and len(credential) <= 40)
    else:
        assert violations(build(request, ID)) == []
        (message,) = fromstring(build(request, ID))[0]
        assert message[0].text == credential


@given(st.text())
@example("12345")
@example("12345678901")
@example("123456\n")
@example("\u0661\u0662\u0663\u0664\u0665\u0666")
def test_what_cannot_be_a_code_is_never_sent_and_never_shown(text):
    code = Secret(text)
    fitting = 6 <= len(text) <= 10 and text.isascii() and text.isalnum()
    assert is_code(code) == fitting
    if not fitting:
        with pytest.raises(Fault):
            Validate("VSST12345678", code)
        with pytest.raises(Fault):
            ActivateToken("VSST12345678", Secret("123456"), code)


@pytest.mark.parametrize("count", [0, 1, 6])
def test_validate_multiple_takes_two_to_five(count):
    with pytest.raises(Fault, match="cannot be validated together"):
        ValidateMultiple(tuple(f"VSST{n}" for n in range(count)), Secret("123456"))


@pytest.mark.parametrize("request_id", ["", "abc", "x" * 41, 'abc"d', "äbcd", "abcd\n"])
def test_a_request_id_has_one_form(request_id):
    with pytest.raises(ValueError, match="request id"):
        build(SAMPLE, request_id)


def test_no_request_shows_its_code():
    with pytest.raises(Fault) as caught:
        Validate("VSST12345678", Secret("my password"))
    assert "my password" not in str(caught.value)
    assert "001234" not in repr(SAMPLE) + repr(SEVERAL) + repr(ACTIVATION)
    assert "004321" not in repr(ACTIVATION)


# --- answers


def test_the_examples_of_answers_are_what_the_service_may_send(violations):
    named = "<SuccessfulTokenId>VSMT00000002</SuccessfulTokenId>"
    assert violations(answer()) == []
    assert violations(answer("ErrorResponse", "4e04", request_id=None)) == []
    assert violations(answer("ValidateMultipleResponse", more=named)) == []
    assert violations(answer("GetTokenInformationResponse", more=information())) == []


def test_success():
    assert parse(answer(message="Success"), SAMPLE, ID) == Response("0000", "Success", "VSST12345678")


def test_a_wrong_code_names_no_credential():
    response = parse(answer(code="49b5", message="Failed with an invalid OTP"), SAMPLE, ID)
    assert response == Response("49B5", "Failed with an invalid OTP")
    assert look_up(response.reason_code).kind is Kind.PERSON


def test_prefixes_do_not_matter():
    odd = (
        f'<a:Envelope xmlns:a="{SOAP}"><a:Header/><a:Body><vips:ValidateResponse xmlns:vips="{VIP}" RequestId="{ID}" '
        'Version="3.1"><vips:Status><vips:ReasonCode> 0000 </vips:ReasonCode></vips:Status><vips:NetworkAlert>false'
        "</vips:NetworkAlert></vips:ValidateResponse></a:Body></a:Envelope>"
    )
    assert parse(odd.encode("utf-16"), SAMPLE, ID).reason_code == "0000"


def test_validate_multiple_names_the_credential_in_our_spelling():
    body = answer("ValidateMultipleResponse", more="<SuccessfulTokenId>vsmt00000002</SuccessfulTokenId>")
    assert parse(body, SEVERAL, ID).credential == "VSMT00000002"
    assert parse(answer("ValidateMultipleResponse"), SEVERAL, ID).credential is None


def information(
    status: str = "ENABLED", expires: str = "2027-01-01T02:00:00+02:00", named: str = "VSST12345678"
) -> str:
    return (
        f"<TokenInformation><TokenId>{named}</TokenId><Adapter>OATH_TIME</Adapter><TokenStatus>{status}</TokenStatus>"
        f"<ExpirationDate>{expires}</ExpirationDate><LastUpdate>2026-01-01T00:00:00Z</LastUpdate></TokenInformation>"
    )


@pytest.mark.parametrize("expires", ["2027-01-01T02:00:00+02:00", "2027-01-01T00:00:00.000Z", "2027-01-01T00:00:00"])
def test_token_information(expires):
    body = answer("GetTokenInformationResponse", more=information(expires=expires))
    told = parse(body, LOOK, ID).information
    assert (told.credential, told.status, told.adapter) == ("VSST12345678", TokenStatus.ENABLED, "OATH_TIME")
    assert told.expires == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "more",
    [
        "",
        information(status="FINE"),
        information(expires="tomorrow"),
        information(expires="0001-01-01T00:00:00+14:00"),
        information(named="VSST87654321"),
        information() * 2,
    ],
)
def test_token_information_that_is_none_is_refused(more):
    with pytest.raises(VipAnswerRefused):
        parse(answer("GetTokenInformationResponse", more=more), LOOK, ID)


def test_an_error_response_speaks_even_without_request_id():
    body = answer("ErrorResponse", "4e04", request_id=None, message="Unsupported protocol version")
    assert parse(body, SAMPLE, ID) == Response("4E04", "Unsupported protocol version")


@pytest.mark.parametrize("request_id", [ID, None])
def test_an_error_response_never_means_success(request_id):
    with pytest.raises(VipAnswerRefused, match="cannot mean success"):
        parse(answer("ErrorResponse", "0000", request_id=request_id), SAMPLE, ID)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("s:Client", "soap:Client"),
        ("s:Server", "soap:Server"),
        ("s:Client.Authentication", "soap:Client"),
        ("Server", "soap:Server"),
        ("x:0000", "soap:Other"),
    ],
)
def test_a_soap_fault_is_an_answer_and_never_success(code, reason):
    assert parse(fault(code), SAMPLE, ID) == Response(reason, "it broke")
    assert look_up(reason).kind in {Kind.SERVICE, Kind.CONFIGURATION}


@pytest.mark.parametrize("request_", [SAMPLE, SEVERAL, LOOK, ACTIVATION])
@pytest.mark.parametrize("request_id", ["another", "", None, ID + " ", ID.upper()])
def test_another_request_id_is_refused_whatever_the_code(request_, request_id):
    name = f"{type(request_).__name__}Response"
    for code in ("0000", "49B5"):
        with pytest.raises(VipAnswerRefused, match="RequestId"):
            parse(answer(name, code, request_id=request_id), request_, ID)


BILLION_LAUGHS = b'<!DOCTYPE lolz [<!ENTITY a "0000"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>' + answer().replace(
    b"0000", b"&b;", 1
)
OUTSIDE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + answer(message="&a;")
REFUSED = {
    "nothing": b"",
    "no XML": b"<html>",
    "another encoding": b'<?xml version="1.0" encoding="no-such"?><a/>',
    "a document type": b"<!DOCTYPE x>" + answer(),
    "billion laughs": BILLION_LAUGHS,
    "external entity": OUTSIDE,
    "SOAP 1.2": answer().replace(SOAP.encode(), b"http://www.w3.org/2003/05/soap-envelope"),
    "no envelope": answer()[len(f'<Envelope xmlns="{SOAP}"><Body>') : -len("</Body></Envelope>")],
    "another namespace": answer(namespace="http://www.verisign.com/2006/08/vipservice"),
    "another namespace around ours": (
        answer(namespace="urn:x").replace(b"<Status>", f'<Status xmlns="{VIP}">'.encode())
    ),
    "no namespace": answer(namespace=""),
    "another operation": answer("ValidateMultipleResponse"),
    "the request itself": build(SAMPLE, ID),
    "two answers": answer().replace(b"</Body>", b"<x/></Body>"),
    "two bodies": answer().replace(b"</Envelope>", b"<Body/></Envelope>"),
    "two statuses": answer(more="<Status><ReasonCode>0000</ReasonCode></Status>"),
    "two reason codes": answer(code="0000</ReasonCode><ReasonCode>49B5"),
    "no reason code": answer(code=""),
    "half an octet": answer(code="000"),
    "elements in the code": answer(code="0000<x/>"),
    "a foreign space": answer(code="\u00a00000"),
    "a reason in another namespace": answer().replace(b"<ReasonCode>", b'<ReasonCode xmlns="urn:x">'),
    "a foreign credential": answer("ValidateMultipleResponse", more="<SuccessfulTokenId>X</SuccessfulTokenId>"),
    "a fault without code": fault("x").replace(b"<faultcode>x</faultcode>", b""),
    "very deep": b"<a>" * 30_000 + b"</a>" * 30_000,
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_the_answer_is_refused(body):
    request = SEVERAL if b"SuccessfulTokenId" in body else SAMPLE
    with pytest.raises(VipAnswerRefused) as caught:
        parse(body, request, ID)
    assert caught.value.remedy


def test_the_services_words_are_one_short_printable_line():
    words = parse(answer(code="4E03", message="a\n b\u202e&#9;" + "x" * 500), SAMPLE, ID).message
    assert words.startswith("a b?")
    assert words.isprintable()
    assert len(words) == 200


@given(st.binary(), requests)
def test_any_octets_are_an_answer_or_are_refused(body, request_):
    with pytest.raises(VipAnswerRefused):
        parse(body, request_, ID)


pieces = st.sampled_from(
    [b"", b"<", b">", b"/", b'"', b"&", b"\x00", b"\xff", b"0000", b"<x/>", b"<!-- -->", b"Status"]
)


@given(st.data())
def test_a_damaged_refusal_never_turns_into_success(data):
    body = answer("ValidateResponse", "49B5", message="Failed")
    at, length = data.draw(st.integers(0, len(body))), data.draw(st.integers(0, 12))
    damaged = body[:at] + data.draw(pieces | st.binary(max_size=4)) + body[at + length :]
    assume(b"0000" not in damaged)
    try:
        response = parse(damaged, SAMPLE, ID)
    except VipAnswerRefused:
        return
    assert look_up(response.reason_code).kind is not Kind.SUCCESS
    assert response.credential is None
