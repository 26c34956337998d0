"""A phone number handed to a mailer does not get past the type checker."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MIXED_UP = """\
from auth.addresses import EmailAddress, PhoneNumber
from auth.channels.base import Message, Receipt
from auth.channels.mail.smtp import SmtpGateway
from auth.channels.minted import MintedChannel
from auth.channels.sms.http.gateway import HttpSmsGateway


async def right(sms: MintedChannel[PhoneNumber], mail: MintedChannel[EmailAddress], to: PhoneNumber) -> Receipt:
    return await sms.deliver(to, Message("", ""), gateways=(), deadline_seconds=1.0)


async def number_to_mailer(mail: MintedChannel[EmailAddress], to: PhoneNumber) -> Receipt:
    return await mail.deliver(to, Message("", ""), gateways=(), deadline_seconds=1.0)


def mailer_among_texts(gateway: SmtpGateway) -> MintedChannel[PhoneNumber]:
    return MintedChannel([gateway], lambda: 0.0)


async def mail_address_to_text_gateway(gateway: HttpSmsGateway, to: EmailAddress) -> Receipt:
    return await gateway.send(to, Message("", ""))


async def text_to_mailer(mail: MintedChannel[EmailAddress]) -> Receipt:
    return await mail.deliver("alice@example.org", Message("", ""), gateways=(), deadline_seconds=1.0)
"""
WRONG_LINES = {13, 17, 21, 25}


def test_addresses_cannot_be_mixed_up(tmp_path):
    pytest.importorskip("mypy", reason="the type checker is not installed: pip install -e '.[check]'")
    module = tmp_path / "mixed_up.py"
    module.write_text(MIXED_UP)
    command = [sys.executable, "-m", "mypy", "--config-file", str(REPOSITORY / "pyproject.toml"), str(module)]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=os.environ | {"MYPYPATH": "."}, capture_output=True, text=True, check=False
    )
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert {int(line.split(":")[1]) for line in errors} == WRONG_LINES, done.stdout + done.stderr
    assert all("[arg-type]" in line or "[list-item]" in line for line in errors), done.stdout
