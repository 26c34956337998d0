"""SMPP's units by vectors written out by hand from the specification, and what must not get through them."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.channels.base import DeliveryReport, Fate
from auth.channels.sms.smpp.pdu import (
    Address,
    Command,
    Decoder,
    Delivery,
    MalformedPdu,
    Pdu,
    Submission,
    bind_body,
    c_string,
    read_delivery,
)
from auth.channels.sms.smpp.receipt import as_number, read_receipt
from auth.channels.sms.smpp.session import Answered, Delivered, Ended, Session
from auth.channels.sms.smpp.settings import SmppSettings
from auth.channels.sms.smpp.status import refused
from auth.channels.sms.smpp.submission import source
from schema.errors import Fault
from schema.secret import Secret

SUBMIT = bytes.fromhex(
    "00000036 00000004 00000000 00000002 00 05004578616d706c6500 0101343336363430303030303031 00"
    "00 00 00 00 00 01 00 00 00 03 343831".replace(" ", "")
)  # fmt: skip
DELIVER = (
    b"\0\x01\x01436640000001\0\x05\0Example\0\x04\0\0\0\0\0\0\0\0\x06id:abc\x00\x1e\x00\x04abd\0\x04\x27\x00\x01\x02"
)


def test_a_bind_is_the_specifications_example():
    pdu = Session().bind("SMPP3TEST", Secret("secret08"), "SUBMIT1")
    body = b"SMPP3TEST\0secret08\0SUBMIT1\0\x34\0\0\0"
    assert pdu.encode() == struct.pack(">IIII", 16 + len(body), 9, 0, 1) + body


def test_a_submission_is_octet_for_octet_what_section_4_4_1_says():
    submission = Submission("", Address(5, 0, "Example"), Address(1, 1, "436640000001"), 0, 1, 0, b"481")
    session = Session()
    session.enquire()
    encoded = session.submit(submission).encode()
    assert encoded == struct.pack(">I", len(encoded)) + SUBMIT[4:]


def test_a_payload_travels_as_an_optional_parameter():
    submission = Submission("", Address(0, 0, ""), Address(1, 1, "1"), 0, 0, 8, b"x" * 300, in_payload=True)
    assert submission.encode().endswith(b"\0\x04\x24\x01\x2c" + b"x" * 300)


def test_what_does_not_fit_is_never_cut_silently():
    with pytest.raises(ValueError, match="does not fit"):
        Submission("", Address(0, 0, ""), Address(1, 1, "1"), 0, 0, 0, b"x" * 255).encode()


@pytest.mark.parametrize("text", ["a\0b", "ü", "a\nb"])
def test_no_string_ends_early_or_is_more_than_ascii(text):
    with pytest.raises(ValueError, match="ASCII"):
        c_string(text)
    with pytest.raises(ValueError, match="ASCII"):
        bind_body("us", Secret(text), "")


@given(st.lists(st.binary(max_size=40), max_size=5), st.data())
def test_units_are_found_however_the_stream_is_cut(bodies, data):
    units = [Pdu(0x80000004, 7, number, body) for number, body in enumerate(bodies, 1)]
    stream = b"".join(unit.encode() for unit in units)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    decoder, found = Decoder(), []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += decoder.feed(stream[begin:end])
    assert found == units


@pytest.mark.parametrize("length", [0, 15, 70_001, 0xFFFFFFFF])
def test_a_length_that_no_unit_has_ends_the_session(length):
    with pytest.raises(MalformedPdu):
        list(Decoder().feed(struct.pack(">IIII", length, 4, 0, 1)))


def test_a_receipt_is_read_from_its_optional_parameters_first():
    report = read_receipt("operator", read_delivery(DELIVER))
    assert report == DeliveryReport("operator", "abd", Fate.DELIVERED)


@given(st.binary(max_size=80))
def test_no_octets_of_a_delivery_break_anything_but_by_being_malformed(octets):
    try:
        delivery = read_delivery(octets)
    except MalformedPdu:
        return
    read_receipt("x", delivery)


@pytest.mark.parametrize("end", range(len(DELIVER)))
def test_a_delivery_that_is_cut_is_malformed_or_shorter(end):
    with contextlib.suppress(MalformedPdu):
        assert len(read_delivery(DELIVER[:end]).message) <= 6


APPENDIX_B = "id:{} sub:001 dlvrd:001 submit date:2611260200 done date:2611260201 stat:{} err:{} text:481516"


@pytest.mark.parametrize(
    ("stat", "err", "fate", "code"),
    [
        ("DELIVRD", "000", Fate.DELIVERED, None),
        ("ACCEPTD", "000", Fate.UNDER_WAY, None),
        ("ENROUTE", "001", Fate.UNDER_WAY, None),
        ("UNDELIV", "027", Fate.FAILED, "027"),
        ("EXPIRED", "000", Fate.FAILED, None),
        ("REJECTD", "0aF", Fate.FAILED, "0aF"),
    ],
)
def test_a_receipt_in_the_words_of_appendix_b(stat, err, fate, code):
    said = APPENDIX_B.format("01f2-A", stat, err).encode()
    assert read_receipt("x", Delivery(0x04, said, {})) == DeliveryReport("x", "01f2-A", fate, code)


@pytest.mark.parametrize(
    ("esm_class", "message", "options"),
    [
        (0x00, APPENDIX_B.format("1", "DELIVRD", "000").encode(), {}),
        (0x08, APPENDIX_B.format("1", "DELIVRD", "000").encode(), {}),
        (0x04, b"stat:DELIVRD err:000", {}),
        (0x04, b"id:1 err:000", {}),
        (0x04, b"id:1 stat:WHATEVR", {}),
        (0x04, b"", {0x001E: b"1\0", 0x0427: b"\x63"}),
    ],
)
def test_what_is_no_receipt_is_none(esm_class, message, options):
    assert read_receipt("x", Delivery(esm_class, message, options)) is None


def answer_to(unit: Pdu) -> tuple[list, Pdu]:
    events, octets = Session().receive(unit.encode())
    (only,) = Decoder().feed(octets)
    return events, only


class TestSession:
    def test_a_question_whether_we_are_there_is_answered(self):
        assert answer_to(Pdu(Command.ENQUIRE_LINK, 0, 77)) == ([], Pdu(0x80000015, 0, 77))

    def test_an_end_is_answered_and_told(self):
        assert answer_to(Pdu(Command.UNBIND, 0, 78)) == ([Ended()], Pdu(0x80000006, 0, 78))

    def test_a_delivery_is_taken_and_told(self):
        events, answer = answer_to(Pdu(Command.DELIVER_SM, 0, 79, DELIVER))
        assert answer == Pdu(0x80000005, 0, 79, b"\0")
        assert events == [Delivered(read_delivery(DELIVER))]

    def test_a_malformed_delivery_is_taken_so_that_it_does_not_come_for_ever(self):
        assert answer_to(Pdu(Command.DELIVER_SM, 0, 80, b"\1\2\3")) == ([], Pdu(0x80000005, 0, 80, b"\0"))

    def test_what_we_do_not_know_is_nacked(self):
        assert answer_to(Pdu(0x00000103, 0, 81)) == ([], Pdu(Command.GENERIC_NACK, 3, 81))

    def test_an_answer_is_told_and_not_answered(self):
        assert Session().receive(Pdu(0x80000004, 0x58, 3, b"").encode()) == ([Answered(3, 0x58, b"")], b"")

    def test_numbers_begin_anew_where_the_specification_ends_them(self):
        session = Session()
        session._sequence = 0x7FFFFFFE
        assert [session.enquire().sequence for _ in range(3)] == [0x7FFFFFFF, 1, 2]


@pytest.mark.parametrize("sender", ["A name too long", "Grüße", "tab\tbed", "1" * 16])
def test_a_sender_that_no_text_can_come_from_is_refused(sender):
    with pytest.raises(Fault, match="sender"):
        source(SmppSettings(host="h", system_id="u", password=Secret("p"), sender=sender))


def test_the_type_of_a_sender_can_be_set():
    given_ = SmppSettings(host="h", system_id="u", password=Secret("p"), sender="12345", sender_ton=0, sender_npi=9)
    assert source(given_) == Address(0, 9, "12345")


@pytest.mark.parametrize(("given", "received"), [("1A2B", "6699"), ("001a2b", "6699"), ("0", "0"), ("x-7", "x-7")])
def test_an_id_in_hexadecimal_is_that_of_a_receipt_in_decimal(given, received):
    assert as_number(given, 16) == as_number(received, 10)


@pytest.mark.parametrize(
    ("code", "permanent", "answered"),
    [(0x0B, True, True), (0x01, False, True), (0x45, False, True), (0x0A, False, False), (0x58, False, False)],
)
def test_a_refusal_is_of_the_number_of_this_text_or_of_all(code, permanent, answered):
    """What is refused of all texts is what a circuit breaker counts."""
    failure = refused("the text", code)
    assert (failure.permanent, failure.answered, failure.unknown) == (permanent, answered, False)


def test_nothing_that_carries_a_code_shows_it():
    submission = Submission("", Address(5, 0, "Example"), Address(1, 1, "436640000001"), 0, 1, 0, b"481516")
    shown = f"{submission} {Session().submit(submission)} {Delivery(4, b'481516', {})}"
    assert "481516" not in shown
    assert "436640000001" not in shown
