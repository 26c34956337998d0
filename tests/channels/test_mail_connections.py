"""Connections to a mail server: kept after a mail, few at once, and never the reason that a mail goes twice or not."""

import asyncio
import base64
import json
from dataclasses import dataclass, field

import pytest

from auth.addresses import EmailAddress
from auth.channels.base import DeliveryFailed, Message
from auth.channels.mail.settings import Security, SmtpSettings
from auth.channels.mail.smtp import SmtpGateway
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from microsoft.running import SMTP_SCOPE
from schema.errors import Fault
from schema.secret import Secret

TO = EmailAddress("alice.canary@example.test")
MESSAGE = Message("s", "text")


@dataclass
class Server:
    """A mail server by the book, which a test may let go wrong; it counts connections and mails.

    Attributes:
        dies_after: mails after which it hangs up, or says 421 to the next command when `politely`.
        good: tokens that XOAUTH2 lets in; None when there is no AUTH.
        hold: mails are answered when it is set.
    """

    dies_after: int = 1000
    politely: bool = False
    good: set[str] | None = None
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    connections: int = 0
    most: int = 0
    mails: int = 0
    tried: list[str] = field(default_factory=list)
    open: int = 0

    async def __call__(self, reader, writer):
        self.connections += 1
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            await self._talk(reader, writer)
        finally:
            self.open -= 1

    async def _talk(self, reader, writer):
        writer.write(b"220 hello\r\n")
        here = 0
        while line := await reader.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            if here >= self.dies_after and verb != "QUIT":
                if self.politely:
                    writer.write(b"421 4.4.2 bye\r\n")
                return
            match verb:
                case "EHLO":
                    offered = b"250-AUTH XOAUTH2\r\n" if self.good is not None else b""
                    writer.write(b"250-hello\r\n" + offered + b"250 SIZE\r\n")
                case "AUTH":
                    await self._log_in(rest, reader, writer)
                case "DATA":
                    writer.write(b"354 go on\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                    await self.hold.wait()
                    self.mails += 1
                    here += 1
                    writer.write(b"250 2.0.0 Ok: queued as 4XyZ12abc\r\n")
                case "QUIT":
                    writer.write(b"221 bye\r\n")
                    return
                case _:
                    writer.write(b"250 ok\r\n")

    async def _log_in(self, rest, reader, writer):
        said = base64.b64decode(rest.partition(" ")[2]).decode()
        user, bearer = said.removesuffix("\1\1").split("\1")
        assert user == "user=logon@example.org"
        token = bearer.removeprefix("auth=Bearer ")
        self.tried.append(token)
        if token in self.good:
            writer.write(b"235 2.7.0 ok\r\n")
            return
        writer.write(b"334 " + base64.b64encode(json.dumps({"status": "400"}).encode()) + b"\r\n")
        assert await reader.readline() == b"\r\n"
        writer.write(b"535 5.7.8 no\r\n")


@pytest.fixture
async def mailer(serve):
    built = []

    async def build(server: Server, **changes) -> SmtpGateway:
        if not changes.pop("holding", False):
            server.hold.set()
        standard = {"host": "localhost", "sender": "logon@example.org", "security": Security.NONE}
        settings = SmtpSettings(port=await serve(server), **(standard | changes))
        built.append(SmtpGateway("test", settings, SYSTEM_CLOCK, SYSTEM_ENTROPY))
        return built[-1]

    yield build
    for each in built:
        await each.aclose()


class TestKeeping:
    async def test_the_next_mail_takes_the_connection_of_the_last(self, mailer):
        server = Server()
        gateway = await mailer(server)
        for _ in range(3):
            await gateway.send(TO, MESSAGE)
        assert (server.connections, server.mails) == (1, 3)

    @pytest.mark.parametrize("politely", [False, True])
    async def test_a_kept_connection_that_has_ended_costs_no_mail_and_sends_none_twice(self, mailer, politely):
        server = Server(dies_after=1, politely=politely)
        gateway = await mailer(server)
        for _ in range(3):
            await gateway.send(TO, MESSAGE)
        assert (server.connections, server.mails) == (3, 3)

    async def test_no_more_than_allowed_are_open_and_the_others_wait(self, mailer):
        server = Server()
        gateway = await mailer(server, connections=2, holding=True)
        sending = [asyncio.ensure_future(gateway.send(TO, MESSAGE)) for _ in range(6)]
        async with asyncio.timeout(5):
            while server.open < 2:
                await asyncio.sleep(0.01)
        server.hold.set()
        await asyncio.gather(*sending)
        assert (server.most, server.mails) == (2, 6)

    async def test_who_gets_no_turn_in_time_is_told_so_and_nothing_is_unknown(self, mailer):
        server = Server()
        gateway = await mailer(server, connections=1, holding=True, timeout_seconds=30.0)
        first = asyncio.ensure_future(gateway.send(TO, MESSAGE))
        async with asyncio.timeout(5):
            while not server.open:
                await asyncio.sleep(0.01)
        with pytest.raises(DeliveryFailed, match="no connection free") as caught:
            await gateway.send(TO, MESSAGE, seconds=0.05)
        assert not caught.value.unknown
        server.hold.set()
        assert await first

    async def test_a_mail_that_was_cut_off_leaves_no_connection_behind(self, mailer):
        server = Server()
        gateway = await mailer(server, holding=True)
        with pytest.raises(DeliveryFailed) as caught:
            await gateway.send(TO, MESSAGE, seconds=0.2)
        assert caught.value.unknown
        server.hold.set()
        await gateway.send(TO, MESSAGE)
        assert server.connections == 2

    async def test_a_hundred_mails_are_enough_for_one(self, mailer):
        server = Server()
        gateway = await mailer(server)
        for _ in range(101):
            await gateway.send(TO, MESSAGE)
        assert server.connections == 2

    async def test_a_rehearsal_hands_over_nothing_and_says_farewell(self, mailer):
        server = Server()
        gateway = await mailer(server)
        passage = await gateway.rehearse(TO)
        assert (passage.message_id, passage.queue_id, passage.tls, passage.authentication) == (None, None, None, None)
        assert server.mails == 0
        async with asyncio.timeout(5):
            while server.open:
                await asyncio.sleep(0.01)

    async def test_the_queue_id_is_told(self, mailer):
        assert (await (await mailer(Server())).hand_in(TO, MESSAGE)).queue_id == "4XyZ12abc"


@pytest.fixture
def with_tokens(microsoft):
    return {
        "username": "logon@example.org",
        "token_url": microsoft.token_url,
        "client_id": microsoft.tokens().client_id,
        "client_secret": microsoft.tokens().client_secret,
        "scope": SMTP_SCOPE,
        "ca_file": microsoft.ca_file,
    }


class Anything(set):
    """Lets every token in, or every one but the first."""

    def __init__(self, first: bool) -> None:  # noqa: FBT001 - two kinds of server
        super().__init__()
        self._first = first
        self._seen: list[str] = []

    def __contains__(self, token: object) -> bool:
        self._seen.append(str(token))
        return self._first or len(self._seen) > 1


class TestXoauth2:
    async def test_a_token_opens_the_door(self, mailer, with_tokens):
        server = Server(good=Anything(first=True))
        passage = await (await mailer(server, **with_tokens)).hand_in(TO, MESSAGE)
        assert passage.authentication == "XOAUTH2 as logon@example.org"
        assert server.mails == 1

    async def test_a_token_that_is_refused_is_renewed_once(self, mailer, with_tokens):
        server = Server(good=Anything(first=False))
        await (await mailer(server, **with_tokens)).send(TO, MESSAGE)
        assert len(set(server.tried)) == 2
        assert server.mails == 1

    async def test_a_server_that_takes_none_is_asked_twice_and_no_more(self, mailer, with_tokens):
        server = Server(good=set())
        with pytest.raises(DeliveryFailed, match="the login with 535") as caught:
            await (await mailer(server, **with_tokens)).send(TO, MESSAGE)
        assert len(set(server.tried)) == len(server.tried) == 2
        assert not caught.value.permanent
        assert server.mails == 0

    async def test_a_server_without_xoauth2_gets_no_token(self, mailer, with_tokens):
        server = Server()
        with pytest.raises(DeliveryFailed, match="does not offer AUTH XOAUTH2"):
            await (await mailer(server, **with_tokens)).send(TO, MESSAGE)
        assert server.tried == []

    async def test_an_endpoint_that_gives_no_token_says_why(self, mailer, with_tokens):
        wrong = with_tokens | {"client_secret": Secret("canary-wrong")}
        with pytest.raises(DeliveryFailed, match="AADSTS7000215") as caught:
            await (await mailer(Server(good=set()), **wrong)).send(TO, MESSAGE)
        assert "client_secret" in caught.value.remedy

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"password": Secret("x")}, "password and token_url"),
            ({"username": ""}, "username is missing"),
            ({"token_url": "", "username": ""}, "client_id, client_secret, scope set without token_url"),
            ({"client_secret": None}, "neither client_secret nor assertion_certificate"),
        ],
    )
    async def test_settings_that_do_not_go_together_are_refused(self, mailer, with_tokens, changes, problem):
        with pytest.raises(Fault, match=problem):
            await mailer(Server(), **(with_tokens | changes))
