"""Signatures: AWS by the vectors of its Signature Version 4 test suite, Azure by the law of its documentation."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from auth.addresses import PhoneNumber
from auth.channels.sms.http.aws_signature import AwsKey, aws_headers
from auth.channels.sms.http.azure_signature import azure_headers, azure_key
from auth.channels.sms.http.request import RequestTemplate
from auth.channels.sms.http.settings import HttpSmsSettings, SignatureKind
from auth.channels.sms.http.signature import signer
from schema.errors import Fault
from schema.secret import Secret

NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
KEY = AwsKey("AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), "us-east-1", "service")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("method", "query", "headers", "body", "names", "signature"),
    [
        ("GET", "", {}, b"", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "", {}, b"", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "GET",
            "?Param2=value2&Param1=value1",
            {},
            b"",
            "host;x-amz-date",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "POST",
            "",
            FORM,
            b"Param1=value1",
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
)
def test_aws_signs_as_its_test_suite_does(method, query, headers, body, names, signature):
    said = aws_headers(KEY, method, f"https://example.amazonaws.com/{query}", headers, body, NOW)
    assert said["X-Amz-Date"] == "20150830T123600Z"
    assert said["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={names}, Signature={signature}"
    )


def test_azure_signs_method_address_date_host_and_the_digest_of_the_body():
    said = azure_headers(b"key", "POST", "https://contoso.example/sms?api-version=2021-03-07", b"{}", NOW)
    digest = base64.b64encode(hashlib.sha256(b"{}").digest()).decode()
    assert said["x-ms-date"] == "Sun, 30 Aug 2015 12:36:00 GMT"
    assert said["x-ms-content-sha256"] == digest
    text = f"POST\n/sms?api-version=2021-03-07\nSun, 30 Aug 2015 12:36:00 GMT;contoso.example;{digest}"
    signature = base64.b64encode(hmac.new(b"key", text.encode(), hashlib.sha256).digest()).decode()
    assert said["Authorization"].endswith(f"&Signature={signature}")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"signature": SignatureKind.AWS, "username": ""}, "lacks a key or a region"),
        ({"signature": SignatureKind.AWS, "region": ""}, "lacks a key or a region"),
        ({"signature": SignatureKind.AWS, "username": "AKIDÉXAMPLE"}, "username is not printable ASCII"),
        ({"signature": SignatureKind.AWS, "username": "AKID\nEXAMPLE"}, "username is not printable ASCII"),
        ({"signature": SignatureKind.AZURE, "password": None}, "lacks a key"),
        ({"signature": SignatureKind.AZURE, "password": Secret("canary, not Base64")}, "no access key"),
    ],
)
def test_a_section_without_what_a_signature_is_made_with_is_refused(changes, problem):
    standard = {"username": "AKIDEXAMPLE", "password": Secret("x" * 4), "region": "us-east-1"}
    given = HttpSmsSettings(url="https://x.test/?{phone}{text}", success_status=("200",), **(standard | changes))
    with pytest.raises(Fault) as caught:
        signer(given)
    assert problem in caught.value.problem
    assert "canary" not in f"{caught.value}"


def test_an_access_key_is_base64():
    assert azure_key(Secret(base64.b64encode(b"octets").decode())) == b"octets"


def test_each_text_is_signed_anew():
    given = HttpSmsSettings(
        url="https://x.test/?{phone}{text}",
        success_status=("200",),
        signature=SignatureKind.AWS,
        username="AKIDEXAMPLE",
        password=Secret("secret"),
        region="us-east-1",
    )
    sign, template = signer(given), RequestTemplate(given)
    requests = [sign(template.fill(PhoneNumber("+12025550123"), text), NOW) for text in ("481516", "481517")]
    assert len({dict(request.headers)["Authorization"] for request in requests}) == len(requests)
