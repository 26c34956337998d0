"""Texts through an HTTP gateway: the demo's strict one, and peers that hang, lie, redirect and echo."""

import asyncio
import json
import logging
import time
from dataclasses import replace
from urllib.parse import quote

import httpx
import pytest
import trustme

from auth.addresses import PhoneNumber
from auth.channels.base import DeliveryFailed, Message, OnUnknown, Receipt
from auth.channels.minted import MintedChannel
from auth.channels.sms.http.settings import BodyKind, HttpMethod, HttpSmsSettings
from auth.clock import SYSTEM_CLOCK
from auth.http_client import http_client
from auth.lines import Lines
from channels.peers import PASSWORD, RawHttp, everything_said, http_answer
from schema.errors import Fault
from schema.secret import Secret

TO = PhoneNumber("+12025550123")
CODE = "481516"
MESSAGE = Message(subject="", text=f"{CODE} is your logon code: “äöü€” & more.")
WRONG_NUMBER = PhoneNumber("12025550123")  # no plus: the type says E.164, and this law is about whom it refuses


def demo(port: int, **changes) -> HttpSmsSettings:
    """As docs would describe the demo's gateway."""
    standard = {
        "url": f"http://127.0.0.1:{port}/messages",
        "username": "us",
        "password": Secret(PASSWORD),
        "basic_auth": True,
        "sender": "dirfactor",
        "body": BodyKind.JSON,
        "fields": Lines(("to = {phone}", "from = {sender}", "body = {text}")),
        "success_status": ("200",),
        "success_body": '"status": "accepted"',
        "permanent_body": '"code": 21211',
        "message_id": '"id": "([^"]+)"',
        "error_code": '"code": (\\d+)',
    }
    return HttpSmsSettings(**(standard | changes))


def plain(port: int, **changes) -> HttpSmsSettings:
    """Everything in the URL, credentials as well."""
    standard = {
        "url": f"http://127.0.0.1:{port}/s?u={{username}}&p={{password}}&to={{phone}}&text={{text}}",
        "method": HttpMethod.GET,
        "username": "us",
        "password": Secret(PASSWORD),
        "success_status": ("200",),
    }
    return HttpSmsSettings(**(standard | changes))


async def failure(gateway, to: PhoneNumber = TO) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await gateway.send(to, MESSAGE)
    return caught.value


class TestStrictGateway:
    async def test_a_text_arrives_as_it_was_written(self, sms_program, gateway):
        receipt = await gateway(demo(sms_program.port)).send(TO, MESSAGE)
        text = sms_program.next("text")
        assert (text["to"], text["sender"], text["body"]) == (TO, "dirfactor", MESSAGE.text)
        assert receipt == Receipt("test", text["id"])

    async def test_connections_are_kept_for_the_next_text(self, sms_program, gateway):
        kept = gateway(demo(sms_program.port))
        for _ in range(3):
            await kept.send(TO, MESSAGE)
            sms_program.next("text")
        (lane,) = kept._client._transport._idle
        assert len(lane._pool.connections) == 1

    async def test_a_wrong_password_is_a_transient_failure_of_ours(self, sms_program, gateway):
        found = await failure(gateway(demo(sms_program.port, password=Secret("wrong"))))
        assert "HTTP 401, error code 401" in found.problem
        assert "password" in found.remedy
        assert (found.permanent, found.unknown) == (False, False)

    async def test_a_missing_field_is_a_transient_failure_of_ours(self, sms_program, gateway):
        fields = Lines(("to = {phone}", "body = {text}"))
        found = await failure(gateway(demo(sms_program.port, fields=fields)))
        assert "HTTP 400" in found.problem
        assert not found.permanent

    async def test_a_200_with_an_error_in_the_body_is_a_failure_of_the_number(self, sms_program, gateway):
        found = await failure(gateway(demo(sms_program.port)), WRONG_NUMBER)
        assert "HTTP 200 with a body that success_body does not match, error code 21211" in found.problem
        assert found.permanent

    async def test_there_is_no_way_to_read_texts_back(self, sms_program):
        async with http_client(None) as client:
            for method in ("GET", "HEAD", "PUT", "DELETE"):
                answer = await client.request(method, f"http://127.0.0.1:{sms_program.port}/outbox")
                assert answer.status_code == httpx.codes.NOT_IMPLEMENTED

    @pytest.mark.parametrize(
        ("path", "headers", "body", "status"),
        [
            ("/", {}, b"{}", 404),
            ("/messages", {"Authorization": "Basic bm86bm8="}, b"{}", 401),
            ("/messages", {"Authorization": "B\u00e4sic"}, b"{}", 401),
            ("/messages", {"Content-Type": "text/plain"}, b"{}", 415),
            ("/messages", {}, b"[]", 400),
            ("/messages", {}, b'{"to": 1, "from": "a", "body": "b"}', 400),
            ("/messages", {}, b'{"to": "+12025550123", "from": "a", "body": "b", "more": 1}', 400),
            ("/messages", {}, b'{"to": "+12025550123", "from": "a", "body": ""}', 400),
            ("/messages", {}, b'{"to": "+12025550123", "from": "a", "body": "%s"}' % (b"x" * 1601), 400),
            ("/messages", {}, b" " * 17000, 411),
        ],
    )
    async def test_it_refuses_what_real_ones_refuse(self, sms_program, path, headers, body, status):
        standard = {"Content-Type": "application/json"}
        auth = None if "Authorization" in headers else httpx.BasicAuth("us", PASSWORD)
        octets = {name: value.encode("latin-1") for name, value in (standard | headers).items()}
        async with http_client(None) as client:
            url = f"http://127.0.0.1:{sms_program.port}{path}"
            answer = await client.post(url, headers=octets, content=body, auth=auth)
        assert answer.status_code == status
        assert answer.json()["status"] == "refused"


@pytest.mark.parametrize("silence", [False, True])
@pytest.mark.parametrize("point", ["accepted", "head", "request", "status", "body"])
async def test_wherever_the_connection_dies_a_text_is_handed_in_at_most_once(serve, gateway, point, silence):
    """Once a request may have been read whole, it is not known what became of it; nobody asks a second time."""
    connections = []

    async def dying(reader, writer):
        connections.append(writer)
        if point == "head":
            await reader.readuntil(b"\r\n")
        elif point != "accepted":
            await reader.readuntil(b"\r\n\r\n")
        half = {"status": b"HTTP/1.1 2", "body": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"}
        writer.write(half.get(point, b""))
        await writer.drain()
        if silence:
            await asyncio.Event().wait()

    patience = 1.5 if silence else 15.0  # what runs out before the request is sent is another case
    found = await failure(gateway(plain(await serve(dying), timeout_seconds=patience)))
    assert len(connections) == 1
    assert found.unknown or point == "accepted"
    said = everything_said(found)
    assert CODE not in said
    assert TO[1:] not in said


class TestMisbehaviour:
    async def test_an_answer_that_never_comes_leaves_it_unknown_within_the_time_limit(self, serve, gateway):
        port = await serve(RawHttp(None))
        begun = time.monotonic()
        found = await failure(gateway(plain(port, timeout_seconds=0.2)))
        assert 0.15 < time.monotonic() - begun < 2.5
        assert found.unknown
        assert "0.2 s" in found.problem

    async def test_a_body_that_never_ends_is_cut_by_the_same_limit(self, serve, gateway):
        async def drip(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                writer.write(b"1\r\nx\r\n")
                await writer.drain()
                await asyncio.sleep(0.01)

        begun = time.monotonic()
        found = await failure(gateway(plain(await serve(drip), timeout_seconds=0.3)))
        assert time.monotonic() - begun < 2.5
        assert found.unknown

    async def test_a_connection_that_nobody_answers_is_known_not_to_have_sent(self, gateway, serve):
        """A listener that accepts no TLS: the time is over before the first octet of the request."""

        async def silent(reader, writer):
            await reader.read()

        url = f"https://localhost:{await serve(silent)}/?to={{phone}}&text={{text}}"
        begun = time.monotonic()
        found = await failure(gateway(plain(0, url=url, timeout_seconds=0.4)))
        assert 0.15 < time.monotonic() - begun < 2.5
        assert "could not be reached" in found.problem
        assert not found.unknown

    async def test_nobody_there_is_known_not_to_have_sent(self, serve, gateway):
        async def nothing(reader, writer):
            raise AssertionError

        port = await serve(nothing)
        closed = gateway(plain(port + 1 if port < 65535 else port - 1))
        found = await failure(closed)
        assert "could not be reached" in found.problem
        assert (found.permanent, found.unknown) == (False, False)

    async def test_a_request_that_http_cannot_carry_is_known_not_to_have_sent(self, serve, gateway):
        """Of a failure the next gateway is asked and a reservation given back; of any other exception neither."""
        peer = RawHttp(http_answer("200 OK"))
        odd = gateway(plain(await serve(peer)))
        odd._sign = lambda request, _: replace(request, headers=(("Authorization", f"É {CODE}"),))
        found = await failure(odd)
        assert (found.permanent, found.unknown) == (False, False)
        assert CODE not in everything_said(found)
        assert peer.requests == []

    async def test_a_connection_closed_without_an_answer_leaves_it_unknown(self, serve, gateway):
        peer = RawHttp(b"")
        found = await failure(gateway(plain(await serve(peer))))
        assert found.unknown
        assert len(peer.requests) == 1, "a text is handed in once"

    async def test_an_answer_that_is_no_http_leaves_it_unknown(self, serve, gateway):
        assert (await failure(gateway(plain(await serve(RawHttp(b"220 ESMTP\r\n\r\n")))))).unknown

    async def test_a_redirect_is_not_followed(self, serve, gateway):
        elsewhere = RawHttp(http_answer("200 OK"))
        location = f"Location: http://127.0.0.1:{await serve(elsewhere)}/"
        for status in ("302 Found", "307 Temporary Redirect", "308 Permanent Redirect"):
            found = await failure(gateway(plain(await serve(RawHttp(http_answer(status, b"", location))))))
            assert "redirect" in found.problem
        assert elsewhere.requests == []

    async def test_an_answer_of_more_than_64_kib_is_not_read(self, serve, gateway):
        largest = http_answer("200 OK", b"x" * 64 * 1024)
        assert await gateway(plain(await serve(RawHttp(largest)))).send(TO, MESSAGE)
        found = await failure(gateway(plain(await serve(RawHttp(http_answer("200 OK", b"x" * (64 * 1024 + 1)))))))
        assert "64 KiB" in found.problem
        assert found.unknown

    async def test_an_endless_answer_costs_no_more_than_its_limit(self, serve, gateway):
        written = 0

        async def endless(reader, writer):
            nonlocal written
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n")
            while True:
                writer.write(b"x" * 65536)
                written += 65536
                await writer.drain()

        assert (await failure(gateway(plain(await serve(endless))))).unknown
        assert written < 20 * 1024 * 1024

    async def test_an_encoded_answer_is_not_unpacked(self, serve, gateway):
        peer = RawHttp(http_answer("200 OK", b"\x1f\x8b", "Content-Encoding: gzip"))
        assert "encoded" in (await failure(gateway(plain(await serve(peer))))).problem
        assert b"Accept-Encoding: identity" in peer.requests[0]

    async def test_cookies_are_not_kept(self, serve, gateway):
        peer = RawHttp(http_answer("200 OK", b"", "Set-Cookie: a=b"))
        kept = gateway(plain(await serve(peer)))
        await kept.send(TO, MESSAGE)
        await kept.send(TO, MESSAGE)
        assert len(peer.requests) == 2
        assert b"cookie" not in peer.requests[1].lower()

    async def test_a_proxy_in_the_environment_is_not_asked(self, serve, gateway, monkeypatch):
        proxy, peer = RawHttp(http_answer("200 OK")), RawHttp(http_answer("200 OK"))
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{await serve(proxy)}")
        await gateway(plain(await serve(peer))).send(TO, MESSAGE)
        assert (len(peer.requests), len(proxy.requests)) == (1, 0)


class TestTls:
    def settings(self, port: int, **more) -> HttpSmsSettings:
        return plain(port, url=f"https://localhost:{port}/?to={{phone}}&text={{text}}", **more)

    async def test_the_configured_authority_is_trusted(self, serve, gateway, server_tls, ca_file):
        port = await serve(RawHttp(http_answer("200 OK")), server_tls)
        assert (await gateway(self.settings(port, ca_file=ca_file)).send(TO, MESSAGE)).gateway == "test"

    async def test_an_unknown_authority_is_refused_before_anything_is_sent(self, serve, gateway, server_tls):
        peer = RawHttp(http_answer("200 OK"))
        found = await failure(gateway(self.settings(await serve(peer, server_tls))))
        assert "certificate was not accepted" in found.problem
        assert "ca_file" in found.remedy
        assert not found.unknown
        assert peer.requests == []

    async def test_another_hosts_certificate_is_refused(self, serve, gateway, server_tls, ca_file):
        url = f"https://127.0.0.1:{await serve(RawHttp(http_answer('200 OK')), server_tls)}/?to={{phone}}&text={{text}}"
        found = await failure(gateway(plain(0, url=url, ca_file=ca_file)))
        assert "certificate was not accepted" in found.problem

    async def test_a_ca_file_replaces_the_systems_authorities(self, serve, gateway, server_tls, tmp_path):
        other = tmp_path / "other.pem"
        trustme.CA().cert_pem.write_to_path(str(other))
        port = await serve(RawHttp(http_answer("200 OK")), server_tls)
        assert "certificate" in (await failure(gateway(self.settings(port, ca_file=other)))).problem

    @pytest.mark.parametrize("content", [None, b"no certificate"])
    def test_a_ca_file_that_cannot_be_used_is_a_fault_at_the_start(self, tmp_path, content):
        file = tmp_path / "ca.pem"
        if content:
            file.write_bytes(content)
        with pytest.raises(Fault, match=r"ca\.pem"):
            http_client(file)


class TestSecrets:
    """Credentials, code and number are in every request, and a peer may send them back; nobody else sees them."""

    ECHO = json.dumps({"to": TO, "text": MESSAGE.text, "password": PASSWORD, "error": f"no {TO} with {PASSWORD}"})

    async def attempts(self, serve, gateway):
        """Every way in which a text can fail, and one in which it doesn't."""
        echo = self.ECHO.encode()
        header = f"X-Echo: {quote(MESSAGE.text)} {TO} {PASSWORD}"
        answers = [
            http_answer("200 OK", echo, header),
            http_answer("200 OK", TO[1:].encode()),
            http_answer("400 Bad " + PASSWORD, echo, header),
            http_answer("302 Found", echo, f"Location: http://127.0.0.1/?p={PASSWORD}"),
            f"{PASSWORD} {TO}\r\n\r\n".encode(),
            b"HTTP/1.1 200 OK\r\nBad " + PASSWORD.encode() + b"\r\n\r\n",
            http_answer("200 OK", echo * 1000),
            b"",
            None,
        ]
        loud = {"error_code": "(?s)(.+)", "message_id": "(?s)(.+)"}
        for answer in answers:
            loud["timeout_seconds"] = 3.0 if answer is not None else 0.2
            port = await serve(RawHttp(answer))
            form = {
                "url": f"http://127.0.0.1:{port}/",
                "body": BodyKind.FORM,
                "fields": Lines(("a = {phone}", "b = {text}")),
                "bearer_token": Secret(PASSWORD),
            }
            yield gateway(plain(port, **loud))
            yield gateway(plain(port, **loud, **form))
            yield gateway(plain(port, **loud, success_body="nothing says so"))
        yield gateway(plain(1, **loud))
        yield gateway(plain(1, url="http://127.0.0.1:1/{password}/{phone}/{text}", **loud))
        yield gateway(plain(1, headers=Lines(("X-Text: {text}",))))

    async def test_no_exception_and_no_log_shows_them(self, serve, gateway, caplog):
        caplog.set_level(logging.DEBUG)
        for name in ("httpx", "httpcore.http11", "httpcore.connection"):
            caplog.set_level(logging.DEBUG, logger=name)  # as an operator's logging configuration might
        said, taken, failed = [], 0, 0
        async for each in self.attempts(serve, gateway):
            channel = MintedChannel([each], time.monotonic)
            try:
                said.append(repr(await channel.deliver(TO, MESSAGE, gateways=(), deadline_seconds=5.0)))
                taken += 1
            except DeliveryFailed as caught:
                said.append(everything_said(caught))
                failed += 1
        assert (taken, failed) == (4, 26)
        for text in (*said, caplog.text, *(repr(vars(record)) for record in caplog.records)):
            for canary in (PASSWORD, quote(PASSWORD), CODE, TO[1:]):
                assert canary not in text

    async def test_a_fault_at_the_start_does_not_show_them(self):
        url = f"https://sms.example.org/?p={PASSWORD}&x={{unknown}}"
        client = http_client(None)
        with pytest.raises(Fault, match=r"^\[sms:test\]: unknown placeholder") as caught:
            from_settings(url, client)
        await client.aclose()
        assert PASSWORD not in everything_said(caught.value)

    def test_settings_do_not_show_them(self):
        assert PASSWORD not in repr(plain(1))


def from_settings(url: str, client: httpx.AsyncClient) -> None:
    from auth.channels.sms.http.gateway import HttpSmsGateway  # noqa: PLC0415 - not to be mistaken for the fixture's

    HttpSmsGateway("test", plain(1, url=url), client, SYSTEM_CLOCK)


async def test_no_time_at_all_is_a_fault_at_the_start(gateway):
    with pytest.raises(Fault, match="timeout_seconds"):
        gateway(plain(1, timeout_seconds=0.0))


class TestBehindAChannel:
    """Two gateways of which the first does not work."""

    @pytest.fixture
    async def second(self, serve) -> RawHttp:
        return RawHttp(http_answer("200 OK"))

    @pytest.fixture
    def deliver(self, serve, gateway, second):
        async def both(first_port: int, **changes) -> Receipt:
            first, last = gateway(plain(first_port, **changes)), gateway(plain(await serve(second)))
            first.name, last.name = "first", "last"
            return await MintedChannel([first, last], time.monotonic).deliver(
                TO, MESSAGE, gateways=(), deadline_seconds=2.0
            )

        return both

    async def test_one_that_is_down_is_followed_by_the_next(self, deliver, second):
        assert (await deliver(1)).gateway == "last"
        assert len(second.requests) == 1

    async def test_one_that_refuses_is_followed_by_the_next(self, serve, deliver, second):
        assert (await deliver(await serve(RawHttp(http_answer("503 Busy"))))).gateway == "last"

    async def test_one_that_hangs_may_have_sent_it_so_nobody_else_does(self, serve, deliver, second):
        with pytest.raises(DeliveryFailed, match=r"^first: gave no answer within 0\.2 s"):
            await deliver(await serve(RawHttp(None)), timeout_seconds=0.2)
        assert second.requests == []

    async def test_one_that_hangs_is_followed_by_the_next_when_set_so(self, serve, deliver, second):
        port = await serve(RawHttp(None))
        assert (await deliver(port, timeout_seconds=0.2, on_unknown=OnUnknown.FAILOVER)).gateway == "last"


async def test_giving_up_in_the_middle_leaves_the_client_usable(serve, gateway):
    """The channel's deadline cancels a request; the next one must not suffer from it."""
    peer = RawHttp(None)
    port = await serve(peer)
    cut = gateway(plain(port))
    with pytest.raises(DeliveryFailed):
        await MintedChannel([cut], time.monotonic).deliver(TO, MESSAGE, gateways=(), deadline_seconds=0.1)
    peer.answer = http_answer("200 OK")
    assert await cut.send(TO, MESSAGE)
