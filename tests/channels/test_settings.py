"""The sections of config.ini: documented, readable, and enough to build a gateway from."""

import re

import pytest

from auth.channels.base import OnUnknown
from auth.channels.mail.settings import GraphSettings, Security, SmtpSettings
from auth.channels.mail.smtp import SmtpGateway
from auth.channels.sms.command.settings import CommandSettings
from auth.channels.sms.http.gateway import HttpSmsGateway
from auth.channels.sms.http.settings import BodyKind, HttpMethod, HttpSmsSettings
from auth.channels.sms.smpp.settings import SmppSettings
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.config import read_config
from auth.http_client import http_client

CONFIG = """\
[directory]
kind = ldif
file = directory.ldif

[sms:nested]
url = https://sms.example.org/v1/messages
method = post
bearer_token = file:token
sender = Example
headers =
    Content-Type: application/json
    Accept: application/json
body = raw
raw =
    {"messages": [{"from": "{sender}",
                   "destinations": [{"to": "{phone_digits}"}],
                   "text": "{text}"}]}
success_status = 200, 202
failure_body = (?i)"error"
permanent_body = "permanent":\\s*true
message_id = "id":\\s*"([^"]+)"
on_unknown = failover

[sms:kannel]
url = http://127.0.0.1:13013/cgi-bin/sendsms?username={username}&password={password}&to={phone}&text={text}
method = GET
username = us
password = file:token
success_status = 202
success_body = ^0:

[email:relay]
host = mail.example.org
sender = logon@example.org
username = us
password = file:token
"""


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "directory.ldif").touch()
    (tmp_path / "token").touch(mode=0o600)
    (tmp_path / "token").write_text("canary\n")
    (tmp_path / "config.ini").write_text(CONFIG)
    return read_config(tmp_path / "config.ini")


async def test_sections_become_gateways(settings):
    for name, section in settings.sms.items():
        gateway = HttpSmsGateway(name, section, http_client(section.ca_file), SYSTEM_CLOCK)
        assert gateway.name == name
        await gateway.aclose()
    relay = SmtpGateway("relay", settings.email["relay"], SYSTEM_CLOCK, SYSTEM_ENTROPY)
    assert relay.name == "relay"
    await relay.aclose()


def test_words_and_lines_are_read_as_meant(settings):
    nested, relay = settings.sms["nested"], settings.email["relay"]
    assert (nested.method, nested.body, nested.on_unknown) == (HttpMethod.POST, BodyKind.RAW, OnUnknown.FAILOVER)
    assert nested.headers == ("Content-Type: application/json", "Accept: application/json")
    assert nested.success_status == ("200", "202")
    assert (relay.security, relay.port, relay.on_unknown) == (Security.STARTTLS, None, OnUnknown.STOP)
    assert "canary" not in repr(settings)


def test_a_success_rule_must_be_given(tmp_path):
    file = tmp_path / "config.ini"
    file.write_text(re.sub(r"success_status = 202\n", "", CONFIG))
    (tmp_path / "token").touch(mode=0o600)
    (tmp_path / "token").write_text("canary\n")
    with pytest.raises(Exception, match=r"\[sms:kannel\] success_status: is missing"):
        read_config(file)


@pytest.mark.parametrize("section", [HttpSmsSettings, SmppSettings, CommandSettings, SmtpSettings, GraphSettings])
def test_every_setting_is_documented_in_one_line_in_the_order_of_the_section(section):
    """The sample of config.ini is made from these lines."""
    attributes = (section.__doc__ or "").partition("Attributes:\n")[2]
    lines = [line for line in attributes.splitlines() if line.strip()]
    documented = [re.match(r" {8}(\w+): \S.*\.$", line) for line in lines]
    assert None not in documented, lines
    fields = [match[1] for match in documented if match]
    assert sorted(fields) == sorted(section.__struct_fields__)
    assert len(fields) == len(set(fields))
