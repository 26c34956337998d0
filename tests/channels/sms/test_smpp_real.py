"""SMPP against a centre that others wrote the protocol of: Perl's Net::SMPP."""

import asyncio

import pytest

from auth.addresses import PhoneNumber
from auth.channels.base import DeliveryFailed, Fate, Message
from auth.channels.sms.smpp.gateway import SmppGateway
from auth.channels.sms.smpp.settings import LongTexts, SmppSettings
from auth.clock import SYSTEM_ENTROPY
from schema.secret import Secret

pytestmark = pytest.mark.servers

TEXTS = [
    "481516 is your logon code.",
    "Ihr Code: 481516 (äöüßÄ€@$) {x}",
    "код 481516 “…” 😀",
    "481516 " + "x" * 160,
    "481516 " + "€" * 153,
    "481516 " + "ш" * 140,
]


@pytest.fixture
async def centre(smsc):
    """Build gateways on the centre; what it reports is gathered in `reports`."""
    built, reports = [], asyncio.Queue()

    def build(**changes) -> SmppGateway:
        standard = {
            "host": smsc.host,
            "port": smsc.port,
            "system_id": smsc.system_id,
            "password": Secret(smsc.password),
            "tls": False,
            "sender": "dirfactor",
        }
        settings = SmppSettings(**(standard | changes))
        built.append(SmppGateway("operator", settings, SYSTEM_ENTROPY, reports.put_nowait))
        return built[-1]

    build.reports = reports
    yield build
    for each in built:
        await each.aclose()


async def failure(gateway: SmppGateway, number: str) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await gateway.send(PhoneNumber(number), Message("", "481516 is your code"))
    return caught.value


@pytest.mark.parametrize("long_texts", list(LongTexts))
@pytest.mark.parametrize("text", TEXTS)
async def test_a_text_arrives_as_it_was_written(smsc, centre, text, long_texts):
    to = PhoneNumber(f"+43664000020{TEXTS.index(text)}{list(LongTexts).index(long_texts)}")
    receipt = await centre(long_texts=long_texts).send(to, Message("", text))
    parts = smsc.submitted(to)
    assert "".join(part.text for part in parts) == text
    assert receipt.message_id
    assert receipt.message_id.startswith("c")
    headers = [part.header for part in parts]
    if long_texts is LongTexts.PARTS and len(parts) > 1:
        assert [header[-2:] for header in headers] == [bytes((len(parts), n)) for n in range(1, len(parts) + 1)]
        assert len({header[:4] for header in headers}) == 1, "one reference for all parts"
    else:
        assert headers == [b""]
        assert parts[0].in_payload == (len(text) > 70 and TEXTS.index(text) > 2)


async def test_receipts_say_what_has_become_of_each_text(centre):
    gateway = centre()
    for number, fate, code in (("+4366400002301", Fate.DELIVERED, None), ("+4366400002309", Fate.FAILED, "027")):
        receipt = await gateway.send(PhoneNumber(number), Message("", "481516"))
        report = await asyncio.wait_for(centre.reports.get(), 5)
        assert (report.gateway, report.message_id) == ("operator", receipt.message_id)
        assert (report.fate, report.error_code) == (fate, code)


async def test_one_bind_carries_many_texts_at_a_time_and_the_centre_is_answered(smsc, centre):
    binds = smsc.lines().count("bind 0 VMA")
    gateway = centre(system_type="VMA", window=3)
    numbers = [PhoneNumber(f"+43664000024{n:02}") for n in range(10)]
    receipts = await asyncio.gather(*(gateway.send(to, Message("", "481516")) for to in numbers))
    assert len({receipt.message_id for receipt in receipts}) == len(numbers)
    assert smsc.lines().count("bind 0 VMA") == binds + 1
    smsc.wait_for_line("enquire_link_resp")
    smsc.wait_for_line("deliver_sm_resp 0", len(numbers))
    assert not any(line.startswith("unexpected") for line in smsc.lines())


@pytest.mark.parametrize(
    ("sender", "form"), [("Example", (5, 0)), ("+436640000001", (1, 1)), ("436640000001", (1, 1)), ("12345", (3, 0))]
)
async def test_a_sender_has_the_type_that_its_form_says(smsc, centre, sender, form):
    to = PhoneNumber(f"+4366400002{form[0]}{len(sender):02}")
    await centre(sender=sender).send(to, Message("", "x"))
    (only,) = smsc.submitted(to)
    assert (only.sender, only.sender_form) == (sender.removeprefix("+"), form)


@pytest.mark.parametrize(
    ("number", "problem", "permanent"),
    [
        ("+436649000088", "0x00000058 (ESME_RTHROTTLED)", False),
        ("+436649000020", "0x00000014 (ESME_RMSGQFUL)", False),
        ("+436649000011", "0x0000000B (ESME_RINVDSTADR)", True),
        ("+436649000010", "0x0000000A (ESME_RINVSRCADR)", False),
        ("+436649000099", "0x00000063 (not named", False),
    ],
)
async def test_a_refusal_is_of_the_number_or_of_the_moment(smsc, centre, number, problem, permanent):
    found = await failure(centre(), number)
    assert problem in found.problem
    assert (found.permanent, found.unknown) == (permanent, False)
    assert len(smsc.submitted(number)) == 1


@pytest.mark.parametrize(("number", "problem"), [("+43664900100", "gave no answer"), ("+43664900200", "hung up")])
async def test_a_centre_that_does_not_answer_may_have_taken_the_text(smsc, centre, number, problem):
    gateway = centre(timeout_seconds=0.4)
    before = len(smsc.submitted(number))
    found = await failure(gateway, number)
    assert problem in found.problem
    assert found.unknown
    assert len(smsc.submitted(number)) == before + 1
    assert (await gateway.send(PhoneNumber("+4366400002701"), Message("", "481516"))).message_id, "the next one goes"


async def test_a_wrong_password_is_told(centre):
    found = await failure(centre(password=Secret("canary")), "+4366400002801")
    assert "refused the bind with command_status 0x0000000E" in found.problem
    assert "password" in found.remedy
    assert (found.permanent, found.unknown) == (False, False)
    assert "canary" not in f"{found}"


async def test_silence_is_broken_by_a_question(smsc, centre):
    gateway = centre(enquire_seconds=0.05)
    await gateway.send(PhoneNumber("+4366400002901"), Message("", "481516"))
    asked = smsc.lines().count("enquire_link")
    await asyncio.to_thread(smsc.wait_for_line, "enquire_link", asked + 3)


async def test_the_end_is_said(smsc, centre):
    said = smsc.lines().count("unbind")
    gateway = centre()
    await gateway.send(PhoneNumber("+4366400002902"), Message("", "481516"))
    await gateway.aclose()
    smsc.wait_for_line("unbind", said + 1)
