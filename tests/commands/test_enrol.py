"""Enrolling at a terminal leaves the seed with the person alone: no picture of it stays when nothing came of it."""

from pathlib import Path

import pytest

from auth.cli.faults import UsageFault
from auth.cli.sealed.enrol import Wish, enrol
from auth.otp.token import Algorithm
from schema.entry import Policy
from schema.words import TokenKind


def wish(png: Path, code: str, *, confirm: bool = True) -> Wish:
    return Wish("T1", Algorithm.SHA1, 6, 30, "Example", None, png, code, confirm)


def test_the_picture_of_a_token_that_showed_no_right_code_is_gone(tmp_path):
    with pytest.raises(UsageFault, match="nothing was written"):
        enrol(TokenKind.HOTP, wish(tmp_path / "qr.png", "letters"), "alice", Policy(name="built-in"))
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_was_there_before_is_left_alone(tmp_path):
    png = tmp_path / "qr.png"
    png.write_bytes(b"somebody's")
    with pytest.raises(UsageFault, match="there already"):
        enrol(TokenKind.HOTP, wish(png, "letters"), "alice", Policy(name="built-in"))
    assert png.read_bytes() == b"somebody's"


def test_the_picture_of_a_token_that_works_stays_for_its_owner_alone(tmp_path):
    png = tmp_path / "qr.png"
    enrol(TokenKind.HOTP, wish(png, "", confirm=False), "alice", Policy(name="built-in"))
    assert png.stat().st_mode & 0o777 == 0o600
