"""`dirfactor sms`: what it says, what it sends, and what it never shows."""

import json
from dataclasses import replace

import pytest

from auth.channels.sms.http.presets import presets
from channels.sms.providers import AZURE_KEY, BUSY, NO_NUMBER, PASSWORD, PROVIDERS, SENDER, TAKEN, TEXT, Program
from scenarios.command_line import dirfactor

SECTIONS = """\
[sms:first]
preset = kannel
url = http://127.0.0.1:{port}/cgi-bin/sendsms
username = us
password = file:sms.password
sender = Example

[sms:second]
driver = command
program = {folder}/send-text
arguments =
    --to
    {{phone}}
password = file:sms.password

[sms:third]
driver = smpp
host = smpp.example.org
system_id = us
password = file:sms.password
sender = Example

[sms:fourth]
preset = aws
region = eu-central-1
username = AKIDEXAMPLE
password = file:sms.password
sender = Example
"""


@pytest.fixture
async def site(tmp_path, serve):
    """A folder with config.ini; gives the gateway's program and a way to run commands there."""
    program = Program(PROVIDERS["kannel"])
    port = await serve(program)
    program.provider = replace(PROVIDERS["kannel"], host=f"127.0.0.1:{port}")
    (tmp_path / "directory.ldif").touch()
    (tmp_path / "sms.password").touch(mode=0o600)
    (tmp_path / "sms.password").write_text(PASSWORD)
    (tmp_path / "send-text").write_text(f"#!/bin/sh\ncat > {tmp_path}/sent\necho modem-7\n")
    (tmp_path / "send-text").chmod(0o755)
    head = "[service]\nregion = AT\n[directory]\nkind = ldif\nfile = directory.ldif\n"
    config = tmp_path / "config.ini"
    config.write_text(head + SECTIONS.format(port=port, folder=tmp_path))

    async def run(*arguments):
        ended = await dirfactor("sms", *arguments, "--config", str(config))
        assert PASSWORD not in ended.out + ended.err
        return ended

    run.program, run.folder = program, tmp_path
    return run


async def test_a_text_goes_out_by_the_first_gateway_that_takes_it(site):
    ended = await site("test", TAKEN, "--text", TEXT)
    assert ended.status == 0, ended.err
    assert ended.out.startswith("[sms:first] has taken the text for +43***01\n")
    assert "encoding  GSM 03.38, 1 part\n" in ended.out
    assert site.program.texts == 1
    assert not (site.folder / "sent").exists()


async def test_a_gateway_that_fails_is_followed_by_the_next(site):
    ended = await site("test", BUSY, "--text", TEXT, "--json")
    said = json.loads(ended.out)
    assert (ended.status, said["gateway"], said["message_id"]) == (0, "second", "modem-7")
    assert (said["encoding"], said["parts"], said["problem"]) == ("GSM 03.38", 1, None)
    assert (site.folder / "sent").read_text() == TEXT


async def test_one_gateway_can_be_named_and_its_failure_is_told_with_a_remedy(site):
    ended = await site("test", NO_NUMBER, "--text", TEXT, "--gateway", "first")
    assert ended.status == 3
    assert "nobody has taken the text for +43***02: first: answered HTTP 400" in ended.out
    assert "check the person's phone number" in ended.out
    assert not (site.folder / "sent").exists()
    said = json.loads((await site("test", NO_NUMBER, "--text", TEXT, "-g", "first", "--json")).out)
    assert (said["gateway"], said["permanent"], said["unknown"]) == (None, True, False)


async def test_another_section_that_cannot_work_keeps_nobody_from_trying_this_one(site):
    (site.folder / "send-text").unlink()
    ended = await site("test", TAKEN, "--text", TEXT, "--gateway", "first")
    assert ended.status == 0, ended.err


async def test_national_numbers_are_those_of_the_region(site):
    ended = await site("test", "0664 0000001", "--text", TEXT)
    assert ended.status == 0, ended.err
    assert site.program.texts == 1


@pytest.mark.parametrize(
    ("number", "problem", "remedy"),
    [
        ("+43 664 CALLME1", "has letters in it", "write digits only"),
        ("+43 664 0000001 ext. 5", "has an extension", "write the number alone"),
        ("*43#", "which a network takes for a command", "write digits only"),
        ("12", "is no number that can be dialled", "+43 664"),
        ("", "is no number that can be dialled", "+43 664"),
    ],
)
async def test_a_bad_number_is_refused_with_a_remedy_and_nothing_is_sent(site, number, problem, remedy):
    ended = await site("test", number, "--text", TEXT)
    assert (ended.status, ended.out) == (2, "")
    assert problem in ended.err
    assert remedy in ended.err
    assert site.program.texts == 0


async def test_an_unknown_gateway_is_refused(site):
    for command in (("test", TAKEN, "--gateway", "frist"), ("show", "frist")):
        ended = await site(*command)
        assert ended.status == 2
        assert "known are: first, second, third, fourth" in ended.err


async def test_a_dry_run_prints_what_each_gateway_would_be_told_and_sends_nothing(site):
    ended = await site("test", TAKEN, "--text", TEXT, "--dry-run")
    assert ended.status == 0, ended.err
    assert site.program.texts == 0
    assert not (site.folder / "sent").exists()
    for line in (
        "[sms:first] would be told, of 1 part in GSM 03.38:",
        "X-Kannel-Password: xxxxx",
        f"X-Kannel-To: {TAKEN}",
        "PASSWORD=xxxxx",
        f"'--to' '{TAKEN}'",
        "bind_transceiver system_id=us password=xxxxx system_type=",
        f"destination={TAKEN[1:]} (1/1) data_coding=0",
        "Authorization: the signature of aws, made when it is sent",
        '"MessageType": "TRANSACTIONAL"',
    ):
        assert line in ended.out, line
    said = json.loads((await site("test", TAKEN, "--text", "код " + TEXT, "--dry-run", "--json")).out)
    assert [(item["gateway"], item["encoding"], item["parts"]) for item in said] == [
        (name, "UCS-2", 1) for name in ("first", "second", "third", "fourth")
    ]


async def test_show_prints_what_a_section_comes_to(site):
    shown = (await site("show", "fourth")).out
    for line in (
        "[sms:fourth]",
        "url = https://sms-voice.{region}.amazonaws.com/",
        "password = ***",
        "region = eu-central-1",
        "    X-Amz-Target: PinpointSMSVoiceV2.SendTextMessage",
        "timeout_seconds = 3.0",
        "basic_auth = no",
    ):
        assert f"{line}\n" in shown, line
    said = json.loads((await site("show", "third", "--json")).out)
    assert (said["name"], said["driver"], said["password"], said["window"]) == ("third", "smpp", "***", 10)


@pytest.mark.parametrize("name", sorted(PROVIDERS))
async def test_what_show_prints_is_a_section_that_says_the_same(tmp_path, name):
    """But for the secret, which is put back."""
    (tmp_path / "directory.ldif").touch()
    (tmp_path / "sms.password").touch(mode=0o600)
    (tmp_path / "sms.password").write_text(AZURE_KEY)
    keys = {"preset": name, **PROVIDERS[name].section, "password": "file:sms.password"}
    head = "[directory]\nkind = ldif\nfile = directory.ldif\n"
    given = head + "[sms:x]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
    (tmp_path / "given.ini").write_text(given)
    shown = (await dirfactor("sms", "show", "x", "--config", str(tmp_path / "given.ini"))).out
    (tmp_path / "again.ini").write_text(head + shown.replace(" = ***", " = file:sms.password"))
    again = (await dirfactor("sms", "show", "x", "--config", str(tmp_path / "again.ini"))).out
    assert again == shown
    assert SENDER in shown


async def test_presets_are_listed_with_what_they_need():
    ended = await dirfactor("sms", "presets")
    assert ended.status == 0
    for preset in presets().values():
        assert f"{preset.name}: {preset.title}\n" in ended.out
        for key, meaning in preset.means.items():
            assert f"    {key} = {meaning}\n" in ended.out
    listed = json.loads((await dirfactor("sms", "presets", "--json")).out)
    assert [item["name"] for item in listed] == list(presets())
    assert listed[0]["options"]["success_status"] == "201"


async def test_without_a_gateway_there_is_nothing_to_try(tmp_path):
    (tmp_path / "directory.ldif").touch()
    (tmp_path / "config.ini").write_text("[directory]\nkind = ldif\nfile = directory.ldif\n")
    ended = await dirfactor("sms", "test", TAKEN, "--config", str(tmp_path / "config.ini"))
    assert ended.status == 3
    assert "add a [sms:NAME] section" in ended.err
