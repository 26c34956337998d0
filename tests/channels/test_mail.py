"""Mails through an SMTP server: what a mail looks like, what each refusal means, and that TLS comes first."""

import asyncio
import base64
import email
import email.policy
import logging
import socket
import ssl
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope
from hypothesis import given
from hypothesis import strategies as st

from auth.addresses import EmailAddress
from auth.channels.base import DeliveryFailed, Message
from auth.channels.mail.composer import Composer
from auth.channels.mail.settings import Security, SmtpSettings
from auth.channels.mail.smtp import SmtpGateway
from auth.channels.minted import MintedChannel
from auth.clock import Clock, Entropy
from channels.peers import PASSWORD, everything_said
from schema.errors import Fault
from schema.secret import Secret

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
CLOCK = Clock(now=lambda: NOW, monotonic=time.monotonic)
ENTROPY = Entropy(octets=lambda n: bytes(range(n)), below=lambda n: 0)
IDENTITY = "000102030405060708090a0b0c0d0e0f"
TO = EmailAddress("alice.canary@example.test")
CODE = "481516"
MESSAGE = Message(
    subject="Your logon code", text=f"{CODE} is your code: grüße.\n.\nIt is good for 5 minutes.", html=f"<b>{CODE}</b>"
)


@dataclass
class Peer:
    """aiosmtpd's handler: refuses by recipient or at a stage, keeps what it accepts."""

    refusals: dict[str, str] = field(default_factory=dict)
    kept: list[Envelope] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd calls it so
        if "MAIL" in self.refusals:
            return self.refusals["MAIL"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd calls it so
        if "RCPT" in self.refusals:
            return self.refusals["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd calls it so
        if "DATA" in self.refusals:
            return self.refusals["DATA"]
        self.kept.append(envelope)
        self.secured.append(session.ssl is not None)
        return "250 OK"

    def mail(self) -> email.message.EmailMessage:
        """The only one that was accepted."""
        (envelope,) = self.kept
        return parsed(envelope.content)


def parsed(octets: bytes) -> email.message.EmailMessage:
    """By Python's own parser of mails, which knows neither our settings nor our policy."""
    return email.message_from_bytes(octets, policy=email.policy.default)


def content(part: email.message.EmailMessage) -> str:
    return part.get_content().replace("\r\n", "\n")


def right_password(server, session, envelope, mechanism, data) -> AuthResult:
    """PLAIN and LOGIN."""
    return AuthResult(success=(data.login, data.password) == (b"us", PASSWORD.encode()), handled=False)


@pytest.fixture
async def smtp():
    """Start aiosmtpd in the test's own loop; gives its port."""
    servers = []

    async def start(peer: Peer, *, implicit: ssl.SSLContext | None = None, **options) -> int:
        loop = asyncio.get_running_loop()
        servers.append(
            await loop.create_server(
                lambda: SMTP(peer, hostname="mail.example.test", loop=loop, **options), "127.0.0.1", 0, ssl=implicit
            )
        )
        return servers[-1].sockets[0].getsockname()[1]

    yield start
    for server in servers:
        server.close()
    await asyncio.sleep(0.01)  # connections on their way out


@pytest.fixture
def starttls(server_tls) -> dict:
    return {"tls_context": server_tls, "require_starttls": True}


@pytest.fixture
def configured(ca_file):
    """Settings for a server on this host, which needs TLS all the same."""

    def configure(port: int | None = None, **changes) -> SmtpSettings:
        standard = {"host": "localhost", "sender": "logon@example.org", "ca_file": ca_file}
        return SmtpSettings(port=port, **(standard | changes))

    return configure


@pytest.fixture
async def gateway():
    """Build gateways from settings; waits for their farewells."""
    built = []

    def build(settings: SmtpSettings, name: str = "test") -> SmtpGateway:
        built.append(SmtpGateway(name, settings, CLOCK, ENTROPY))
        return built[-1]

    yield build
    for each in built:
        await each.aclose()


async def failure(settings: SmtpSettings, to: EmailAddress = TO) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await SmtpGateway("test", settings, CLOCK, ENTROPY).send(to, MESSAGE)
    said = everything_said(caught.value)
    assert not [canary for canary in (CODE, PASSWORD, to.partition("@")[0]) if canary in said]
    return caught.value


class TestTheMail:
    async def test_arrives_as_it_was_written(self, smtp, starttls, configured, gateway):
        peer = Peer()
        receipt = await gateway(configured(await smtp(peer, **starttls), sender_name="Jörg, IT")).send(TO, MESSAGE)
        mail = peer.mail()
        assert (peer.kept[0].mail_from, peer.kept[0].rcpt_tos) == ("logon@example.org", [TO])
        assert peer.secured == [True]
        assert str(mail["From"]) == '"Jörg, IT" <logon@example.org>'
        assert mail["To"] == TO
        assert mail["Subject"] == "Your logon code"
        assert mail["Date"].datetime == NOW
        assert mail["Message-ID"] == f"<{IDENTITY}@example.org>"
        assert receipt.message_id == f"{IDENTITY}@example.org"
        assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
        assert content(mail.get_body(("plain",))) == MESSAGE.text + "\n"
        assert mail.get_body(("plain",)).get_content_charset() == "utf-8"
        assert content(mail.get_body(("html",))) == f"<b>{CODE}</b>\n"

    async def test_without_html_is_one_plain_part(self, smtp, starttls, configured, gateway):
        peer = Peer()
        await gateway(configured(await smtp(peer, **starttls))).send(TO, Message("s", "text"))
        assert peer.mail().get_content_type() == "text/plain"
        assert content(peer.mail()) == "text\n"

    async def test_has_no_code_in_any_header(self, smtp, starttls, configured, gateway):
        peer = Peer()
        await gateway(configured(await smtp(peer, **starttls))).send(TO, MESSAGE)
        assert CODE not in f"{peer.mail().items()}"

    @given(st.text(max_size=60), st.text(max_size=300))
    def test_no_subject_or_text_makes_another_header_or_recipient(self, subject, text):
        composer = Composer(EmailAddress("logon@example.org"), "")
        octets = composer.compose(TO, Message(subject, text, text), NOW, "id").as_bytes()
        head, _, _ = octets.partition(b"\r\n\r\n")
        assert octets.isascii()
        assert all(len(line) <= 998 for line in octets.split(b"\r\n")), "RFC 5322 section 2.1.1"
        names = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
        ours = [b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"X-Auto-Response-Suppress"]
        assert names == [*ours, b"MIME-Version", b"Content-Type"]
        assert parsed(octets)["To"] == TO

    @pytest.mark.parametrize(
        "address",
        [
            "alice@example.test\r\nBcc: eve@example.test",
            "a\0b@example.test",
            "a\x1bb@example.test",
            "=?utf-8?b?DQpCY2M6IGV2ZQ==?=@example.test",
        ],
    )
    async def test_an_address_with_control_characters_is_never_sent_to(
        self, smtp, starttls, configured, address, gateway
    ):
        peer = Peer()
        with pytest.raises(DeliveryFailed) as caught:
            await gateway(configured(await smtp(peer, **starttls))).send(EmailAddress(address), MESSAGE)
        assert caught.value.permanent
        assert peer.kept == []

    @pytest.mark.parametrize("word", ["=?utf-8?q?=0d=0aBcc:_eve=40example.test?=", "=?utf-8?b?DQpCY2M6IGV2ZQ==?="])
    def test_an_encoded_word_in_subject_or_name_is_shown_and_not_decoded(self, word):
        """Python's library decodes it (RFC 2047), with the line breaks in it."""
        mail = parsed(Composer(EmailAddress("logon@example.org"), word).octets(TO, Message(word, "t"), NOW, "id"))
        assert "Bcc" not in mail
        assert mail["Subject"] == word.replace("=?", "= ?")
        assert mail["From"].addresses[0].display_name == word.replace("=?", "= ?")

    async def test_goes_to_an_address_beyond_ascii_where_the_server_takes_it(self, smtp, starttls, configured, gateway):
        """RFC 6531."""
        peer, to = Peer(), EmailAddress("jörg@example.test")
        await gateway(configured(await smtp(peer, enable_SMTPUTF8=True, **starttls))).send(to, MESSAGE)
        assert peer.kept[0].rcpt_tos == [to]
        assert f"To: {to}".encode() in peer.kept[0].content

    async def test_does_not_go_there_where_the_server_does_not(self, smtp, starttls, configured):
        peer = Peer()
        found = await failure(configured(await smtp(peer, **starttls)), EmailAddress("jörg@example.test"))
        assert "SMTPUTF8" in found.problem
        assert not found.permanent
        assert peer.kept == []


class TestRefusals:
    @pytest.mark.parametrize(
        ("stage", "answer", "permanent"),
        [
            ("RCPT", "452 4.2.2 <alice.canary@example.test> mailbox full", False),
            ("RCPT", "450 4.2.1 try later", False),
            ("RCPT", "421 4.3.2 closing", False),
            ("RCPT", "550 5.1.1 <alice.canary@example.test>: no such user", True),
            ("RCPT", "550 alice.canary? no such user", True),
            ("RCPT", "553 5.0.0 no", True),
            ("RCPT", "552 5.2.2 mailbox full for good", True),
            ("RCPT", "554 5.7.1 <alice.canary@example.test>: relay access denied", False),
            ("RCPT", "530 authentication required", False),
            ("RCPT", "550 5.7.30 basic authentication is not supported", False),
            ("MAIL", "530 5.7.0 must log in", False),
            ("MAIL", "550 5.1.0 we do not know this sender", False),
            ("MAIL", "451 4.3.0 later", False),
            ("DATA", "451 4.3.0 later", False),
            ("DATA", "550 5.1.1 no such user", True),
            ("DATA", "554 5.7.1 looks like spam", False),
            ("DATA", "552 5.3.4 too big", False),
        ],
    )
    async def test_only_what_is_about_the_mailbox_is_permanent(
        self, smtp, starttls, configured, stage, answer, permanent
    ):
        found = await failure(configured(await smtp(Peer({stage: answer}), **starttls)))
        assert answer[:3] in found.problem
        assert found.permanent == permanent
        assert not found.unknown
        assert ("mail address" in found.remedy) == permanent

    async def test_a_refused_login_is_about_us(self, smtp, starttls, configured):
        account = {"username": "us", "password": Secret("wrong-" + PASSWORD)}
        options = {"authenticator": right_password, "auth_required": True}
        found = await failure(configured(await smtp(Peer(), **starttls, **options), **account))
        assert "the login with 535" in found.problem
        assert "username and password" in found.remedy
        assert (found.permanent, found.unknown) == (False, False)

    async def test_a_wrong_password_is_tried_once(self, smtp, starttls, configured):
        tried = []

        def count(server, session, envelope, mechanism, data):
            tried.append(mechanism)
            return AuthResult(success=False, handled=False)

        account = {"username": "us", "password": Secret(PASSWORD)}
        options = {"authenticator": count, "auth_required": True}
        await failure(configured(await smtp(Peer(), **starttls, **options), **account))
        assert tried == ["PLAIN"]

    async def test_a_server_that_wants_a_login_says_530(self, smtp, starttls, configured):
        options = {"authenticator": right_password, "auth_required": True}
        found = await failure(configured(await smtp(Peer(), **starttls, **options)))
        assert "the sender with 530" in found.problem
        assert "username and password" in found.remedy
        assert not found.permanent

    @pytest.mark.parametrize("left_out", [[], ["PLAIN"]])
    async def test_the_right_password_gets_through(self, smtp, starttls, configured, left_out, gateway):
        peer = Peer()
        options = {"authenticator": right_password, "auth_required": True, "auth_exclude_mechanism": left_out}
        account = {"username": "us", "password": Secret(PASSWORD)}
        assert await gateway(configured(await smtp(peer, **starttls, **options), **account)).send(TO, MESSAGE)
        assert len(peer.kept) == 1

    async def test_a_server_without_auth_gets_no_password(self, smtp, starttls, configured):
        options = {"auth_exclude_mechanism": ["PLAIN", "LOGIN"]}
        account = {"username": "us", "password": Secret(PASSWORD)}
        found = await failure(configured(await smtp(Peer(), **starttls, **options), **account))
        assert "does not offer AUTH" in found.problem


class TestTls:
    async def test_a_server_that_does_not_offer_starttls_is_refused(self, smtp, configured):
        """Whether it never could, or somebody on the way took the offer out."""
        peer = Peer()
        account = {"username": "us", "password": Secret(PASSWORD)}
        found = await failure(configured(await smtp(peer, auth_require_tls=False), **account))
        assert "does not offer STARTTLS" in found.problem
        assert peer.kept == []

    @pytest.mark.parametrize("answer", ["454 4.7.0 TLS not available", "220 2.0.0 go ahead\r\n250 injected"])
    async def test_a_server_that_takes_the_offer_back_is_refused(self, serve, configured, answer):
        script = Script("220 hello", {"EHLO": "250-hello\r\n250 STARTTLS", "STARTTLS": answer})
        found = await failure(configured(await serve(script), timeout_seconds=0.5))
        assert (found.permanent, found.unknown) == (False, False)
        assert script.commands[:2] == ["EHLO example.org", "STARTTLS"]
        assert not {"MAIL", "AUTH"} & {command[:4] for command in script.commands}

    @pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
    async def test_an_unknown_authority_is_refused(self, smtp, starttls, server_tls, configured, security, tmp_path):
        other = tmp_path / "other.pem"
        trustme.CA().cert_pem.write_to_path(str(other))
        peer = Peer()
        port = await (smtp(peer, **starttls) if security is Security.STARTTLS else smtp(peer, implicit=server_tls))
        for ca_file in (other, None):
            found = await failure(configured(port, ca_file=ca_file, security=security))
            assert "certificate was not accepted" in found.problem
            assert "ca_file" in found.remedy
            assert not found.unknown
        assert peer.kept == []

    async def test_another_hosts_certificate_is_refused(self, smtp, starttls, configured):
        found = await failure(configured(await smtp(Peer(), **starttls), host="127.0.0.1"))
        assert "certificate was not accepted" in found.problem

    async def test_tls_from_the_first_octet(self, smtp, server_tls, configured, gateway):
        peer = Peer()
        port = await smtp(peer, implicit=server_tls)
        assert await gateway(configured(port, security=Security.TLS)).send(TO, MESSAGE)
        assert len(peer.kept) == 1

    async def test_clear_text_is_for_this_host_only(self, smtp, configured, gateway):
        peer = Peer()
        await gateway(configured(await smtp(peer), security=Security.NONE)).send(TO, MESSAGE)
        assert peer.secured == [False]
        with pytest.raises(Fault, match="clear text"):
            gateway(configured(25, host="mail.example.org", security=Security.NONE))


@dataclass
class Script:
    """A server that answers by the book that it was given, and hangs where the book says nothing."""

    greeting: str
    answers: dict[str, str]
    commands: list[str] = field(default_factory=list)

    async def __call__(self, reader, writer):
        writer.write(f"{self.greeting}\r\n".encode())
        inside_mail = False
        while line := await reader.readline():
            command = line.decode(errors="replace").strip()
            if inside_mail and command != ".":
                continue
            self.commands.append(command)
            inside_mail = command == "DATA"
            answer = self.answers.get(command.partition(" ")[0])
            if answer == "":
                return
            if answer is None:
                await asyncio.Event().wait()
            writer.write(f"{answer}\r\n".encode())


UP_TO_DATA = {"EHLO": "250 hello", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", ".": "250 ok"}


class TestMisbehaviour:
    def settings(self, configured, port: int, **changes) -> SmtpSettings:
        return configured(port, security=Security.NONE, **changes)

    @pytest.mark.parametrize("silent_at", ["EHLO", "MAIL", "RCPT", "DATA", "."])
    async def test_a_silent_server_costs_no_more_than_the_time_limit(self, serve, configured, silent_at):
        """Unknown is it only once the mail itself was on its way."""
        answers = {command: answer for command, answer in UP_TO_DATA.items() if command != silent_at}
        begun = time.monotonic()
        found = await failure(self.settings(configured, await serve(Script("220 hello", answers)), timeout_seconds=0.4))
        assert 0.15 < time.monotonic() - begun < 2.5
        assert found.unknown == (silent_at in ("DATA", "."))
        assert not found.permanent

    @pytest.mark.parametrize("gone_at", ["EHLO", "MAIL", "RCPT", "."])
    async def test_a_server_that_goes_away(self, serve, configured, gone_at):
        found = await failure(self.settings(configured, await serve(Script("220 hello", UP_TO_DATA | {gone_at: ""}))))
        assert found.unknown == (gone_at == ".")

    @pytest.mark.parametrize("greeting", ["HTTP/1.1 200 OK", "", "554 no service", "\xff\xfe", "2"])
    async def test_a_greeting_that_is_none(self, serve, configured, greeting):
        found = await failure(self.settings(configured, await serve(Script(greeting, {}))))
        assert (found.permanent, found.unknown) == (False, False)
        assert "host, port and security" in found.remedy

    async def test_nonsense_after_the_mail_leaves_it_unknown(self, serve, configured):
        found = await failure(self.settings(configured, await serve(Script("220 hello", UP_TO_DATA | {".": "what?"}))))
        assert found.unknown

    async def test_nobody_there(self, configured):
        found = await failure(self.settings(configured, 1))
        assert "connection" in found.problem
        assert not found.unknown

    async def test_a_host_that_cannot_be_looked_up(self, configured):
        found = await failure(configured(25, host="mail..example.test"))
        assert "UnicodeError" in found.problem
        assert not found.unknown

    async def test_a_silent_farewell_holds_up_the_end_of_the_service_for_a_second_at_most(self, serve, configured):
        script = Script("220 hello", UP_TO_DATA | {"QUIT": None})
        leaving = SmtpGateway("test", self.settings(configured, await serve(script)), CLOCK, ENTROPY)
        assert await leaving.send(TO, MESSAGE)
        async with asyncio.timeout(5):
            await leaving.aclose()
        assert "QUIT" in script.commands


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sender": "nobody"}, "sender"),
        ({"sender": "Login <logon@example.org>"}, "sender"),
        ({"sender_name": "two\nlines"}, "sender_name"),
        ({"sender_name": "=?utf-8?q?x?="}, "sender_name"),
        ({"sender_name": "Example <boss@example.org>, " * 6}, "sender_name"),
        ({"username": "us"}, "username and password"),
        ({"password": Secret("x")}, "username and password"),
        ({"port": 70000}, "port"),
        ({"port": 0}, "port"),
        ({"host": "mail\nhost"}, "host"),
        ({"helo_name": "two words"}, "helo_name"),
        ({"timeout_seconds": 0.0}, "timeout_seconds"),
    ],
)
def test_a_section_that_cannot_work_is_refused_with_its_name(configured, changes, problem, gateway):
    with pytest.raises(Fault, match=rf"^\[email:test\].*{problem}"):
        gateway(configured(**changes))


@pytest.mark.parametrize(("security", "port"), [(Security.STARTTLS, 587), (Security.TLS, 465), (Security.NONE, 25)])
def test_the_port_follows_from_the_security(configured, security, port, gateway):
    assert gateway(configured(security=security))._client().port == port


async def test_no_log_shows_address_code_or_password(smtp, starttls, configured, gateway, caplog):
    caplog.set_level(logging.DEBUG, logger="asyncio")
    caplog.set_level(logging.DEBUG, logger="dirfactor")
    options = {"authenticator": right_password, "auth_required": True}
    account = {"username": "us", "password": Secret(PASSWORD)}
    refusing = await smtp(Peer({"RCPT": f"450 4.1.1 {TO} {CODE}"}), **starttls, **options)
    good = await smtp(Peer(), **starttls, **options)
    channel = MintedChannel(
        [gateway(configured(refusing, **account), "refusing"), gateway(configured(good, **account), "good")],
        time.monotonic,
    )
    assert (await channel.deliver(TO, MESSAGE, gateways=(), deadline_seconds=3.0)).gateway == "good"
    ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("mail"))
    assert "refusing: refused the recipient with 450 4.1.1" in ours
    for canary in (CODE, PASSWORD, TO, base64.b64encode(f"\0us\0{PASSWORD}".encode()).decode()):
        assert canary not in ours


class TestDemoServer:
    """The demo's own mail server, as strict as a real one."""

    def settings(self, configured, port: int, **changes) -> SmtpSettings:
        return configured(port, **({"username": "us", "password": Secret(PASSWORD)} | changes))

    async def test_a_mail_arrives_as_it_was_written(self, mail_program, configured, gateway):
        receipt = await gateway(self.settings(configured, mail_program.port)).send(TO, MESSAGE)
        seen = mail_program.next("mail")
        assert (seen["to"], seen["subject"], seen["text"]) == (TO, MESSAGE.subject, MESSAGE.text + "\n")
        assert seen["id"] == f"<{receipt.message_id}>"

    async def test_it_refuses_a_wrong_password_and_no_password(self, mail_program, configured):
        port = mail_program.port
        assert "535" in (await failure(self.settings(configured, port, password=Secret("wrong")))).problem
        assert "530" in (await failure(self.settings(configured, port, username="", password=None))).problem

    def test_it_takes_nothing_before_starttls(self, mail_program):
        commands = (
            "MAIL FROM:<a@example.test>",
            "AUTH PLAIN AA==",
            "RCPT TO:<b@example.test>",
            "DATA",
            "VRFY x",
            "NOOP",
        )
        with (
            socket.create_connection(("127.0.0.1", mail_program.port), timeout=5) as plain,
            plain.makefile("rb") as said,
        ):
            plain.sendall("".join(f"{command}\r\n" for command in (*commands, "EHLO me", "QUIT")).encode())
            answers = said.read().decode().splitlines()
        assert [answer[:3] for answer in answers[1:7]] == ["530", "530", "530", "530", "502", "250"]
        assert "250 STARTTLS" in answers

    def test_what_came_in_clear_text_before_tls_is_no_command_afterwards(self, mail_program, ca_file):
        """RFC 3207 section 4.2; a command slipped in behind STARTTLS must not run inside."""
        tls = ssl.create_default_context(cafile=ca_file)
        with socket.create_connection(("127.0.0.1", mail_program.port), timeout=5) as plain:
            plain.recv(1000)
            plain.sendall(b"STARTTLS\r\nNOOP\r\n")
            assert plain.recv(1000).startswith(b"220 ")
            with tls.wrap_socket(plain, server_hostname="localhost") as secured:
                secured.sendall(b"EHLO me\r\n")
                assert secured.recv(1000).startswith(b"250-localhost"), "not the answer to NOOP"


@given(
    st.text(
        st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), include_characters="\n"), min_size=1, max_size=500
    )
)
def test_any_text_survives_the_encoding(text):
    composer = Composer(EmailAddress("logon@example.org"), "")
    octets = composer.compose(TO, Message("s", text, None), NOW, "id").as_bytes()
    assert content(parsed(octets)).rstrip("\n") == text.rstrip("\n")
