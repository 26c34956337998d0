"""The request for a text: every value arrives as it was, wherever it stands; what cannot work is refused."""

import base64
import json
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import example, given
from hypothesis import strategies as st

from auth.channels.sms.http.request import RequestTemplate
from auth.channels.sms.http.settings import BodyKind, HttpMethod, HttpSmsSettings, SignatureKind
from auth.lines import Lines
from schema.errors import Fault
from schema.secret import Secret

URL = "https://sms.example.org/send"
EVERYTHING = "{phone} {phone_digits} {text} {sender} {username} {password}"
NAMES = ("phone", "phone_digits", "text", "sender", "username", "password")
QUERY = "&".join(f"{name}={{{name}}}" for name in NAMES)

numbers = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)
texts = st.text(max_size=200)
secrets = st.text(min_size=1, max_size=40)


def settings(url: str = URL, **more) -> HttpSmsSettings:
    standard = {"url": url, "success_status": ("200",), "sender": "us", "username": "user", "password": Secret("pass")}
    return HttpSmsSettings(**(standard | more))


def values(number: str, text: str, given: HttpSmsSettings) -> dict[str, str]:
    known = {"sender": given.sender, "username": given.username, "password": given.password.text}
    return {"phone": number, "phone_digits": number[1:], "text": text} | known


class TestWhatArrives:
    @given(numbers, texts, secrets, secrets, secrets)
    def test_in_the_query(self, number, text, sender, username, password):
        given_ = settings(f"{URL}?{QUERY}", sender=sender, username=username, password=Secret(password))
        request = RequestTemplate(given_).fill(number, text)
        on_the_wire = httpx.URL(request.url).raw_path.decode("ascii")
        parsed = parse_qsl(on_the_wire.partition("?")[2], keep_blank_values=True, strict_parsing=True)
        assert dict(parsed) == values(number, text, given_)
        assert len(parsed) == len(NAMES)

    @given(numbers, texts, secrets)
    @example("+12025550123", "..", ".")
    @example("+12025550123", "a/../b", "%2e%2e")
    def test_in_the_path(self, number, text, sender):
        given_ = settings("https://sms.example.org/v1/{sender}/to/{phone}/{text}/end", sender=sender)
        request = RequestTemplate(given_).fill(number, text)
        segments = httpx.URL(request.url).raw_path.decode("ascii").split("/")
        assert [unquote(each) for each in segments[1:]] == ["v1", sender, "to", number, text, "end"]
        assert urlsplit(request.url).netloc == "sms.example.org"

    @given(numbers, texts, secrets)
    def test_in_a_form(self, number, text, sender):
        fields = Lines((f"all = {EVERYTHING}", "to={phone}", "a&b = 1=2"))
        given_ = settings(body=BodyKind.FORM, fields=fields, sender=sender)
        request = RequestTemplate(given_).fill(number, text)
        everything = EVERYTHING
        assert ("Content-Type", "application/x-www-form-urlencoded") in request.headers
        assert parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True) == [
            ("all", everything.format(**values(number, text, given_))),
            ("to", number),
            ("a&b", "1=2"),
        ]

    @given(numbers, texts, secrets)
    def test_in_a_flat_json_object(self, number, text, sender):
        given_ = settings(body=BodyKind.JSON, fields=Lines(("to = {phone}", "say = <{text}|{sender}>")), sender=sender)
        request = RequestTemplate(given_).fill(number, text)
        assert json.loads(request.body) == {"to": number, "say": f"<{text}|{sender}>"}
        assert ("Content-Type", "application/json") in request.headers

    @given(numbers, texts)
    def test_in_a_json_document(self, number, text):
        document = '{"messages": [{"to": ["{phone}"], "n": {phone_digits}, "text": "<{text}>", "flash": false}]}'
        given_ = settings(body=BodyKind.RAW, raw=document, headers=Lines(("content-type: application/json",)))
        request = RequestTemplate(given_).fill(number, text)
        message = {"to": [number], "n": int(number[1:]), "text": f"<{text}>", "flash": False}
        assert json.loads(request.body) == {"messages": [message]}
        assert [name for name, _ in request.headers] == ["content-type"]

    @given(numbers, st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn"), include_characters="\t\n\r")))
    def test_in_xml(self, number, text):
        document = '<sms to="{phone}" note="{text}"><text>{text}</text></sms>'
        given_ = settings(body=BodyKind.RAW, raw=document, headers=Lines(("Content-Type: text/xml; charset=utf-8",)))
        root = fromstring(RequestTemplate(given_).fill(number, text).body.decode())
        assert (root.get("to"), root.get("note"), root.findtext("text")) == (number, text, text)

    def test_what_xml_cannot_hold_breaks_nothing(self):
        xml = Lines(("Content-Type: application/soap+xml",))
        given_ = settings(body=BodyKind.RAW, raw="<a b='{phone}'>{text}</a>", headers=xml)
        body = RequestTemplate(given_).fill("+12025550123", "a\0b\x0bc\ufffe").body
        assert fromstring(body.decode()).text == "a\ufffdb\ufffdc\ufffd"

    @given(numbers, texts)
    def test_in_plain_text(self, number, text):
        given_ = settings(body=BodyKind.RAW, raw="{phone}\n{text}")
        request = RequestTemplate(given_).fill(number, text)
        assert request.body.decode() == f"{number}\n{text}"

    @given(numbers, texts)
    def test_in_a_header_or_not_at_all(self, number, text):
        given_ = settings(headers=Lines(("X-Kannel-To: {phone}", "X-Kannel-Text: {text}")))
        template = RequestTemplate(given_)
        if text.isascii() and text.isprintable() and text == text.strip():
            assert template.fill(number, text).headers == (("X-Kannel-To", number), ("X-Kannel-Text", text))
        else:
            with pytest.raises(Fault, match="X-Kannel-Text"):
                template.fill(number, text)

    def test_basic_authentication_is_utf_8(self):
        given_ = settings(f"{URL}?{QUERY}", basic_auth=True, username="jörg", password=Secret("pä:ss"))
        headers = dict(RequestTemplate(given_).fill("+12025550123", "hello").headers)
        assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode() == "jörg:pä:ss"

    def test_a_bearer_token(self):
        given_ = settings(f"{URL}?{QUERY}", bearer_token=Secret("abc"))
        assert RequestTemplate(given_).fill("+12025550123", "x").headers == (("Authorization", "Bearer abc"),)

    def test_an_authorization_of_the_providers_own(self):
        given_ = settings(f"{URL}?{QUERY}", headers=Lines(("Authorization: App {password}",)))
        assert RequestTemplate(given_).fill("+12025550123", "x").headers == (("Authorization", "App pass"),)

    def test_a_text_that_looks_like_a_place_is_a_text(self):
        given_ = settings(body=BodyKind.FORM, fields=Lines(("t = {text}", "p = {phone}")))
        request = RequestTemplate(given_).fill("+12025550123", "{password}")
        assert parse_qsl(request.body.decode())[0] == ("t", "{password}")

    def test_the_request_shows_nothing_of_itself(self):
        given_ = settings(f"{URL}?{QUERY}", method=HttpMethod.GET, headers=Lines(("X: {password}",)))
        request = RequestTemplate(given_).fill("+12025550123", "481516")
        assert repr(request) == f"SmsRequest(method={HttpMethod.GET!r})"


LEAST = f"{URL}?to={{phone}}&text={{text}}"
REFUSED = [
    ({"url": f"{URL}?{QUERY}&to={{number}}"}, "unknown placeholder {number}", "{phone_digits}"),
    ({"url": f"{URL}?{QUERY}", "sender": ""}, "{sender} stands there", "sender ="),
    ({"url": f"{URL}?{QUERY}", "password": None}, "{password} stands there", "password ="),
    ({"url": f"{URL}?to={{phone}}"}, "does not carry the text", "{text}"),
    ({"url": f"{URL}?text={{text}}"}, "does not carry the text", "{phone}"),
    ({"url": f"http://sms.example.org/?{QUERY}"}, "clear text", "allow_plain_http"),
    ({"url": f"ftp://sms.example.org/?{QUERY}"}, "no http or https address", "https://"),
    ({"url": f"https:///?{QUERY}"}, "no http or https address", "https://"),
    ({"url": f"https://sms.example.org:99999/?{QUERY}"}, "no http or https address", "https://"),
    ({"url": f"https://exa mple.org/?{QUERY}\n"}, "no http or https address", "https://"),
    ({"url": f"https://{{username}}:{{password}}@sms.example.org/?{QUERY}"}, "credentials", "basic_auth"),
    ({"url": f"https://me:canary@sms.example.org/?{QUERY}"}, "credentials", "basic_auth"),
    ({"url": f"https://{{host}}/?{QUERY}"}, "{host} stands there", "host ="),
    ({"url": f"https://{{host}}/?{QUERY}", "host": "a/b"}, "host cannot stand", "as the provider"),
    ({"url": f"https://{{host}}/?{QUERY}", "host": "me@example.org"}, "host cannot stand", "as the provider"),
    ({"url": f"https://a.{{region}}.example.org/?{QUERY}", "region": "x.y"}, "region cannot stand", "as the provider"),
    ({"url": f"{URL}?{QUERY}&c={{coding}}"}, "coding is not set", "coding = 0, 2"),
    ({"url": f"{URL}?{QUERY}&r={{receipt_url}}"}, "{receipt_url} stands there", "receipt_url ="),
    ({"coding": ("0",)}, "two words", "0, 2"),
    ({"basic_auth": True, "signature": SignatureKind.AWS}, "more than one Authorization", "signature"),
    ({"url": f"https://{{sender}}.example.org/?{QUERY}"}, "placeholder where host", "basic_auth"),
    ({"url": f"{URL}?{QUERY}#part"}, "#", "%23"),
    ({"url": f"{URL}?{QUERY}&p=%{{phone_digits}}"}, "%", "%25"),
    ({"url": LEAST, "basic_auth": True, "username": ""}, "lacks a username", "set username"),
    ({"url": LEAST, "basic_auth": True, "username": "a:b"}, "without colon", "set username"),
    ({"url": LEAST, "basic_auth": True, "password": None}, "or a password", "set username"),
    ({"basic_auth": True, "bearer_token": Secret("x")}, "more than one Authorization", "keep one"),
    ({"bearer_token": Secret("x"), "headers": Lines(("authorization: A {password}",))}, "more than one", "keep one"),
    ({"bearer_token": Secret("canary\n")}, "bearer_token", "as the provider shows it"),
    ({"headers": Lines(("Authorization: Bearer canary",))}, "holds its secret itself", "{password}"),
    ({"headers": Lines(("no colon",))}, "no pair", "Name: value"),
    ({"headers": Lines(("Content-Length: 5",))}, "cannot be set", "leave it out"),
    ({"headers": Lines(("Two words: 5",))}, "cannot be set", "leave it out"),
    ({"headers": Lines(("X: ümlaut",))}, "not printable ASCII", "body"),
    ({"fields": Lines(("just words",)), "body": BodyKind.FORM}, "no pair", "name = value"),
    ({"fields": Lines(("a = b",)), "body": BodyKind.NONE}, "does not go with", "form or json"),
    ({"body": BodyKind.JSON}, "does not go with", "form or json"),
    ({"body": BodyKind.RAW}, "does not go with", "raw for raw"),
    ({"body": BodyKind.RAW, "raw": "x", "headers": Lines(("Content-Type: text/csv",))}, "text/csv", "text/plain"),
    (
        {"body": BodyKind.RAW, "raw": '{"a": {text}}', "headers": Lines(("Content-Type: application/json",))},
        "no JSON",
        "quotes",
    ),
]


@pytest.mark.parametrize(("changes", "problem", "remedy"), REFUSED)
def test_a_section_that_cannot_work_is_refused_with_a_remedy(changes, problem, remedy):
    with pytest.raises(Fault) as caught:
        RequestTemplate(settings(**({"url": f"{URL}?{QUERY}"} | changes)))
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy
    assert "canary" not in f"{caught.value}"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_plain_http_is_for_this_host(host):
    RequestTemplate(settings(f"http://{host}:8080/?{QUERY}"))


def test_plain_http_elsewhere_must_be_asked_for():
    RequestTemplate(settings(f"http://sms.example.org/?{QUERY}", allow_plain_http=True))
