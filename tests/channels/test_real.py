"""The channels against gateways that others wrote: Kannel and Postfix."""

import pytest

from auth.addresses import EmailAddress, PhoneNumber
from auth.channels.base import DeliveryFailed, Message
from auth.channels.mail.settings import Security, SmtpSettings
from auth.channels.mail.smtp import SmtpGateway
from auth.channels.sms.http.settings import BodyKind, HttpMethod, SmsGatewaySettings
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.lines import Lines
from rig.fixtures import FULL_MAILBOX, NO_MAILBOX
from schema.secret import Secret

pytestmark = pytest.mark.servers

TEXTS = ["481516 is your logon code.", "Ihr Code: 481516 (äöüß€) & 100 % +=?#", "код 481516 “…”", "a 481516\nb"]
HEADERS = Lines(
    (
        "X-Kannel-Username: {username}",
        "X-Kannel-Password: {password}",
        "X-Kannel-To: {phone}",
        "X-Kannel-Coding: 2",
        "Content-Type: text/plain; charset=UTF-8",
    )
)


def section(kannel, **changes) -> SmsGatewaySettings:
    """Kannel's send-SMS interface as an administrator would describe it."""
    query = "username={username}&password={password}&to={phone}&text={text}&charset=UTF-8&coding=2"
    standard = {
        "url": f"{kannel.sendsms_url}?{query}",
        "method": HttpMethod.GET,
        "username": kannel.username,
        "password": Secret(kannel.password),
        "success_status": ("202",),
        "success_body": "^0: ",
    }
    return SmsGatewaySettings(**(standard | changes))


async def failure(sending) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await sending
    return caught.value


@pytest.mark.parametrize("text", TEXTS)
async def test_kannel_delivers_a_text_as_it_was_written(kannel, gateway, text):
    to = PhoneNumber(f"+43664000010{TEXTS.index(text)}")
    await gateway(section(kannel)).send(to, Message("", text))
    assert kannel.wait_for_text(to) == text


@pytest.mark.parametrize("text", TEXTS)
async def test_kannel_takes_headers_and_a_raw_body_as_well(kannel, gateway, text):
    to = PhoneNumber(f"+43664000011{TEXTS.index(text)}")
    post = section(
        kannel, url=kannel.sendsms_url, method=HttpMethod.POST, headers=HEADERS, body=BodyKind.RAW, raw="{text}"
    )
    await gateway(post).send(to, Message("", text))
    assert kannel.wait_for_text(to) == text


async def test_a_text_that_kannel_only_queues_is_none_that_a_login_can_wait_for(kannel, gateway):
    kannel.disconnect_centre()
    try:
        to = PhoneNumber("+436640000120")
        found = await failure(gateway(section(kannel)).send(to, Message("", "481516 is late")))
    finally:
        kannel.connect_centre()
    assert "HTTP 202 with a body that success_body does not match" in found.problem
    assert (found.permanent, found.unknown) == (False, False)


async def test_kannel_refuses_a_wrong_password(kannel, gateway):
    wrong = section(kannel, password=Secret("Wrong-1"))
    found = await failure(gateway(wrong).send(PhoneNumber("+436640000121"), Message("", "x")))
    assert "HTTP 403" in found.problem
    assert "password" in found.remedy


@pytest.fixture
async def mailer(postfix):
    built = []

    def build(**changes) -> SmtpGateway:
        standard = {
            "host": postfix.host,
            "port": postfix.port,
            "sender": "logon@example.test",
            "ca_file": postfix.ca_file,
        }
        section = SmtpSettings(**(standard | changes))
        built.append(SmtpGateway("postfix", section, SYSTEM_CLOCK, SYSTEM_ENTROPY))
        return built[-1]

    yield build
    for each in built:
        await each.aclose()


MESSAGE = Message("Your logon code", "481516 is your code: grüße.\n.\nBye.", "<b>481516</b>")


async def test_postfix_delivers_a_mail_as_it_was_written(postfix, mailer):
    to = EmailAddress("channels@example.test")
    receipt = await mailer().send(to, MESSAGE)
    mail = postfix.wait_for_mail(to)
    assert mail["Message-ID"] == f"<{receipt.message_id}>"
    assert (mail["From"], mail["To"], mail["Subject"]) == ("logon@example.test", to, MESSAGE.subject)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_body(("plain",)).get_content() == MESSAGE.text + "\n"
    assert mail.get_body(("html",)).get_content() == f"{MESSAGE.html}\n"


@pytest.mark.parametrize(("to", "said", "permanent"), [(FULL_MAILBOX, "452", False), (NO_MAILBOX, "550", True)])
async def test_postfix_refuses_a_recipient_for_now_or_for_good(mailer, to, said, permanent):
    found = await failure(mailer().send(EmailAddress(to), MESSAGE))
    assert said in found.problem
    assert found.permanent == permanent


async def test_postfix_refuses_a_mail_in_clear_text(mailer):
    found = await failure(mailer(security=Security.NONE, ca_file=None).send(EmailAddress("a@example.test"), MESSAGE))
    assert "the sender with 530" in found.problem


async def test_postfix_with_an_unknown_certificate_gets_no_mail(mailer):
    found = await failure(mailer(ca_file=None).send(EmailAddress("a@example.test"), MESSAGE))
    assert "certificate was not accepted" in found.problem
