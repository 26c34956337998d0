"""Mails through Postfix: every way to log in, every kind of refusal, and what arrives."""

import asyncio
import contextlib
import ssl
from http.client import HTTPSConnection

import pytest

from auth.addresses import EmailAddress
from auth.channels.base import DeliveryFailed, Message
from auth.channels.mail.settings import Security, SmtpSettings
from auth.channels.mail.smtp import SmtpGateway
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from channels.peers import everything_said
from microsoft.running import MAILBOX, SMTP_SCOPE
from rig.fixtures import FULL_MAILBOX, MAIL_ACCOUNT, NO_MAILBOX
from rig.token_judge import TokenJudge
from schema.secret import Secret

pytestmark = pytest.mark.servers

MESSAGE = Message("Your logon code", "481516 is your code: grüße.\n.\nBye.", "<b>481516</b>")
PASSWORD = {"username": MAIL_ACCOUNT[0], "password": Secret(MAIL_ACCOUNT[1])}


@pytest.fixture
async def mailer(postfix):
    built = []

    def build(way: str = "", **changes) -> SmtpGateway:
        standard = {
            "host": postfix.host,
            "port": postfix.ports[way] if way else postfix.port,
            "sender": "logon@example.test",
            "ca_file": postfix.ca_file,
            # the run's machine may be busy with other things
            "timeout_seconds": 10.0,
        }
        built.append(SmtpGateway("postfix", SmtpSettings(**(standard | changes)), SYSTEM_CLOCK, SYSTEM_ENTROPY))
        return built[-1]

    yield build
    for each in built:
        await each.aclose()


async def failure(gateway: SmtpGateway, to: str = "a@example.test") -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await gateway.send(EmailAddress(to), MESSAGE)
    said = everything_said(caught.value)
    assert not [canary for canary in ("481516", "canary", to) if canary in said]
    return caught.value


async def test_a_mail_arrives_as_it_was_written(postfix, mailer):
    to = EmailAddress("channels@example.test")
    receipt = await mailer(reply_to="helpdesk@example.test").send(to, MESSAGE)
    mail = postfix.wait_for_mail(to)
    assert mail["Message-ID"] == f"<{receipt.message_id}>"
    assert (mail["From"], mail["To"], mail["Subject"]) == ("logon@example.test", to, MESSAGE.subject)
    assert (mail["Auto-Submitted"], mail["Reply-To"]) == ("auto-generated", "helpdesk@example.test")
    assert mail.get_body(("plain",)).get_content() == MESSAGE.text + "\n"
    assert mail.get_body(("html",)).get_content() == f"{MESSAGE.html}\n"


async def test_an_international_address_gets_its_mail(postfix, mailer):
    """RFC 6531: Postfix offers SMTPUTF8."""
    to = EmailAddress("jörg@example.test")
    await mailer().send(to, MESSAGE)
    assert postfix.wait_for_mail(to)["To"] == to


async def test_many_mails_go_over_a_connection_each_once(postfix, mailer):
    gateway = mailer("plain", **PASSWORD)
    to = [EmailAddress(f"many-{number}@example.test") for number in range(10)]
    await asyncio.gather(*(gateway.send(each, MESSAGE) for each in to))
    ids = {postfix.wait_for_mail(each)["Message-ID"] for each in to}
    assert len(ids) == 10
    assert all(postfix.mails_for(each) == 1 for each in to)


class TestWhoSends:
    @pytest.mark.parametrize("way", ["plain", "login", "cram-md5"])
    async def test_a_password_opens_the_door(self, postfix, mailer, way):
        to = EmailAddress(f"{way}@example.test")
        passage = await mailer(way, **PASSWORD).hand_in(to, MESSAGE)
        assert postfix.wait_for_mail(to)
        assert passage.authentication == f"{way.upper()} as {MAIL_ACCOUNT[0]}"
        assert passage.tls.startswith("TLSv1.")
        assert postfix.log_has(f"{passage.queue_id}: message-id=<{passage.message_id}>")

    @pytest.mark.parametrize("way", ["plain", "login", "cram-md5"])
    async def test_a_wrong_password_does_not(self, mailer, way):
        wrong = PASSWORD | {"password": Secret("canary-Mail-5")}
        found = await failure(mailer(way, **wrong))
        assert "the login with 535" in found.problem
        assert "username and password" in found.remedy
        assert not found.permanent

    async def test_nobody_sends_without_a_login(self, mailer):
        found = await failure(mailer("plain"))
        assert "the sender with 530 5.7.0" in found.problem
        assert "username and password" in found.remedy

    async def test_a_certificate_opens_the_door_made_for_it(self, postfix, mailer):
        to = EmailAddress("certified@example.test")
        await mailer("certificate", client_certificate=postfix.certificate).send(to, MESSAGE)
        assert postfix.wait_for_mail(to)
        assert "530" in (await failure(mailer("certificate"))).problem


class TestTokens:
    @pytest.fixture
    def door(self, postfix, microsoft):
        """Postfix asks the double of Microsoft whether a token lets the mailbox in."""
        trusted = ssl.create_default_context(cafile=microsoft.ca_file)

        def good(user: str, token: str) -> bool:
            with contextlib.closing(HTTPSConnection("localhost", microsoft.program.port, context=trusted)) as asked:
                asked.request("POST", "/judge", token.encode())
                return asked.getresponse().status == 200 and user == MAILBOX

        judge = TokenJudge(postfix.tokens, good)
        judge.start()
        yield microsoft
        judge.stop()
        postfix.tokens.unlink()

    @pytest.fixture
    def with_tokens(self, door, postfix, tmp_path):
        both = tmp_path / "both.pem"
        both.write_bytes(postfix.ca_file.read_bytes() + door.ca_file.read_bytes())
        tokens = door.tokens()
        return {
            "username": MAILBOX,
            "token_url": tokens.url,
            "client_id": tokens.client_id,
            "client_secret": tokens.client_secret,
            "scope": SMTP_SCOPE,
            "ca_file": both,
        }

    async def test_a_token_opens_the_door(self, postfix, mailer, with_tokens):
        to = EmailAddress("token@example.test")
        passage = await mailer("xoauth2", **with_tokens).hand_in(to, MESSAGE)
        assert postfix.wait_for_mail(to)
        assert passage.authentication == f"XOAUTH2 as {MAILBOX}"

    async def test_a_withdrawn_token_costs_no_mail(self, postfix, mailer, with_tokens, door):
        gateway = mailer("xoauth2", **with_tokens)
        await gateway.rehearse(EmailAddress("first@example.test"))
        door.events()
        door.withdraw_tokens()
        to = EmailAddress("renewed@example.test")
        await gateway.send(to, MESSAGE)
        assert postfix.wait_for_mail(to)
        assert [event["event"] for event in door.events()] == ["token"]

    async def test_a_token_of_another_mailbox_is_refused(self, mailer, with_tokens):
        found = await failure(mailer("xoauth2", **(with_tokens | {"username": "boss@example.org"})))
        assert "the login with 535" in found.problem


class TestRefusals:
    @pytest.mark.parametrize(
        ("to", "said", "permanent"),
        [
            (FULL_MAILBOX, "452 4.2.2", False),
            ("greylisted@example.test", "450 4.2.0", False),
            ("local-fault@example.test", "451 4.3.0", False),
            ("closing@example.test", "421 4.3.2", False),
            (NO_MAILBOX, "550 5.1.1", True),
            ("moved@example.test", "551 5.1.6", True),
            ("misspelt@example.test", "553 5.1.3", True),
            # not about the mailbox, but about us: another server may do
            ("banned@example.test", "550 5.7.1", False),
        ],
    )
    async def test_a_recipient_is_refused_for_now_or_for_good(self, mailer, to, said, permanent):
        found = await failure(mailer(), to)
        assert f"the recipient with {said}" in found.problem
        assert (found.permanent, found.unknown) == (permanent, False)

    async def test_a_refused_recipient_does_not_stop_the_next_one(self, postfix, mailer):
        gateway, to = mailer(), EmailAddress("after-refusals@example.test")
        for refused in ("closing@example.test", NO_MAILBOX):
            await failure(gateway, refused)
        await gateway.send(to, MESSAGE)
        assert postfix.wait_for_mail(to)

    async def test_a_mail_in_clear_text_is_refused(self, mailer):
        found = await failure(mailer(security=Security.NONE, ca_file=None))
        assert "the sender with 530" in found.problem

    async def test_a_server_with_an_unknown_certificate_gets_no_mail(self, mailer):
        found = await failure(mailer(ca_file=None))
        assert "certificate was not accepted" in found.problem

    async def test_a_rehearsal_is_refused_as_a_mail_would_be_and_leaves_none(self, postfix, mailer):
        with pytest.raises(DeliveryFailed, match=r"550 5\.1\.1"):
            await mailer().rehearse(EmailAddress(NO_MAILBOX))
        to = EmailAddress("rehearsed@example.test")
        await mailer().rehearse(to)
        last = EmailAddress("after-rehearsal@example.test")
        await mailer().send(last, MESSAGE)
        assert postfix.wait_for_mail(last)
        assert postfix.mails_for(to) == 0
