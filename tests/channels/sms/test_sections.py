"""[sms:NAME] sections of every driver: everything wrong is found with its line; doctor and check know them all."""

import asyncio

import pytest

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.config import ConfigFault, read_config
from auth.doctor.outbound import outbound_examinations
from auth.doctor.runner import run
from channels.peers import REPOSITORY
from scenarios.command_line import dirfactor

HEAD = "[directory]\nkind = ldif\nfile = directory.ldif\n\n"
COMMAND = "driver = command\nprogram = {program}\n"
SMPP = "driver = smpp\nhost = {host}\nsystem_id = us\npassword = file:sms.password\n"


@pytest.fixture
def config(tmp_path):
    """A config.ini with these lines behind a directory."""
    (tmp_path / "directory.ldif").touch()
    (tmp_path / "sms.password").touch(mode=0o600)
    (tmp_path / "sms.password").write_text("canary-7")

    def write(text: str):
        (tmp_path / "config.ini").write_text(HEAD + text)
        return tmp_path / "config.ini"

    return write


def found(file) -> list[str]:
    with pytest.raises(ConfigFault) as caught:
        read_config(file)
    return [f"{problem.line} {problem.where}: {problem.problem}" for problem in caught.value.problems]


def test_everything_wrong_is_found_at_once_with_its_line(config):
    text = """\
[sms:a]
driver = smpp
host = smpp.example.org
port = 99999
windows = 5
long_texts = cut

[sms:b]
driver = command
timeout_seconds = soon

[sms:c]
driver = pigeon

[sms:d]
preset = twilio
account = AC1
basic_auth = perhaps
"""
    assert found(config(text)) == [
        "5 [sms:a] password: is missing",
        "5 [sms:a] system_id: is missing",
        "8 [sms:a] port: is not from 0 to 65535",
        "9 [sms:a] windows: unknown key",
        "10 [sms:a] long_texts: not one of the words",
        "12 [sms:b] program: is missing",
        "14 [sms:b] timeout_seconds: is not a number",
        "17 [sms:c] driver: not one of the words",
        "19 [sms:d] sender: is missing, and Twilio Programmable Messaging needs it",
        "22 [sms:d] basic_auth: not a truth value",
    ]


def test_a_key_of_another_driver_is_unknown(config):
    text = f"[sms:a]\n{SMPP.format(host='smpp.example.org')}preset = twilio\n"
    assert found(config(text)) == ["10 [sms:a] preset: unknown key"]


def test_the_least_and_the_most_that_a_centre_can_be_told(config):
    lines = f"[sms:a]\n{SMPP.format(host='smpp.example.org')}"
    section = read_config(config(f"{lines}sender_ton = 0\nsender_npi = 0\nwindow = 1\n")).sms["a"]
    assert (section.sender_ton, section.sender_npi, section.window) == (0, 0, 1)
    assert found(config(f"{lines}sender_ton = 256\nsender_npi = -1\nwindow = 0\n")) == [
        "10 [sms:a] sender_ton: is not from 0 to 255",
        "11 [sms:a] sender_npi: is not from 0 to 255",
        "12 [sms:a] window: is not from 1 to 10000",
    ]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (COMMAND.format(program="/nonexistent"), "is no program that this user may execute"),
        (SMPP.format(host="smpp.example.org") + "tls = no\n", "in clear text"),
        (
            "preset = azure\nhost = x.example\nsender = Example\npassword = file:sms.password\n",
            "no access key of Azure",
        ),
        (
            "preset = sinch\nregion = e/u\naccount = a\nsender = b\npassword = file:sms.password\n",
            "region cannot stand",
        ),
    ],
)
async def test_check_config_finds_what_cannot_work_without_asking_anybody(config, lines, problem):
    ended = await dirfactor("check", "config", "--config", str(config(f"[sms:a]\n{lines}")))
    assert ended.status == 2
    assert "[sms:a]" in ended.err
    assert problem in ended.err
    assert "canary" not in ended.err


@pytest.fixture
def examined():
    async def look(file) -> list[tuple[str, str]]:
        examinations = outbound_examinations(read_config(file), SYSTEM_CLOCK, SYSTEM_ENTROPY)
        results = await asyncio.to_thread(lambda: list(run(examinations, lambda _: None)))
        return [(result.finding.status, result.finding.detail) for result in results]

    return look


async def test_doctor_reaches_a_centre_as_far_as_its_certificate(config, examined, serve, server_tls, ca_file):
    async def silent(reader, writer):
        assert not await reader.read(), "nothing is said to it"

    port = await serve(silent, server_tls)
    lines = SMPP.format(host="localhost") + f"port = {port}\n"
    ((status, detail),) = await examined(config(f"[sms:a]\n{lines}ca_file = {ca_file}\n"))
    assert (status, detail.startswith("localhost: its certificate")) == ("ok", True)
    ((status, detail),) = await examined(config(f"[sms:a]\n{lines}"))
    assert (status, "its certificate was not accepted" in detail) == ("failed", True)


async def test_doctor_sees_whether_a_program_can_be_executed(config, examined):
    program = REPOSITORY / "tools" / "bootstrap"
    assert (await examined(config(f"[sms:a]\n{COMMAND.format(program=program)}")))[0][0] == "ok"
    ((status, detail),) = await examined(config(f"[sms:a]\n{COMMAND.format(program='/nonexistent')}"))
    assert (status, "no program" in detail) == ("failed", True)


async def test_doctor_asks_the_host_that_a_preset_comes_to(config, examined):
    lines = "preset = infobip\nhost = nowhere.invalid\npassword = file:sms.password\nsender = Example\n"
    ((status, detail),) = await examined(config(f"[sms:a]\n{lines}"))
    assert (status, "nowhere.invalid" in detail) == ("failed", True)
