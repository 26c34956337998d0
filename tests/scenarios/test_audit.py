"""The helpdesk asks the audit of the running service, the auditor proves it, and somebody tampers with it."""

import asyncio
import json
import sys

import pytest
import pytest_asyncio

from auth.audit import AuditFiles
from scenarios.command_line import Ended, dirfactor
from scenarios.company import person, texted
from scenarios.office import Office, another, open_office

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    people = [texted("alice", 1), texted("bob", 2), person("tokenless")]
    async with open_office(tmp_path_factory.mktemp("audit"), *people) as running:
        asked, code = await running.texted("radius", "alice")
        again = await running.answer("radius", "alice", asked.state, another(code))
        await running.answer("radius", "alice", again.state, code)
        await running.texted("http", "bob")
        await running.log_on("http", "tokenless")
        await running.service.kill()
        await running.service.start()
        await running.service.until_ready()
        await running.log_on("radius", "mallory")
        yield running


async def audit(office: Office, command: str, *arguments: str) -> Ended:
    return await dirfactor("audit", command, *arguments, "--config", str(office.site.service.config))


def files(office: Office) -> AuditFiles:
    return AuditFiles(office.site.audit, office.site.audit.with_suffix(".key"))


async def test_the_helpdesk_sees_a_login_as_one_story_with_every_step(office: Office):
    shown = await audit(office, "show", "--user", "alice", "--json")
    [story] = json.loads(shown.out)
    assert shown.status == 0
    assert [step["reason"] for step in story["steps"]] == ["code-sent", "code-wrong-retry", "accepted"]
    assert story["steps"][0]["gateway"]
    assert story["steps"][0]["message_id"]
    assert len({step.get("login") or step["correlation"] for step in story["steps"]}) == 1


@pytest.mark.parametrize("who", ["ALICE", "alice@demo.example", "user", "user_id"])
async def test_a_person_is_found_by_whatever_names_them(office: Office, who: str):
    who = office.audit(name="alice")[0].get(who, who)
    [story] = json.loads((await audit(office, "show", "--user", who, "--json")).out)
    assert story["name"] == "alice"


async def test_why_somebody_could_not_log_on_comes_with_what_helps(office: Office):
    text = (await audit(office, "show", "--refused", "--user", "tokenless")).out
    assert "refused: no-token" in text
    assert "what helps: " in text
    everybody = (await audit(office, "show", "--refused")).out
    assert everybody.index("mallory") < everybody.index("tokenless")
    assert "bob" not in everybody


async def test_any_correlation_id_of_a_login_leads_to_it(office: Office):
    for line in office.audit(name="alice"):
        [story] = json.loads((await audit(office, "show", "--event", line["correlation"], "--json")).out)
        assert len(story["steps"]) == 3


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--user", "nobody-at-all"], 1),
        (["--reason", "no-token"], 0),
        (["--node", "elsewhere"], 1),
        (["--since", "-1h"], 0),
        (["--since", "whenever"], 2),
        (["--reason", "no-reason"], 2),
    ],
)
async def test_show_says_by_its_status_whether_there_is_any(office: Office, arguments: list[str], status: int):
    assert (await audit(office, "show", *arguments)).status == status


async def test_outcomes_can_be_watched_as_they_come(office: Office):
    command = [sys.executable, "-m", "auth", "audit", "show", "--follow", "--json", "--user", "bob"]
    watcher = await asyncio.create_subprocess_exec(
        *command, "--config", str(office.site.service.config), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert watcher.stdout is not None
        line = asyncio.create_task(watcher.stdout.readline())
        while not line.done():
            await office.log_on("radius", "mallory")
            await office.log_on("radius", "bob")
            await asyncio.wait({line}, timeout=0.5)
        assert json.loads(line.result())["name"] == "bob"
    finally:
        watcher.kill()
        await watcher.wait()


async def test_the_audit_of_a_running_service_that_was_killed_once_is_proved(office: Office):
    proved = await audit(office, "verify", "--json")
    verdict = json.loads(proved.out)
    assert (proved.status, verdict["found"]) == (0, None)
    assert verdict["lines"] > len(office.audit())
    assert "as it was written" in (await audit(office, "verify")).out


async def test_an_auditor_proves_a_copy_with_the_public_key_alone(office: Office, tmp_path):
    key = tmp_path / "audit.pub"
    key.write_text((await audit(office, "public-key")).out)
    for file in office.site.audit.parent.glob("audit*"):
        if file.suffix in {".jsonl", ".head"}:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    copy = ("audit", "verify", "--copy", str(tmp_path / "audit.jsonl"))
    assert (await dirfactor(*copy, "--public-key", str(key))).status == 0
    assert (await dirfactor(*copy)).status == 2
    key.write_text("no key")
    assert (await dirfactor(*copy, "--public-key", str(key))).status == 3


async def test_tampering_is_named_with_file_line_and_number(office: Office):
    [day] = files(office).days()
    segment = files(office).segment(day)
    whole = segment.read_bytes()
    place = whole.index(b'"outcome":"refused"')
    segment.write_bytes(whole.replace(b'"outcome":"refused"', b'"outcome":"accepted"', 1))
    try:
        proved = await audit(office, "verify")
        verdict = json.loads((await audit(office, "verify", "--json")).out)
    finally:
        segment.write_bytes(whole)
    number = whole[:place].count(b"\n") + 1
    assert proved.status == 1
    assert proved.out.startswith(f"{segment.name} line {number} (number {number}): altered: ")
    assert (verdict["found"]["what"], verdict["found"]["line"], verdict["found"]["seq"]) == ("altered", number, number)
