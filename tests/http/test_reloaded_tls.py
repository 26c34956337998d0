"""A certificate is renewed under an open door; what cannot be used changes nothing, and is told."""

import asyncio
import logging
import ssl
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from auth.clock import Clock
from auth.demo.certificates import Authority, Issued
from auth.http.server import http_tls
from auth.reloaded_tls import ReloadedTls
from auth.settings import HttpSettings
from schema.errors import Fault

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AUTHORITY = Authority.make("Doors", datetime.now(UTC))
OLD, NEW = AUTHORITY.server(), AUTHORITY.server()


class Door:
    """The files of a door, and what it shows to somebody who connects."""

    def __init__(self, folder, now: datetime | None = None) -> None:
        self.certificate, self.key, self.ca = (folder / name for name in ("server.pem", "server.key", "clients.pem"))
        self.ca.write_bytes(AUTHORITY.certificate.public_bytes(Encoding.PEM))
        self.put(OLD)
        self.now = now or datetime.now(UTC)
        self.seconds = 0.0
        settings = HttpSettings(certificate=self.certificate, private_key=self.key, client_ca_file=self.ca)
        found = http_tls(settings, Clock(lambda: self.now, lambda: self.seconds))
        assert found is not None
        self.tls: ReloadedTls = found

    def put(self, issued: Issued, key: Issued | None = None) -> None:
        key_pem, _, _ = (key or issued).pem().partition(b"-----BEGIN CERTIFICATE")
        self.key.write_bytes(key_pem)
        self.certificate.write_bytes(issued.certificate.public_bytes(Encoding.PEM))

    def later(self, **much: float) -> None:
        """So much time goes by."""
        self.now += timedelta(**much)
        self.seconds += timedelta(**much).total_seconds()

    def look_twice(self) -> None:
        """So often, since files that change under its eyes are left alone."""
        self.tls.look()
        self.tls.look()

    def shown(self) -> x509.Certificate:
        """What a handshake in memory gets to see."""
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.load_verify_locations(self.ca)
        there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
        ours = self.tls.context.wrap_bio(there, back, server_side=True)
        theirs = client.wrap_bio(back, there, server_hostname="localhost")
        for _ in range(3):
            for side in (theirs, ours):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue
        return x509.load_der_x509_certificate(theirs.getpeercert(binary_form=True) or b"")


@pytest.fixture
def door(tmp_path) -> Door:
    return Door(tmp_path)


def test_a_replaced_certificate_is_shown_to_the_next_who_connects(door, caplog):
    assert door.shown() == OLD.certificate
    door.put(NEW)
    with caplog.at_level(logging.INFO):
        door.look_twice()
    assert door.shown() == NEW.certificate
    assert "was replaced: good until" in caplog.text
    assert door.tls.problem == ""
    assert door.tls.ends == NEW.certificate.not_valid_after_utc


def test_files_that_are_being_written_are_left_alone_until_they_rest(door, caplog):
    door.put(NEW, key=OLD)
    door.tls.look()
    door.put(NEW)
    door.tls.look()
    assert door.shown() == OLD.certificate
    door.tls.look()
    assert door.shown() == NEW.certificate
    assert not caplog.records


BROKEN = {
    "of another key": (lambda door: door.put(NEW, key=OLD), "do not belong together"),
    "no PEM": (lambda door: door.certificate.write_text("later"), "cannot be used"),
    "gone": (lambda door: door.certificate.unlink(), "cannot be read"),
    "a key that is gone": (lambda door: door.key.unlink(), "cannot be read"),
    "authorities that are none": (lambda door: door.ca.write_text("none"), "holds no PEM certificate"),
    "one that has ended": (lambda door: door.put(ended()), "ended on"),
    "one for later": (lambda door: door.put(later()), "from 20"),
}


def ended() -> Issued:
    return AUTHORITY.client("localhost", datetime.now(UTC) - timedelta(minutes=1))


def later() -> Issued:
    return Authority.make("Doors", datetime.now(UTC) + timedelta(days=9)).server()


@pytest.mark.parametrize("what", BROKEN)
def test_a_new_file_that_cannot_be_used_leaves_the_old_in_force_and_is_told_once(door, caplog, what):
    spoil, why = BROKEN[what]
    context = door.tls.context
    spoil(door)
    for _ in range(3):
        door.look_twice()
    assert door.tls.context is context
    assert why in door.tls.problem
    told = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(told) == 1
    assert why in told[0].getMessage()


def test_after_a_broken_one_a_good_one_is_taken(door):
    door.certificate.write_text("later")
    door.look_twice()
    assert door.tls.problem
    door.put(NEW)
    door.look_twice()
    assert (door.tls.problem, door.shown()) == ("", NEW.certificate)


def told_unusable(caplog):
    messages = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    return [message for message in messages if "what was replaced cannot be used" in message]


def test_a_certificate_that_begins_in_a_moment_is_taken_within_a_minute_of_its_beginning(door, caplog):
    soon = later()
    door.now = soon.certificate.not_valid_before_utc - timedelta(minutes=10)
    door.put(soon)
    door.look_twice()
    for _ in range(29):
        door.later(seconds=20)
        door.look_twice()
        assert (door.tls.ends, door.tls.problem != "") == (OLD.certificate.not_valid_after_utc, True)
    door.later(seconds=20)
    assert door.now == soon.certificate.not_valid_before_utc
    door.later(seconds=60)
    door.tls.look()
    assert (door.tls.ends, door.tls.problem) == (soon.certificate.not_valid_after_utc, "")
    assert len(told_unusable(caplog)) == 1, "the same problem is not told each minute"


def test_a_change_of_who_may_read_a_file_has_it_read_again(door, monkeypatch):
    """Nothing but the time of the file's last change of status is another (stat(2), st_ctime)."""
    cannot = Fault("certificate cannot be read", remedy="give it to the service's user")
    build = door.tls._files.build
    readable = False

    def built():
        if not readable:
            raise cannot
        return build()

    monkeypatch.setattr(door.tls, "_files", replace(door.tls._files, build=built))
    door.put(NEW)
    door.look_twice()
    assert door.tls.problem == cannot.problem
    readable = True
    door.look_twice()
    assert door.tls.problem == cannot.problem
    time.sleep(0.02)  # a file system's clock ticks that often
    door.certificate.chmod(0o640)
    door.look_twice()
    assert (door.tls.problem, door.shown()) == ("", NEW.certificate)


def test_another_problem_of_files_that_are_tried_again_is_told_and_so_is_each_replacement(door, caplog):
    late = later()
    door.put(late)
    door.look_twice()
    door.now = late.certificate.not_valid_after_utc
    for _ in range(3):
        door.later(minutes=1)
        door.look_twice()
    assert ["ended on" in told for told in told_unusable(caplog)] == [False, True]
    door.put(late)
    door.look_twice()
    assert ["ended on" in told for told in told_unusable(caplog)] == [False, True, True]


def test_the_private_key_is_not_told(door, caplog):
    door.certificate.write_bytes(door.key.read_bytes())
    door.look_twice()
    assert door.tls.problem
    secret = door.key.read_text().splitlines()[1]
    assert secret not in caplog.text + door.tls.problem


def test_its_last_days_are_told_from_30_on(tmp_path, caplog):
    door = Door(tmp_path)
    ends = OLD.certificate.not_valid_after_utc
    told = []
    for left in (31, 29.9, 20, 6.9, 6.8, 5.8, -0.5):
        door.now = ends - timedelta(days=left)
        caplog.clear()
        door.tls.look()
        told.append(max((record.levelno for record in caplog.records), default=0))
    warning, error = logging.WARNING, logging.ERROR
    assert told == [0, warning, 0, error, 0, error, error]
    assert door.tls.days == -1


def test_the_last_days_of_a_client_s_authority_are_told_as_well(door, caplog):
    soon = Authority.make("Clients", datetime.now(UTC) - timedelta(days=70))  # lives 90 days
    door.ca.write_bytes(door.ca.read_bytes() + soon.certificate.public_bytes(Encoding.PEM))
    door.look_twice()
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) == 1
    assert str(door.ca) in told[0]


def test_a_client_s_authority_that_is_added_counts(door):
    other = Authority.make("Others", datetime.now(UTC))
    door.ca.write_bytes(door.ca.read_bytes() + other.certificate.public_bytes(Encoding.PEM))
    door.look_twice()
    assert len(door.tls.context.get_ca_certs()) == 2


async def test_it_looks_by_itself(door, monkeypatch):
    monkeypatch.setattr("auth.reloaded_tls._LOOK_SECONDS", 0.01)
    looking = asyncio.create_task(door.tls.run())
    door.put(NEW)
    for _ in range(500):
        await asyncio.sleep(0.01)
        if door.tls.ends == NEW.certificate.not_valid_after_utc and door.shown() == NEW.certificate:
            break
    looking.cancel()
    assert door.shown() == NEW.certificate


def test_a_door_that_cannot_be_opened_says_so(tmp_path):
    with pytest.raises(Fault, match="stands without certificate"):
        http_tls(HttpSettings(client_ca_file=tmp_path / "ca.pem"), Clock(lambda: NOW, time.monotonic))
