"""The doctor's look at the key ring: what is needed is there, and what is sealed opens for whom it is."""

import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from auth.cli.main import app
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.config import read_config
from auth.doctor.keys import key_examinations
from auth.doctor.runner import run
from auth.keys.ring import Key, Ring
from auth.keys.ring_file import RingFile, drawn
from auth.otp.sealed import sealed_token
from auth.otp.token import SoftwareToken
from schema.words import TokenKind

ALICE = uuid.UUID(int=1)


@pytest.fixture
def service(tmp_path):
    """A service with a directory of one user, who has this seed."""

    def made(seed=""):
        secret = f"dirfactorSecret: {seed}\n" if seed else ""
        (tmp_path / "directory.ldif").write_text(
            "version: 1\n\ndn: dc=lab\nobjectClass: domain\ndc: lab\n\n"
            "dn: uid=alice,dc=lab\nobjectClass: inetOrgPerson\n"
            f"uid: alice\nentryUUID: {ALICE}\ndirfactorToken: totp\n{secret}"
        )
        config = tmp_path / "config.ini"
        config.write_text("[service]\nstate_directory = state\n[directory]\nkind = ldif\nfile = directory.ldif\n")
        assert CliRunner().invoke(app, ["sync", "--config", str(config)]).exit_code == 0
        return read_config(config)

    return made


def seed(ring, owner=ALICE):
    return sealed_token(ring, owner.bytes, SoftwareToken(TokenKind.TOTP, "T-1", b"s" * 20), b"n" * 12)


def ring_of(folder: Path) -> RingFile:
    (folder / "state").mkdir(exist_ok=True)
    file = RingFile(folder / "state" / "keys.ring")
    file.made(SYSTEM_CLOCK, SYSTEM_ENTROPY)
    return file


def seen(settings):
    findings = [result.finding for result in run(key_examinations(settings, SYSTEM_CLOCK), lambda _: None)]
    return [(finding.status, finding.detail, finding.remedy) for finding in findings]


def test_without_seeds_no_ring_is_needed(service):
    assert seen(service()) == [("ok", "nothing is sealed, and no key ring is needed", "")]


def test_with_seeds_and_their_ring_all_is_well(service, tmp_path):
    ring = ring_of(tmp_path).ring()
    assert seen(service(seed(ring))) == [("ok", "1 keys, with which 1 values were made", "")]


def test_a_lost_ring_is_said_before_anybody_logs_on(service):
    lost = Ring((Key(b"k" * 32, datetime(2026, 11, 26, tzinfo=UTC)),))
    ((status, detail, remedy),) = seen(service(seed(lost)))
    assert (status, "there is no key ring" in detail, "copy keys.ring" in remedy) == ("failed", True, True)


def test_a_ring_without_the_key_names_it(service, tmp_path):
    lost = Ring((Key(b"k" * 32, datetime(2026, 11, 26, tzinfo=UTC)),))
    ring_of(tmp_path)
    ((status, detail, remedy),) = seen(service(seed(lost)))
    assert (status, "copy keys.ring" in remedy) == ("failed", True)
    assert detail == f"the ring has no key {lost.current.id}, which is needed: seeds 1"


def test_a_seed_that_was_copied_is_named_with_whose_it_is_not(service, tmp_path):
    ring = ring_of(tmp_path).ring()
    ((status, detail, _),) = seen(service(seed(ring, uuid.UUID(int=2))))
    assert status == "warning"
    assert detail.startswith("uid=alice,dc=lab: token T-1: ")
    assert "copied from another" in detail


def test_an_old_key_that_nothing_needs_and_a_ring_that_others_may_read_are_told(service, tmp_path):
    file = ring_of(tmp_path)
    old = file.ring().current.id
    ring = file.change(lambda before: before.with_new(drawn(SYSTEM_CLOCK, SYSTEM_ENTROPY)))
    settings = service(seed(ring))
    assert seen(settings) == [("info", f"key {old} is needed by nothing any more", "run `dirfactor keys retire`")]
    settings.service.ring_file.chmod(0o640)
    ((status, detail, remedy),) = seen(settings)
    assert (status, "may be read by others" in detail, "chmod 600" in remedy) == ("failed", True, True)
