"""Access tokens: whom the endpoint believes, how long a token is kept, and that nobody waits for its renewal."""

import asyncio
import json
import re
import time
from dataclasses import dataclass
from urllib.parse import parse_qs

import pytest

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY, Clock
from auth.oauth.answers import TokenRefused, read_token
from auth.oauth.source import TokenSource
from channels.peers import everything_said, http_answer
from microsoft.running import REFRESH, SECRET, register
from schema.errors import Fault
from schema.secret import Secret


@dataclass
class Hands:
    """A clock whose monotonic time a test moves."""

    ahead: float = 0.0

    def clock(self) -> Clock:
        return Clock(now=SYSTEM_CLOCK.now, monotonic=lambda: time.monotonic() + self.ahead)


@pytest.fixture
async def source():
    """Build sources from settings; closes them."""
    built = []

    def build(settings, clock: Clock = SYSTEM_CLOCK) -> TokenSource:
        built.append(TokenSource(settings, clock, SYSTEM_ENTROPY))
        return built[-1]

    yield build
    for each in built:
        await each.aclose()


async def refusal(source: TokenSource) -> TokenRefused:
    with pytest.raises(TokenRefused) as caught:
        await source.token()
    said = everything_said(caught.value)
    assert not [canary for canary in (SECRET, REFRESH, "canary") if canary in said]
    return caught.value


def events(microsoft) -> list[str]:
    return [event["event"] for event in microsoft.events()]


class TestWhoAsks:
    async def test_a_secret_is_believed(self, source, microsoft):
        assert await source(microsoft.tokens()).token()

    async def test_a_certificate_is_believed_every_time(self, source, microsoft):
        """The double verifies the signature itself, and takes no assertion twice."""
        asked = source(
            microsoft.tokens(client_secret=None, certificate=microsoft.certificate, private_key=microsoft.key)
        )
        for _ in range(2):
            asked.refused(await asked.token())
        assert events(microsoft) == ["token", "token"]

    async def test_a_refresh_token_is_believed(self, source, microsoft):
        assert await source(microsoft.tokens(refresh_token=Secret(REFRESH), scope="")).token()

    @pytest.mark.parametrize(
        ("changes", "said", "remedy"),
        [
            ({"client_secret": Secret("canary-wrong")}, "401 invalid_client AADSTS7000215", "secret's value"),
            ({"client_id": "another"}, "400 unauthorized_client AADSTS700016", "client_id"),
            ({"scope": "https://graph.example.org/Mail.Send"}, "400 invalid_scope AADSTS70011", "/.default"),
            ({"refresh_token": Secret("canary-old")}, "400 invalid_grant AADSTS700082", "refresh token"),
        ],
    )
    async def test_a_refusal_says_what_to_mend(self, source, microsoft, changes, said, remedy):
        found = await refusal(source(microsoft.tokens(**changes)))
        assert said in found.problem
        assert remedy in found.remedy

    async def test_an_unknown_tenant_says_so(self, source, microsoft):
        found = await refusal(source(microsoft.tokens(url=microsoft.token_url.replace("example.org", "nobody.test"))))
        assert "AADSTS90002" in found.problem
        assert "tenant" in found.remedy

    async def test_another_certificate_is_not_believed(self, source, microsoft, tmp_path):
        certificate, key = register(tmp_path, "other")
        found = await refusal(source(microsoft.tokens(client_secret=None, certificate=certificate, private_key=key)))
        assert "AADSTS700027" in found.problem

    def test_a_key_of_another_certificate_is_found_at_the_start(self, source, microsoft, tmp_path):
        _, key = register(tmp_path, "other")
        with pytest.raises(Fault, match="do not belong together"):
            source(microsoft.tokens(client_secret=None, certificate=microsoft.certificate, private_key=key))

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"url": "http://login.example.org/token"}, "clear text"),
            ({"url": "nonsense"}, "token_url is no https address"),
            ({"client_secret": None}, "neither client_secret nor assertion_certificate"),
            ({"client_id": ""}, "client_id is missing"),
        ],
    )
    def test_settings_that_cannot_work_are_refused_at_the_start(self, source, microsoft, changes, problem):
        with pytest.raises(Fault, match=problem):
            source(microsoft.tokens(**changes))


class TestKeeping:
    async def test_however_many_ask_at_once_the_endpoint_is_asked_once(self, source, microsoft):
        asked = source(microsoft.tokens())
        tokens = await asyncio.gather(*(asked.token() for _ in range(20)))
        assert len({token.text for token in tokens}) == 1
        assert events(microsoft) == ["token"]
        assert events(microsoft) == []

    async def test_near_its_end_a_token_is_renewed_while_it_is_still_given_out(self, source, microsoft):
        hands = Hands()
        asked = source(microsoft.tokens(), hands.clock())
        first = await asked.token()
        hands.ahead = 3600 - 299
        assert (await asked.token()).matches(first), "nobody waits"
        async with asyncio.timeout(5):
            while (await asked.token()).matches(first):
                await asyncio.sleep(0.01)
        assert events(microsoft) == ["token", "token"]
        assert events(microsoft) == [], "once"

    async def test_an_endpoint_that_is_away_is_not_noticed_until_the_token_ends(self, source, microsoft, serve):
        hands, answers = Hands(), [b'{"access_token": "t1", "token_type": "Bearer", "expires_in": 600}']
        asked_at = []

        async def once(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            asked_at.append(hands.ahead)
            writer.write(http_answer("200 OK", answers.pop()) if answers else http_answer("500 Oops"))
            await writer.drain()

        asked = source(microsoft.tokens(url=f"http://localhost:{await serve(once)}", ca_file=None), hands.clock())
        assert (await asked.token()).text == "t1"
        for ahead in (400, 401, 429, 431, 599):
            hands.ahead = ahead
            assert (await asked.token()).text == "t1"
            await asyncio.wait([asked._renewal])
        assert asked_at == [0, 400, 431, 599], "not at every mail"
        hands.ahead = 601
        assert "HTTP 500" in (await refusal(asked)).problem

    async def test_an_endpoint_that_refuses_is_asked_once_a_second_however_many_want_a_token(
        self, source, microsoft, serve
    ):
        hands, asked_at = Hands(), []

        async def refusing(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            asked_at.append(hands.ahead)
            writer.write(http_answer("400 Bad Request", b'{"error": "invalid_client"}'))
            await writer.drain()

        asked = source(microsoft.tokens(url=f"http://localhost:{await serve(refusing)}", ca_file=None), hands.clock())
        for ahead in (0, 0, 0, 60, 60):
            hands.ahead = ahead
            assert "invalid_client" in (await refusal(asked)).problem
        assert asked_at == [0, 60]

    async def test_a_refused_token_is_given_out_no_more(self, source, microsoft):
        asked = source(microsoft.tokens())
        first = await asked.token()
        asked.refused(first)
        second = await asked.token()
        assert not second.matches(first)
        asked.refused(first)
        assert (await asked.token()).matches(second), "another one's refusal"

    async def test_who_is_cancelled_while_waiting_takes_nothing_from_the_others(self, source, microsoft):
        asked = source(microsoft.tokens())
        impatient = asyncio.ensure_future(asked.token())
        await asyncio.sleep(0)
        patient = asyncio.ensure_future(asked.token())
        await asyncio.sleep(0)
        impatient.cancel()
        assert await patient
        assert events(microsoft) == ["token"]


class TestRefreshTokens:
    @staticmethod
    def answering(said: list[str], refresh_tokens: list[str]):
        async def once(reader, writer):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
            said.append(parse_qs((await reader.readexactly(length)).decode())["refresh_token"][0])
            given = {"access_token": f"t{len(said)}", "token_type": "Bearer"}
            if refresh_tokens:
                given["refresh_token"] = refresh_tokens.pop(0)
            writer.write(http_answer("200 OK", json.dumps(given).encode()))
            await writer.drain()

        return once

    async def ask_three_times(self, source, microsoft, serve, refresh_tokens) -> list[str]:
        said: list[str] = []
        port = await serve(self.answering(said, refresh_tokens))
        settings = microsoft.tokens(url=f"http://localhost:{port}", ca_file=None, refresh_token=Secret("canary-1"))
        asked = source(settings)
        for _ in range(3):
            asked.refused(await asked.token())
        return said

    async def test_another_one_is_used_from_then_on_and_told_once_without_it(self, source, microsoft, serve, caplog):
        said = await self.ask_three_times(source, microsoft, serve, ["canary-2", "canary-3"])
        assert said == ["canary-1", "canary-2", "canary-3"]
        told = [record.getMessage() for record in caplog.records if record.name == "dirfactor.oauth"]
        assert len(told) == 1
        assert "exchanged refresh_token for another one" in told[0]
        assert "canary" not in caplog.text

    @pytest.mark.parametrize("refresh_tokens", [[], ["canary-1", "canary-1"]])
    async def test_of_one_that_stays_nothing_is_told(self, source, microsoft, serve, caplog, refresh_tokens):
        assert await self.ask_three_times(source, microsoft, serve, refresh_tokens) == ["canary-1"] * 3
        assert not caplog.records


class TestAnswers:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>",
            b"[]",
            b'{"token_type": "Bearer"}',
            b'{"access_token": "x", "token_type": "mac"}',
            b'{"access_token": "x\\r\\nRCPT TO:<eve@example.test>", "token_type": "Bearer"}',
            b'{"access_token": "x\\u0001auth=", "token_type": "Bearer"}',
            b'{"access_token": "", "token_type": "Bearer"}',
            b'{"access_token": "x", "token_type": "Bearer", "expires_in": "soon"}',
        ],
    )
    def test_what_is_no_token_is_none(self, body):
        with pytest.raises(TokenRefused):
            read_token(200, body)

    def test_seconds_may_be_written_as_text(self):
        """As older endpoints of Microsoft do."""
        assert read_token(200, b'{"access_token": "x", "token_type": "bearer", "expires_in": "3599"}').seconds == 3599

    def test_nothing_of_a_refusal_is_quoted_but_its_word_and_numbers(self):
        body = b'{"error": "canary Secret", "error_description": "canary", "error_codes": [7000215]}'
        with pytest.raises(TokenRefused) as caught:
            read_token(400, body)
        assert "canary" not in everything_said(caught.value)
        assert "AADSTS7000215" in caught.value.problem


@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_that_is_nested_without_end_is_one_that_cannot_be_used(status):
    nested = b"[" * 30_000 + b"]" * 30_000
    with pytest.raises(TokenRefused):
        read_token(status, b'{"access_token": "t1", "token_type": "Bearer", "error": "x", "more": ' + nested + b"}")
