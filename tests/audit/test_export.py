"""What is told outside is well-formed whatever people type, comes whole, and never holds a logon up."""

import contextlib
import socket
import threading
import time
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.ledger import NOON, SEED
from audit.syslog_text import parse, parse_cef
from auth.audit import AuditKey
from auth.audit.export.connection import Connection
from auth.audit.export.outbox import Outbox
from auth.audit.export.rfc5424 import Sender
from auth.audit.export.syslog import message, syslog_outbox
from auth.audit.export.target import Target, Transport, read_target
from auth.audit.line import AuditLine
from auth.audit.printable import printable
from auth.audit.rows import Checkpoint, Kind, line_of
from auth.audit.settings import AuditSettings, SyslogFormat
from auth.audit.trail import Export
from auth.tls import tls_context
from rig.certificates import issue

KEY = AuditKey(SEED)
SENDER = Sender("vpn.example.org", "123", 10)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
EVIL = 'a"b]c\\d=e|f\ng\r\nh\0i\x85j\u2028k <13>1 forged - - -'


def written(kind=Kind.OUTCOME, body=None, **values):
    known = {"correlation": "c1", "outcome": "refused", "reason": "no-token", "door": "radius", "node": "vpn"}
    body = body or AuditLine(at=NOON, address="192.0.2.7", **(known | values))
    sign = KEY.sign if kind is Kind.CHECKPOINT else None
    return line_of(7, "0" * 64, kind, msgspec.json.encode(body), KEY.seal, sign)


def told(form=SyslogFormat.RFC5424, sender=SENDER, **values):
    return message(form, sender, written(**values))


# how a line is put


@given(name=TEXT, user=TEXT, detail=TEXT, policy=TEXT)
def test_structured_data_is_well_formed_and_says_what_was_written_whatever_it_is(name, user, detail, policy):
    values = {"name": name, "user": user, "detail": detail, "policy": policy}
    [data] = parse(told(**values)).data.values()
    assert {key: data[key] for key, value in values.items() if value} == {
        key: printable(value) for key, value in values.items() if value
    }


@given(name=TEXT, user=TEXT, detail=TEXT, node=TEXT.filter(bool))
def test_cef_is_one_line_and_says_what_was_written_whatever_it_is(name, user, detail, node):
    text = parse(told(SyslogFormat.CEF, name=name, user=user, detail=detail, node=node)).text.removeprefix("\ufeff")
    header, extension = parse_cef(text)
    assert header[1:3] == ["dirfactor", "dirfactor"]
    for key, value in (("suser", name), ("cs4", user), ("msg", detail), ("cs1", node)):
        assert extension.get(key, "") == printable_cef(value)


def printable_cef(text):
    """Line ends are escaped, and come back."""
    return "".join(letter if letter in "\r\n" else printable(letter) for letter in text)


@given(text=TEXT)
def test_nothing_that_was_typed_can_begin_a_line_of_its_own(text):
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0 for letter in shown)
    assert printable(shown) == shown
    assert text == shown or not text.isprintable()


@pytest.mark.parametrize("form", SyslogFormat)
def test_a_forged_line_in_a_name_stays_in_the_name(form):
    octets = told(form, name=EVIL)
    assert len(octets.decode().splitlines()) == 1
    assert parse(octets).priority == 10 * 8 + 4


@given(host=st.text(max_size=300), process=st.text(max_size=200), facility=st.integers(0, 23))
def test_the_header_is_well_formed_whatever_the_machine_is_called(host, process, facility):
    found = parse(told(sender=Sender(host, process, facility)))
    assert found.priority // 8 == facility
    assert (found.app, found.kind, found.at) == ("dirfactor", "outcome", NOON)


@pytest.mark.parametrize(
    ("outcome", "severity", "kind"), [("refused", 4, "outcome"), ("accepted", 6, "outcome"), ("receipt", 6, "receipt")]
)
def test_a_refusal_weighs_more_than_an_accept(outcome, severity, kind):
    found = parse(told(outcome=outcome))
    assert (found.priority % 8, found.kind) == (severity, kind)


@pytest.mark.parametrize("form", SyslogFormat)
def test_a_checkpoint_is_told_with_its_signature_and_the_hash_that_it_signs(form):
    line = written(Kind.CHECKPOINT, Checkpoint(datetime(2026, 11, 26, tzinfo=UTC), 1, KEY.public.id))
    octets = message(form, SENDER, line)
    assert parse(octets).kind == "checkpoint"
    assert b"0" * 64 in octets
    assert line[line.index(b'"signature":"') + 13 :][:80].replace(b"=", b"\\=") in octets.replace(b"=", b"\\=")


@pytest.mark.parametrize(("address", "key"), [("192.0.2.7", "src"), ("2001:db8::7", "c6a2"), ("vpn", "shost")])
def test_cef_has_a_key_for_each_kind_of_address(address, key):
    line = written(body=AuditLine(NOON, "c", "accepted", "accepted", "radius", "vpn", address))
    _, extension = parse_cef(parse(message(SyslogFormat.CEF, SENDER, line)).text)
    assert extension[key] == address


# where it goes


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("udp://siem.example.org", Target(Transport.UDP, "siem.example.org", 514)),
        ("tcp://192.0.2.9:601", Target(Transport.TCP, "192.0.2.9", 601)),
        ("tls://[2001:db8::9]", Target(Transport.TLS, "2001:db8::9", 6514)),
    ],
)
def test_a_receiver_is_named_by_a_url(text, target):
    assert read_target(text) == target


@pytest.mark.parametrize(
    "text", ["siem.example.org", "http://siem", "udp://", "tcp://h:99999", "udp://h/path", "tls://["]
)
def test_what_names_no_receiver_is_refused(text):
    with pytest.raises(ValueError, match=r"names no receiver|out of range|Invalid"):
        read_target(text)


# how it gets there


class Receiver:
    """Takes TCP connections on loopback and keeps what comes."""

    def __init__(self, port=0):
        self.octets = b""
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.target = Target(Transport.TCP, "127.0.0.1", self.port)
        self.connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection):
        with connection, contextlib.suppress(OSError):
            while octets := connection.recv(65536):
                self.octets += octets

    def messages(self):
        """RFC 6587 section 3.4.1."""
        found, rest = [], self.octets
        while rest:
            length, _, rest = rest.partition(b" ")
            found.append(rest[: int(length)])
            assert len(found[-1]) == int(length)
            rest = rest[int(length) :]
        return found

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def outboxes(monkeypatch):
    monkeypatch.setattr("auth.audit.export.outbox._FIRST_PAUSE", 0.02)
    monkeypatch.setattr("auth.audit.export.outbox._FLUSH_SECONDS", 0.5)
    opened = []

    def open_one(connect, most=100):
        opened.append(Outbox(connect, lambda line: line, "tcp://receiver", most))
        return opened[-1]

    yield open_one
    for outbox in opened:
        outbox.close()


def until(holds):
    for _ in range(1000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError(holds)


def test_messages_are_counted_in_octets_and_come_in_their_order(outboxes):
    receiver = Receiver()
    outbox = outboxes(lambda: Connection(receiver.target, None))
    sent = [f"{number} zwölf\nBoxkämpfer".encode() for number in range(50)]
    for each in sent:
        outbox.offer(each)
    outbox.close()
    until(lambda: receiver.messages() == sent)
    assert outbox.dropped() == 0
    receiver.close()


def test_a_receiver_whose_name_cannot_be_looked_up_is_away_like_any_other(outboxes, caplog):
    outbox = outboxes(lambda: Connection(Target(Transport.TCP, "siem..example.test", 514), None))
    outbox.offer(b"waits")
    until(lambda: "tcp://receiver" in caplog.text)
    assert outbox._thread.is_alive()


def test_a_receiver_that_comes_back_gets_what_waited(outboxes, caplog):
    receiver = Receiver()
    outbox = outboxes(lambda: Connection(receiver.target, None))
    outbox.offer(b"before")
    until(lambda: receiver.octets)
    port = receiver.port
    receiver.close()
    for number in range(20):
        outbox.offer(b"%d" % number)
    until(lambda: "tcp://receiver" in caplog.text)
    back = Receiver(port)
    until(lambda: len(back.messages()) == 20)
    assert back.messages() == [b"%d" % number for number in range(20)]
    assert len(caplog.records) == 1, "said once, not for each attempt"
    assert outbox.dropped() == 0
    back.close()


def test_whoever_offers_never_waits_and_what_is_too_much_is_counted(outboxes):
    away = threading.Event()

    def connect():
        away.wait(30)
        raise ConnectionRefusedError(111, "Connection refused")

    outbox = outboxes(connect, most=10)
    for number in range(100):
        outbox.offer(b"%d" % number)
    dropped = outbox.dropped()
    assert 88 <= dropped <= 90, "ten wait, and one or two are on their way"
    assert outbox.dropped() == 0, "each is told once"
    away.set()
    outbox.close()
    assert dropped + outbox.dropped() == 100


def test_what_no_datagram_holds_is_counted_and_the_next_one_comes(outboxes):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        outbox = outboxes(lambda: Connection(Target(Transport.UDP, *receiver.getsockname()), None))
        outbox.offer(b"x" * 70_000)
        outbox.offer(b"next")
        assert receiver.recv(100) == b"next"
        assert outbox.dropped() == 1


def test_a_receiver_that_is_not_trusted_gets_nothing(tmp_path, outboxes, caplog):
    receiver = Receiver()
    trusted = tls_context(issue(tmp_path, "127.0.0.1").ca)
    outbox = outboxes(lambda: Connection(receiver.target, trusted))
    outbox.offer(b"secret of the house")
    until(lambda: receiver.octets)
    receiver.close()
    until(lambda: caplog.records)
    assert b"secret" not in receiver.octets


# with the audit


def test_outcomes_and_checkpoints_are_exported_as_they_stand_in_the_audit(ledger):
    heard = []

    class Heard:
        def send(self, line):
            heard.append(line)

        def close(self):
            pass

    outbox = Outbox(Heard, lambda line: line, "somewhere", 10)
    with ledger.open(export=Export(outbox.offer, outbox.dropped, outbox.close)) as trail:
        for _ in range(3):
            trail.write(ledger.line())
    assert heard == ledger.lines()[1:]


def test_what_was_dropped_is_recorded_at_the_end_at_the_latest(ledger, outboxes):
    def connect():
        raise ConnectionRefusedError(111, "Connection refused")

    outbox = outboxes(connect, most=10)
    outbox_export = Export(outbox.offer, outbox.dropped, outbox.close)
    with ledger.open(export=outbox_export) as trail:
        for _ in range(3):
            trail.write(ledger.line())
    assert sum(body["lines"] for body in ledger.bodies("dropped")) == 4
    assert ledger.kinds()[-1] == "checkpoint"


# a real receiver


@pytest.mark.servers
@pytest.mark.parametrize("transport", Transport)
@pytest.mark.parametrize("form", SyslogFormat)
def test_rsyslog_understands_every_message(rsyslog, transport, form):
    url = rsyslog.url(transport)
    outbox = syslog_outbox(AuditSettings(syslog=url, syslog_format=form, syslog_ca_file=rsyslog.ca_file), url)
    names = ["alice", "böse\n<13>1 - - - - -", "a]b\\c=d|e"]
    for name in names:
        outbox.offer(written(name=name, user="CN=Älice,DC=example,DC=org"))
    outbox.close()
    assert outbox.dropped() == 0
    seen = rsyslog.wait_for(len(names))
    for name, found in zip(names, seen, strict=True):
        assert (found["pri"], found["app"], found["kind"], found["version"]) == ("84", "dirfactor", "outcome", "1")
        if form is SyslogFormat.CEF:
            assert parse_cef(found["text"].removeprefix("\ufeff"))[1]["suser"] == printable_cef(name)
        else:
            # rsyslog undoes the escapes of RFC 5424 and shows the values between quotation marks
            assert f'"name": "{printable(name)}"' in found["data"]
            assert '"user": "CN=Älice,DC=example,DC=org"' in found["data"]
