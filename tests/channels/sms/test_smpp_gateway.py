"""SMPP with a centre that dies, lies, falls silent, or wants TLS: a text is submitted once at most."""

import asyncio
import struct
from dataclasses import dataclass, field

import pytest

from auth.addresses import PhoneNumber
from auth.channels.base import DeliveryFailed, Message
from auth.channels.sms.smpp.gateway import SmppGateway
from auth.channels.sms.smpp.settings import SmppSettings
from auth.clock import SYSTEM_ENTROPY
from channels.peers import everything_said
from schema.errors import Fault
from schema.secret import Secret

TO = PhoneNumber("+436640000001")
CODE = "481516"
PASSWORD = "canary-7"
BIND, SUBMIT, ENQUIRE, UNBIND = 0x9, 0x4, 0x15, 0x6
RESPONSE = 0x80000000


def unit(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    return struct.pack(">IIII", 16 + len(body), command, status, sequence) + body


@dataclass
class Centre:
    """A centre that ends the connection when it has come to a point; counts what it was given.

    The points: accepted, bind, bound (after its answer to the bind), submit (read whole), half (of the answer to it).
    `silence` keeps the connection instead of ending it; `garbage` is said instead of the answer to a text.
    """

    ends_at: str = ""
    silence: bool = False
    garbage: bytes = b""
    status: dict[int, int] = field(default_factory=dict)
    submits: list[bytes] = field(default_factory=list)
    binds: int = 0
    enquiries: int = 0
    answers_enquiries: bool = True

    async def __call__(self, reader, writer):
        if await self._ends("accepted"):
            return
        while True:
            length, command, _, sequence = struct.unpack(">IIII", await reader.readexactly(16))
            body = await reader.readexactly(length - 16)
            if not await self._answered(command, sequence, body, writer):
                return
            await writer.drain()

    async def _answered(self, command, sequence, body, writer) -> bool:
        if command == BIND:
            self.binds += 1
            if await self._ends("bind"):
                return False
            writer.write(unit(BIND | RESPONSE, 0, sequence, b"CENTRE\0"))
            return not await self._ends("bound")
        if command == SUBMIT:
            self.submits.append(body)
            answer = unit(SUBMIT | RESPONSE, self.status.get(len(self.submits), 0), sequence, b"id-1\0")
            if await self._ends("submit"):
                return False
            if self.ends_at == "half":
                writer.write(answer[:9])
                await writer.drain()
                return not await self._ends("half")
            writer.write(self.garbage or answer)
            return True
        if command == ENQUIRE:
            self.enquiries += 1
            if not self.answers_enquiries:
                return True
        writer.write(unit(command | RESPONSE, 0, sequence))
        return command != UNBIND

    async def _ends(self, point: str) -> bool:
        if self.ends_at != point:
            return False
        if self.silence:
            await asyncio.Event().wait()
        return True


@pytest.fixture
async def gateway():
    built = []

    def build(port: int, on_report=lambda _: None, **changes) -> SmppGateway:
        standard = {"host": "127.0.0.1", "port": port, "system_id": "us", "password": Secret(PASSWORD), "tls": False}
        settings = SmppSettings(**(standard | {"timeout_seconds": 0.5} | changes))
        built.append(SmppGateway("operator", settings, SYSTEM_ENTROPY, on_report))
        return built[-1]

    yield build
    for each in built:
        await each.aclose()


async def outcome(gateway: SmppGateway, text: str = f"{CODE} is your code") -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await gateway.send(TO, Message("", text))
    said = everything_said(caught.value)
    for secret in (CODE, PASSWORD, TO, TO[1:]):
        assert secret not in said
    return caught.value


async def test_a_connection_that_a_centre_has_said_farewell_on_and_keeps_open_is_let_go(serve, gateway):
    """Else each such farewell would leave a socket behind."""
    left = []

    async def hesitant(reader, writer):
        length, _, _, sequence = struct.unpack(">IIII", await reader.readexactly(16))
        await reader.readexactly(length - 16)
        writer.write(unit(BIND | RESPONSE, 0, sequence, b"CENTRE\0") + unit(UNBIND, 0, 1))
        try:
            while await reader.read(4096):
                pass
        except OSError:
            pass
        left.append(True)

    leaving = gateway(await serve(hesitant), timeout_seconds=0.2)
    for _ in range(2):
        assert await outcome(leaving)
    for _ in range(100):
        if len(left) == 2:
            break
        await asyncio.sleep(0.05)
    assert len(left) == 2


@pytest.mark.parametrize("silence", [False, True])
@pytest.mark.parametrize(("point", "submits"), [("accepted", 0), ("bind", 0), ("bound", 0), ("submit", 1), ("half", 1)])
async def test_wherever_the_connection_dies_a_text_is_submitted_at_most_once(serve, gateway, point, submits, silence):
    centre = Centre(ends_at=point, silence=silence)
    found = await outcome(gateway(await serve(centre)))
    assert len(centre.submits) == submits
    assert found.unknown or not centre.submits
    # between the two it depends on whether the end was seen before the text was on its way
    assert not (found.unknown and point in ("accepted", "bind"))
    assert not found.permanent


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"\0\0\0\1" + b"\0" * 12,
        unit(SUBMIT | RESPONSE, 0, 99, b"id\0"),
        unit(0x80000000, 3, 99),
    ],
)
async def test_an_answer_that_is_none_leaves_it_unknown(serve, gateway, garbage):
    centre = Centre(garbage=garbage)
    assert (await outcome(gateway(await serve(centre)))).unknown
    assert len(centre.submits) == 1


async def test_a_receipt_that_comes_with_the_answer_is_told_after_it(serve, gateway):
    """Or whoever keeps a book of texts would not know yet which one it is about."""
    words = b"id:id-1 stat:DELIVRD err:0"
    receipt = unit(0x5, 0, 1, b"\0" * 7 + b"\x04" + b"\0" * 8 + bytes((len(words),)) + words)
    answer = unit(SUBMIT | RESPONSE, 0, 2, b"id-1\0")
    said = asyncio.Queue()
    for closes_first in (False, True):
        kept = gateway(await serve(Centre(garbage=answer + receipt)), on_report=said.put_nowait)
        await kept.send(TO, Message("", CODE))
        assert said.empty()
        if closes_first:
            await kept.aclose()
        assert (await asyncio.wait_for(said.get(), 5)).message_id == "id-1"
    assert said.empty()


async def test_a_receipt_with_its_id_in_decimal_is_about_the_text_of_the_hexadecimal_one(serve, gateway):
    words = b"id:6699 stat:DELIVRD err:0"
    receipt = unit(0x5, 0, 1, b"\0" * 7 + b"\x04" + b"\0" * 8 + bytes((len(words),)) + words)
    said = asyncio.Queue()
    port = await serve(Centre(garbage=unit(SUBMIT | RESPONSE, 0, 2, b"1A2B\0") + receipt))
    kept = gateway(port, on_report=said.put_nowait, decimal_receipts=True)
    sent = await kept.send(TO, Message("", CODE))
    await kept.aclose()
    assert said.get_nowait().message_id == sent.message_id == "1a2b"


@pytest.mark.parametrize("identity", [b"", b"id\n7", b"\x1b[2Jid", b"\xff", b"two words", b"1" * 66, b"1" * 60_000])
async def test_an_id_that_is_none_by_the_specification_is_not_passed_on(serve, gateway, identity):
    kept = gateway(await serve(Centre(garbage=unit(SUBMIT | RESPONSE, 0, 2, identity + b"\0"))))
    assert (await kept.send(TO, Message("", CODE))).message_id is None


async def test_nobody_there_is_known_not_to_have_taken_it(gateway):
    found = await outcome(gateway(1))
    assert "could not be reached" in found.problem
    assert not found.unknown


async def test_a_host_that_cannot_be_looked_up_is_known_not_to_have_taken_it(gateway):
    found = await outcome(gateway(2775, host="sms..example.test", tls=True))
    assert (found.unknown, found.problem) == (False, "could not be reached (UnicodeError)")


async def test_a_kept_connection_that_the_centre_has_closed_is_replaced_before_a_text(serve, gateway):
    centre = Centre()
    kept = gateway(await serve(centre))
    await kept.send(TO, Message("", "first"))
    kept._connection._writer.close()
    while not kept._connection.lost:
        await asyncio.sleep(0.01)
    await kept.send(TO, Message("", "second"))
    assert (centre.binds, len(centre.submits)) == (2, 2)


async def test_a_part_refused_after_another_was_taken_may_come_twice(serve, gateway):
    centre = Centre(status={2: 0x58})
    found = await outcome(gateway(await serve(centre)), CODE + "x" * 300)
    assert found.unknown
    assert len(centre.submits) == 2, "the third part is not sent"


async def test_the_first_part_refused_sends_no_other(serve, gateway):
    centre = Centre(status={1: 0x0B})
    found = await outcome(gateway(await serve(centre)), CODE + "x" * 300)
    assert (found.permanent, found.unknown) == (True, False)
    assert len(centre.submits) == 1


async def test_a_centre_that_no_longer_answers_questions_is_left(serve, gateway):
    centre = Centre(answers_enquiries=False)
    kept = gateway(await serve(centre), enquire_seconds=0.05, timeout_seconds=0.3)
    await kept.send(TO, Message("", "first"))
    while not kept._connection.lost:
        await asyncio.sleep(0.01)
    assert centre.enquiries == 1
    assert len(centre.submits) == 1


async def test_no_more_texts_wait_than_the_window_lets(serve, gateway):
    centre = Centre(ends_at="submit", silence=True)
    narrow = gateway(await serve(centre), window=1)
    found = await asyncio.gather(*(outcome(narrow) for _ in range(3)))
    assert len(centre.submits) == 1
    assert sorted(each.unknown for each in found) == [False, False, True]


async def test_the_time_that_is_left_bounds_a_text(serve, gateway):
    slow = gateway(await serve(Centre(ends_at="bind", silence=True)), timeout_seconds=60)
    with pytest.raises(DeliveryFailed, match=r"within 0\.1 s"):
        await slow.send(TO, Message("", CODE), seconds=0.1)


async def test_tls_carries_it_and_an_unknown_authority_stops_it(serve, gateway, server_tls, ca_file):
    port = await serve(Centre(), server_tls)
    secured = {"host": "localhost", "tls": True}
    receipt = await gateway(port, ca_file=ca_file, **secured).send(TO, Message("", CODE))
    assert receipt.message_id == "id-1"
    found = await outcome(gateway(port, **secured))
    assert "certificate was not accepted" in found.problem
    assert not found.unknown


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"host": "smpp.example.org"}, "clear text"),
        ({"window": 0}, "window"),
        ({"sender_ton": 256}, "sender_ton"),
        ({"sender_npi": -1}, "sender_npi"),
        ({"sender": "Grüße"}, "sender"),
        ({"enquire_seconds": 0}, "enquire_seconds"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"password": Secret("canäry-7")}, "ASCII"),
        ({"system_id": "a\0b"}, "ASCII"),
        ({"tls": True, "ca_file": "/nonexistent"}, "CA file"),
    ],
)
async def test_a_section_that_cannot_work_is_refused(gateway, changes, problem):
    with pytest.raises(Fault) as caught:
        gateway(1, **changes)
    assert problem in caught.value.problem
    assert caught.value.problem.startswith("[sms:operator]: ")
    assert "canäry" not in f"{caught.value}"
