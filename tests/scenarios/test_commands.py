"""The administrator's commands beside the running service: they say what it does."""

import asyncio
import json
import re
import sqlite3
import sys
import uuid
from pathlib import Path

import pytest
import pytest_asyncio

from scenarios.command_line import Ended, dirfactor
from scenarios.company import STAFF, group, person, phone, policy, policy_dn, texted
from scenarios.office import Office, another, open_office

pytestmark = pytest.mark.asyncio(loop_scope="module")
OUTCOMES = {
    "alice": "accepted",
    "emma": "accepted",
    "auditor": "accepted",
    "tokenless": "no-token",
    "disabled": "account-disabled",
    "outsider": "not-member",
    "torn": "policy-conflict",
    "typist": "entry-malformed",
    "pinned": "pin-missing",
    "locked": "violations-locked",
    "nobody": "user-unknown",
}
"""Login name -> how its logon ends."""
BROKEN_CONFIG = """\
[service]
state_directory = state
refusal_second = 1

[directory]
kind = ldif

[radius]
port = many

[node:vpn]
dirfactorAddress = 192.0.2.0/33
secret = swordfish
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    entries = [
        texted("alice", 1),
        person("emma", "email"),
        texted("auditor", 2),
        group("auditors", "auditor", dirfactorPolicy=policy_dn("auditing")),
        policy("auditing", dirfactorPriority="10"),
        person("tokenless", mobile=phone(3)),
        texted("disabled", 4, userAccountControl="514"),
        texted("outsider", 5),
        texted("torn", 6),
        group("editors", "torn", dirfactorPolicy=policy_dn("editing")),
        policy("editing", dirfactorPriority="50"),
        group("printers", "torn", dirfactorPolicy=policy_dn("printing")),
        policy("printing", dirfactorPriority="50"),
        texted("typist", 7, dirfactorToken=("sms", "pigeon")),
        texted("pinned", 8, dirfactorPolicy=policy_dn("with-pin")),
        policy("with-pin", dirfactorFirstMethod="pin"),
        texted("locked", 9, dirfactorPolicy=policy_dn("strict")),
        policy("strict", dirfactorLogonAttempts="1", dirfactorViolationLimit="1"),
        texted("worker", 10, dirfactorPolicy=policy_dn("weekdays")),
        policy("weekdays", dirfactorLogonHours="Mon-Fri 00:00-24:00; UTC"),
        policy("untidy", dirfactorLogonHours="always"),
    ]
    folder = tmp_path_factory.mktemp("commands")
    async with open_office(folder, *entries, outsiders=("outsider",)) as running:
        asked, code = await running.texted("http", "locked")
        await running.answer("http", "locked", asked.state, another(code))
        yield running


async def served(config: Path) -> Ended:
    """`dirfactor serve` as a process, which has to end by itself."""
    command = (sys.executable, "-m", "auth", "serve", "--config", str(config))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    return Ended(process.returncode, out.decode(), err.decode())


async def explained(office: Office, user: str, *options: str) -> Ended:
    return await dirfactor("explain", user, "--node", "vpn", "--config", str(office.service.config), *options)


@pytest.mark.parametrize("user", OUTCOMES)
async def test_explain_says_what_a_logon_does(office: Office, user: str):
    ended = await explained(office, user, "--json")
    said = json.loads(ended.out)
    asked = await office.log_on("radius", user)
    begun = office.last()
    if OUTCOMES[user] == "accepted":
        assert (ended.status, said["outcome"]) == (0, "accepted")
        assert asked.outcome == "challenged"
        assert f"a code is sent by {begun['method']} to {begun['destination']} and asked for" in said["steps"]
    else:
        assert (ended.status, said["outcome"]) == (1, f"refused: {OUTCOMES[user]}")
        assert said["remedy"]
        assert (asked.outcome, begun["reason"]) == ("refused", OUTCOMES[user])
    assert (said["user"] or "", said["policy"]) == (begun.get("user", ""), begun.get("policy", ""))
    assert said["directory_version"] == begun["directory_version"]


async def test_explain_names_the_reply_attributes_that_the_accept_carries(office: Office):
    ended = await explained(office, "auditor", "--json")
    asked, code = await office.texted("http", "auditor")
    accepted = await office.answer("http", "auditor", asked.state, code)
    [given] = json.loads(ended.out)["reply_attributes"]
    assert given == {"name": "Filter-Id", "value": accepted.filter_id, "source": f"policy {policy_dn('auditing')}"}


async def test_explain_names_every_policy_and_why_it_lost(office: Office):
    ended = await explained(office, "auditor", "--json")
    candidates = [(item["level"], item["policy"], item["won"]) for item in json.loads(ended.out)["candidates"]]
    assert candidates == [
        ("group", policy_dn("auditing"), True),
        ("organizational unit", STAFF, False),
        ("built-in default", "built-in", False),
    ]
    text = (await explained(office, "auditor")).out
    assert re.search(rf"\* group +{policy_dn('auditing')}\n", text)
    assert "at ou=people,dc=demo,dc=example: the group level comes first" in text
    assert text.startswith("accepted\n")
    assert "1. the directory checks the password" in text
    assert "2. a code is sent by sms to +43***02 and asked for" in text
    assert "Filter-Id = auditing" in text
    assert phone(2) not in text


async def test_explain_takes_a_dn_and_an_object_guid_for_a_user(office: Office):
    by_name = json.loads((await explained(office, "auditor", "--json")).out)
    identity = uuid.UUID(by_name["user_id"])
    for meant in (by_name["user"], by_name["user"].upper(), str(identity), f"{{{identity}}}", by_name["user_id"]):
        said = json.loads((await explained(office, meant, "--json")).out)
        assert (said["user"], said["steps"]) == (by_name["user"], by_name["steps"]), meant


async def test_explain_says_when_a_dn_or_an_object_guid_is_nobody_s(office: Office):
    for meant, problem in (
        ("uid=nobody,dc=demo,dc=example", "no entry has the DN uid=nobody,dc=demo,dc=example"),
        (STAFF, f"{STAFF} is not a user"),
        (str(uuid.UUID(int=7)), f"no user has the objectGUID {uuid.UUID(int=7)}"),
    ):
        ended = await explained(office, meant)
        assert (ended.status, ended.out) == (2, "")
        assert ended.err.startswith(problem)


async def test_explain_of_another_instant_goes_by_the_hours_that_are_permitted_then(office: Office):
    for at, status in (("2026-11-23T07:30Z", 0), ("2026-11-22T07:30Z", 1)):
        assert (await explained(office, "worker", "--at", at)).status == status
    ended = await explained(office, "worker", "--at", "tomorrow")
    assert (ended.status, ended.out) == (2, "")
    assert "Mon 07:30" in ended.err


async def test_explain_changes_nothing(office: Office):
    mark, lines = office.site.mark(), len(office.audit())
    await explained(office, "alice")
    assert (office.site.mark(), len(office.audit())) == (mark, lines)


async def test_explain_wants_to_know_the_node_when_there_are_several(office: Office):
    ended = await dirfactor("explain", "alice", "--config", str(office.service.config))
    assert ended.status == 2
    assert "portal, vpn" in ended.err


async def test_explain_decides_a_past_logon_again_and_says_what_has_changed_since(office: Office):
    asked, code = await office.texted("radius", "auditor")
    begun = office.last()["correlation"]
    assert (await office.answer("radius", "auditor", asked.state, code)).outcome == "accepted"
    answered = office.last()["correlation"]
    config = str(office.service.config)
    ended = await dirfactor("explain", "--event", begun, "--config", config, "--json")
    first, second = json.loads(ended.out)
    assert ended.status == 0
    assert (first["event"], second["event"], second["login"]) == (begun, answered, begun)
    assert [step["recorded"] for step in first["steps"]] == [
        "check password: the password field",
        "send code: sms to +43***02",
    ]
    assert [step["recorded"] for step in second["steps"]][-1] == "accept: Filter-Id=auditing"
    assert (first["same"], first["since"]) == (True, [])
    await office.change("cn=auditing", dirfactorSmsEnabled="FALSE")
    try:
        ended = await dirfactor("explain", "--event", begun, "--config", config)
        assert ended.status == 0, "the same facts are decided the same"
        assert f"policy {policy_dn('auditing')} sms_enabled: True -> False" in ended.out
        assert "today the same login would come to: refuse: no-token" in ended.out
        assert code not in ended.out
    finally:
        await office.change("cn=auditing", dirfactorSmsEnabled="TRUE")


async def test_explain_of_an_event_that_is_not_kept_says_so(office: Office):
    ended = await dirfactor("explain", "--event", "0000000000000000", "--config", str(office.service.config))
    assert (ended.status, ended.out) == (2, "")
    assert "no event 0000000000000000 is kept" in ended.err


@pytest.mark.parametrize("arguments", [(), ("alice", "--event", "0" * 16)])
async def test_explain_wants_one_question_at_a_time(office: Office, arguments):
    ended = await dirfactor("explain", *arguments, "--config", str(office.service.config))
    assert (ended.status, ended.out) == (2, "")
    assert "dirfactor explain USER" in ended.err


CHANGES = """\
version: 1

# the auditors' policy demands less, and emma goes
dn: {auditing}
changetype: modify
replace: dirfactorSecondMethod
dirfactorSecondMethod: none
-

dn: uid=emma,ou=people,dc=demo,dc=example
changetype: delete

dn: uid=tokenless,ou=people,dc=demo,dc=example
changetype: modify
add: dirfactorToken
dirfactorToken: sms
-
"""


async def what_if(office: Office, tmp_path: Path, text: str, *options: str) -> Ended:
    file = tmp_path / "changes.ldif"
    file.write_text(text)
    return await dirfactor("explain", "--changes", str(file), "--config", str(office.service.config), *options)


async def test_explain_says_what_a_file_of_changes_would_do_and_changes_nothing(office: Office, tmp_path):
    version = await office.version()
    ended = await what_if(office, tmp_path, CHANGES.format(auditing=policy_dn("auditing")), "--json")
    said = json.loads(ended.out)
    assert ended.status == 1, "emma loses access"
    found = {item["user"].partition(",")[0]: (item["effect"], item["nodes"]) for item in said["impacts"]}
    everywhere = ["portal", "vpn"]
    assert found == {
        "uid=emma": ("loses", everywhere),
        "uid=auditor": ("weaker", everywhere),
        "uid=tokenless": ("gains", everywhere),
    }
    assert (said["counts"]["loses"], said["users_concerned"]) == (1, 3)
    text = (await what_if(office, tmp_path, CHANGES.format(auditing=policy_dn("auditing")), "--node", "vpn")).out
    assert "accepted with password, sms to +43***02 -> accepted with password" in text
    assert text.index("loses access: 1") < text.index("is asked for less: 1") < text.index("gains access: 1")
    assert await office.version() == version
    asked, code = await office.texted("http", "auditor")
    assert (await office.answer("http", "auditor", asked.state, code)).outcome == "accepted"


async def test_what_was_foretold_is_what_happens(office: Office, tmp_path):
    """The change is made, and the decisions are those that explain had named."""
    ended = await what_if(office, tmp_path, CHANGES.format(auditing=policy_dn("auditing")), "--json")
    foretold = {
        item["user"]: item["after"] for item in json.loads(ended.out)["impacts"] if item["after"] != "is not there"
    }
    await office.change("cn=auditing", dirfactorSecondMethod="none")
    await office.change("uid=tokenless", dirfactorToken="sms")
    try:
        assert set(foretold) == {f"uid={name},ou=people,dc=demo,dc=example" for name in ("auditor", "tokenless")}
        for user, after in foretold.items():
            said = json.loads((await explained(office, user, "--json")).out)
            assert said["outcome"] == "accepted"
            assert len(said["steps"]) == len(after.split(","))
    finally:
        await office.change("cn=auditing", dirfactorSecondMethod="token")
        await office.change("uid=tokenless", dirfactorToken=None)


async def test_changes_that_take_nothing_end_well(office: Office, tmp_path):
    text = "dn: uid=alice,ou=people,dc=demo,dc=example\nchangetype: modify\nreplace: displayName\ndisplayName: A\n-\n"
    ended = await what_if(office, tmp_path, text)
    assert ended.status == 0
    assert ended.out.startswith("1 entries would be different; a logon of 0 of ")


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("dn: uid=alice,ou=people,dc=demo,dc=example\nchangetype: modify\nset: mail\n", 3, "`add: `, `delete: ` or"),
        ("dn: uid=alice,ou=people,dc=demo,dc=example\nchangetype: erase\n", 2, "`changetype: erase` is not"),
        ("\n\nuid=alice\n", 3, "is not of the form"),
        ("dn: uid=lice,ou=people,dc=demo,dc=example\nchangetype: delete\n", 1, "no entry that dirfactor knows"),
    ],
)
async def test_changes_that_cannot_be_followed_are_refused_with_their_line(office, tmp_path, text, line, problem):
    ended = await what_if(office, tmp_path, text)
    assert (ended.status, ended.out) == (2, "")
    assert f"changes.ldif, line {line}: {problem}" in ended.err


async def test_explain_of_changes_wants_a_file_and_a_node_that_exist(office: Office, tmp_path):
    ended = await what_if(office, tmp_path, "")
    assert (ended.status, "has no change in it" in ended.err) == (2, True)
    ended = await what_if(office, tmp_path, CHANGES.format(auditing=policy_dn("auditing")), "--node", "vpm")
    assert (ended.status, "there are portal, vpn" in ended.err) == (2, True)
    ended = await dirfactor("explain", "--changes", str(tmp_path / "none"), "--config", str(office.service.config))
    assert (ended.status, "cannot be read" in ended.err) == (2, True)


async def test_check_config_tells_everything_that_is_wrong_with_its_line(tmp_path):
    file = tmp_path / "config.ini"
    file.write_text(BROKEN_CONFIG)
    ended = await dirfactor("check", "config", "--config", str(file))
    assert ended.status == 2
    where = re.findall(rf"(?m)^{re.escape(str(file))}:(\d+): (.*?): ", ended.err)
    assert where == [
        ("3", "[service] refusal_second"),
        ("5", "[directory] file"),
        ("9", "[radius] port"),
        ("11", "[node:vpn] dirfactorMember"),
        ("12", "[node:vpn] dirfactorAddress"),
        ("13", "[node:vpn] secret"),
    ]
    assert "did you mean refusal_seconds" in ended.err
    assert "swordfish" not in ended.out + ended.err
    assert await served(file) == ended, "and serve says the same"


async def test_check_config_finds_nothing_wrong_with_a_config_that_serves(office: Office):
    ended = await dirfactor("check", "config", "--config", str(office.service.config))
    assert (ended.status, ended.out) == (0, f"{office.service.config}: no problems\n")


async def test_check_values_lists_what_is_malformed(office: Office):
    ended = await dirfactor("check", "values", "--config", str(office.service.config))
    assert ended.status == 1
    assert "uid=typist,ou=people,dc=demo,dc=example\n    dirfactorToken: 'pigeon', expected " in ended.out
    assert f"{policy_dn('untidy')}\n    dirfactorLogonHours: 'always', expected " in ended.out
    assert ended.out.endswith("2 malformed values\n")
    data = json.loads((await dirfactor("check", "values", "--json", "--config", str(office.service.config))).out)
    assert [(item["attribute"], item["value"]) for item in data] == [
        ("dirfactorLogonHours", "always"),
        ("dirfactorToken", "pigeon"),
    ]


async def test_sync_says_what_it_did(office: Office):
    config = office.site.folder / "own.ini"
    config.write_text(office.service.config.read_text().replace("state_directory = state", "state_directory = own"))
    first = await dirfactor("sync", "--config", str(config))
    number = len(office.company.entries)
    assert (first.status, first.out) == (0, f"added {number}, changed 0, removed 0, version 1\n")
    second = await dirfactor("sync", "--json", "--config", str(config))
    assert json.loads(second.out) == {"added": 0, "changed": 0, "removed": 0, "version": 1}
    spoilt = sqlite3.connect(office.site.folder / "own" / "replica.sqlite")
    with spoilt:
        spoilt.execute("DELETE FROM entry WHERE kind = 'node' OR number = 1")
    spoilt.close()
    assert (await dirfactor("sync", "--config", str(config))).out == "added 0, changed 0, removed 0, version 1\n"
    repaired = await dirfactor("sync", "--full", "--config", str(config))
    assert (repaired.status, repaired.out) == (0, "added 1, changed 0, removed 0, version 2\n")


async def test_what_cannot_be_known_before_the_first_sync_is_not_said(office: Office):
    config = office.site.folder / "unsynced.ini"
    config.write_text(
        office.service.config.read_text().replace("state_directory = state", "state_directory = unsynced")
    )
    asking = (("explain", "alice", "--node", "vpn"), ("check", "values"))
    for command in asking:
        ended = await dirfactor(*command, "--config", str(config))
        assert (ended.status, ended.out) == (3, "")
        assert "there is no replica" in ended.err
        assert "run `dirfactor sync`" in ended.err
    whole = office.site.directory.read_text()
    failing = config.read_text().replace(f"file = {office.site.directory.name}", "file = none.ldif")
    config.write_text(failing)
    assert (await dirfactor("sync", "--config", str(config))).status == 3
    for command in asking:
        ended = await dirfactor(*command, "--config", str(config))
        assert (ended.status, ended.out) == (3, "")
        assert "no sync has succeeded yet" in ended.err
        assert "run `dirfactor sync`" in ended.err
    assert office.site.directory.read_text() == whole


async def test_plan_verify_and_apply_reach_the_directory_by_the_same_options():
    """By --help: a directory to ask is not at hand here."""
    options = []
    for command in ("plan", "verify", "apply"):
        ended = await dirfactor("schema", command, "--help")
        assert ended.status == 0
        options.append(set(re.findall(r"--[a-z-]+", ended.out)))
    access = {"--url", "--bind", "--password-file", "--ca-file", "--start-tls", "--help"}
    assert options == [access | {"--json"}, access | {"--json"}, access | {"--dry-run"}]
    ended = await dirfactor("schema", "plan", "--url", "nonsense")
    assert ended.status == 3
    assert "nonsense" in ended.err
