"""Logons by texts that an SMS centre and a program carry, through the real service."""

import re
from pathlib import Path

import pytest
import pytest_asyncio

from scenarios.company import person, policy, policy_dn, texted
from scenarios.office import Office, each_door, open_office, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.servers]
# smsc.pl refuses this one with command_status 0x58, and never answers for the other
THROTTLED, UNANSWERED = "+436649000088", "+43664900100"


def config(centre, folder: Path) -> str:
    return f"""
[sms:centre]
driver = smpp
host = {centre.host}
port = {centre.port}
tls = no
system_id = {centre.system_id}
password = file:smpp.password
sender = Example
timeout_seconds = 0.5

[sms:program]
driver = command
program = {folder}/send-text
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory, smsc):
    folder = tmp_path_factory.mktemp("drivers")
    (folder / "smpp.password").touch(mode=0o600)
    (folder / "smpp.password").write_text(smsc.password)
    (folder / "send-text").write_text(f'#!/bin/sh\ncat > {folder}/"$PHONE_DIGITS"\necho program-7\n')
    (folder / "send-text").chmod(0o755)
    by_smpp, by_program = policy_dn("by-smpp"), policy_dn("by-program")
    entries = [
        policy("by-smpp", dirfactorSmsGateways="centre, program"),
        policy("by-program", dirfactorSmsGateways="program"),
        texted("smpp", 61, dirfactorPolicy=by_smpp),
        texted("program", 62, dirfactorPolicy=by_program),
        person("throttled", "sms", mobile=THROTTLED, dirfactorPolicy=by_smpp),
        person("unanswered", "sms", mobile=UNANSWERED, dirfactorPolicy=by_smpp),
    ]
    async with open_office(folder, *entries, more_config=config(smsc, folder)) as running:
        running.folder = folder
        yield running


def code_in(text: str) -> str:
    return re.search(r"\b\d{6}\b", text)[0]


@each_door
async def test_a_text_by_smpp_lets_its_person_in_and_its_receipt_stands_in_the_audit(office: Office, smsc, door: str):
    asked = await office.log_on(door, "smpp")
    line = office.audit(name="smpp")[-1]
    text = smsc.submitted("+436640000061")[-1].text
    assert (asked.outcome, line["reason"], line["gateway"]) == ("challenged", "code-sent", "centre")
    assert (await office.answer(door, "smpp", asked.state, code_in(text))).outcome == "accepted"

    async def told() -> bool:
        return bool(office.audit(reason="message-delivered", message_id=line["message_id"]))

    await until(told)
    [receipt] = office.audit(reason="message-delivered", message_id=line["message_id"])
    assert (receipt["login"], receipt["gateway"]) == (line["correlation"], "centre")


@each_door
async def test_a_text_by_a_program_lets_its_person_in(office: Office, door: str):
    asked = await office.log_on(door, "program")
    line = office.last()
    assert (line["reason"], line["gateway"], line["message_id"]) == ("code-sent", "program", "program-7")
    text = (office.folder / "436640000062").read_text()
    assert (await office.answer(door, "program", asked.state, code_in(text))).outcome == "accepted"


async def test_a_centre_that_is_busy_is_followed_by_the_next_gateway(office: Office, smsc):
    before = len(smsc.submitted(THROTTLED))
    asked = await office.log_on("radius", "throttled")
    assert (asked.outcome, office.last()["gateway"]) == ("challenged", "program")
    assert len(smsc.submitted(THROTTLED)) == before + 1
    assert (office.folder / THROTTLED[1:]).exists()


async def test_a_centre_that_may_have_taken_the_text_is_followed_by_nobody(office: Office, smsc):
    before = len(smsc.submitted(UNANSWERED))
    assert (await office.log_on("radius", "unanswered")).outcome == "refused"
    line = office.last()
    assert (line["reason"], "gave no answer" in line["detail"]) == ("delivery-failed", True)
    assert len(smsc.submitted(UNANSWERED)) == before + 1
    assert not (office.folder / UNANSWERED[1:]).exists()
    assert smsc.password not in office.site.log.read_text()
    assert UNANSWERED[1:] not in office.site.log.read_text()
