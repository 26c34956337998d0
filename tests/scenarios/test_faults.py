"""When something outside fails nobody is let in by it or blamed for it, and whoever does not need it goes on."""

import asyncio
import hashlib
import re
import socket
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
import pytest_asyncio

from auth.audit.files import AuditFiles, day_of
from auth.clock import SYSTEM_CLOCK
from auth.demo.service import Reply, audit_lines, free_port
from scenarios.company import NODE_MEMBERS, password_of, person, phone, policy, policy_dn, texted, with_vip
from scenarios.office import DOORS, Office, beside, each_door, open_office, until
from schema.secret import Secret

pytestmark = pytest.mark.asyncio(loop_scope="module")
REFUSED = Reply("refused", "Logon failed.")
UNREACHABLE = phone(404)
GATE_KEY = Secret("the-key-of-the-gate-in-this-scenario")
UNDELIVERED = {
    "cut-off": "gateway: .*HTTP 200",
    "deaf": "dead: .*reached",
    "unposted": "dead: .*connect",
    "unknown": "mute: ",
}
"""User -> what the audit says of the gateways."""
VIP_FAULTS = {
    "other-id": ("other-request-id", "vip-unavailable"),
    "busy": ("reason:4879", "vip-unavailable"),
    "hanging": ("hang:3", "vip-unavailable"),
    "broken": ("http-500", "vip-unavailable"),
    "babbling": ("garbage", "vip-unavailable"),
    "half": ("half-open", "vip-unavailable"),
    "novel": ("reason:4ABC", "vip-misconfigured"),
    "barred": ("reason:4993", "vip-misconfigured"),
    "stranger": (None, "vip-misconfigured"),  # 4E03: no such credential in this account
}
"""User -> what VIP does wrong about their credential, and what comes of it."""


def config(dead_port: int, mute_port: int) -> str:
    return f"""
[node:gate]
dirfactorNodeType = http
dirfactorApiKeyHash = {hashlib.sha256(GATE_KEY.octets).hexdigest()}
dirfactorLoginMode = codeOnly
dirfactorMember = {NODE_MEMBERS}

[sms:dead]
url = http://127.0.0.1:{dead_port}/?to={{phone}}&text={{text}}
success_status = 200

[sms:mute]
url = http://127.0.0.1:{mute_port}/?to={{phone}}&text={{text}}
success_status = 200
timeout_seconds = 0.3

[email:dead]
host = localhost
port = {dead_port}
sender = logon@demo.example
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    sms_at, mail_at = "dirfactorSmsGateways", "dirfactorEmailGateways"
    entries = [
        texted("alice", 1),
        person("emma", "email"),
        texted("cut-off", 404, dirfactorPolicy=policy_dn("one-gateway")),
        policy("one-gateway", **{sms_at: "gateway"}),
        texted("deaf", 2, dirfactorPolicy=policy_dn("dead")),
        policy("dead", **{sms_at: "dead", mail_at: "dead"}),
        person("unposted", "email", dirfactorPolicy=policy_dn("dead")),
        texted("second", 3, dirfactorPolicy=policy_dn("dead-first")),
        policy("dead-first", **{sms_at: "dead, gateway"}),
        texted("unknown", 4, dirfactorPolicy=policy_dn("mute-first")),
        policy("mute-first", **{sms_at: "mute, gateway"}),
        person("backed", "sms", "email", mobile=phone(5), dirfactorPolicy=policy_dn("falling-back")),
        policy("falling-back", dirfactorTokenFallback="TRUE", **{sms_at: "dead"}),
        *(with_vip(user, user.upper()) for user in VIP_FAULTS),
        with_vip("vera", "VERA"),
        with_vip("badge", "BADGE", dirfactorPolicy=policy_dn("tokens")),
        with_vip("tom", "TOM", dirfactorPolicy=policy_dn("tokens")),
        policy("tokens", dirfactorFirstMethod="token", dirfactorSecondMethod="none"),
    ]
    credentials = {user.upper(): wrong for user, (wrong, _) in VIP_FAULTS.items() if wrong}
    with socket.create_server(("127.0.0.1", 0)) as mute:
        async with open_office(
            tmp_path_factory.mktemp("faults"),
            *entries,
            credentials=credentials | {"VERA": "", "TOM": "", "BADGE": ""},
            unreachable=[UNREACHABLE],
            more_config=config(free_port(socket.SOCK_STREAM), mute.getsockname()[1]),
            vip_seconds=1.0,
        ) as running:
            yield running


def stored(office: Office, table: str) -> int:
    """How many rows the service's state has in a table: open challenges, or counted failures."""
    file = office.site.folder / "state" / "state.sqlite"
    with closing(sqlite3.connect(file)) as state:
        number: int = state.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - ours
    return number


@each_door
@pytest.mark.parametrize("user", UNDELIVERED)
async def test_a_message_that_no_gateway_takes_leaves_no_challenge(office: Office, door: str, user: str):
    mark, before = office.site.mark(), stored(office, "challenge")
    assert await office.log_on(door, user) == REFUSED
    assert office.reason() == "delivery-failed"
    assert re.match(UNDELIVERED[user], office.last()["detail"])
    assert stored(office, "challenge") == before
    assert office.site.mark() == mark, "nor does another gateway send what this one may have sent"


async def test_the_next_gateway_takes_what_the_first_cannot(office: Office):
    asked, code = await office.texted("radius", "second")
    assert office.last()["gateway"] == "gateway"
    assert (await office.answer("radius", "second", asked.state, code)).outcome == "accepted"


async def test_the_next_token_is_asked_for_where_the_policy_says_so(office: Office):
    mark = office.site.mark()
    asked = await office.log_on("http", "backed")
    assert (asked.outcome, asked.method, office.reason()) == ("challenged", "email", "code-sent")
    code = await office.site.mail_code(mark)
    assert (await office.answer("http", "backed", asked.state, code)).outcome == "accepted"


@each_door
async def test_a_code_that_vip_cannot_judge_opens_nothing_and_blames_nobody(office: Office, door: str):
    before = stored(office, "failure")
    asked = {user: await office.log_on(door, user) for user in VIP_FAULTS}
    assert [reply.outcome for reply in asked.values()] == ["challenged"] * len(asked)
    replies = await asyncio.gather(*(office.answer(door, user, asked[user].state, "123456") for user in asked))
    assert replies == [REFUSED] * len(asked)
    refused = {line["name"]: line for line in office.audit(door=door, outcome="refused") if line["name"] in VIP_FAULTS}
    assert {user: line["reason"] for user, line in refused.items()} == {user: VIP_FAULTS[user][1] for user in asked}
    assert all(line["detail"] for line in refused.values())
    assert stored(office, "failure") == before


async def test_without_the_directory_passwords_are_refused_and_the_rest_goes_on(office: Office):
    asked, code = await office.texted("http", "alice")
    file = office.site.directory
    beside = file.with_suffix(".away")
    file.rename(beside)

    async def is_told() -> bool:
        return f"{file} cannot be read" in office.site.log.read_text()

    await until(is_told)
    assert (await office.answer("http", "alice", asked.state, code)).outcome == "accepted", "what was begun goes on"
    assert await office.log_on("radius", "emma") == REFUSED
    assert office.reason() == "directory-unavailable"
    badge = await office.service.radius("tom", office.site.vip_code("TOM"))
    assert (badge.outcome, badge.filter_id) == ("accepted", "tokens")
    mark = office.site.mark()
    asked = await office.service.http("alice", api_key=GATE_KEY)
    code = await office.site.text_code(mark)
    accepted = await office.service.http("alice", api_key=GATE_KEY, passcode=code, state=asked.state)
    assert accepted.outcome == "accepted"
    beside.rename(file)

    async def is_back() -> bool:
        return (await office.log_on("radius", "emma")).outcome == "challenged"

    await until(is_back)


async def test_a_wrong_certificate_password_stops_vip_and_nothing_else(office: Office):
    secret = office.site.folder / "certificates" / "wrong.password"
    secret.touch(mode=0o600)
    secret.write_text("not the password of this certificate")
    async with beside(office, "file:certificates/client.password", "file:certificates/wrong.password") as other:
        asked, code = await other.texted("radius", "alice")
        assert (await other.answer("radius", "alice", asked.state, code)).outcome == "accepted"
        asked = await other.log_on("radius", "vera")
        assert await other.answer("radius", "vera", asked.state, other.site.vip_code("VERA")) == REFUSED
        assert other.reason() == "vip-misconfigured"
        assert "cannot be opened with the configured password" in other.last()["detail"]
        assert "cannot be opened with the configured password" in other.site.log.read_text()
    asked = await office.log_on("radius", "vera")
    assert (await office.answer("radius", "vera", asked.state, office.site.vip_code("VERA"))).outcome == "accepted"


async def test_whoever_cannot_be_recorded_is_not_let_in_until_there_is_room_again(office: Office):
    """Linux has a device for a full disk."""
    audit = office.site.folder / "full"
    audit.mkdir()
    days = [AuditFiles(audit / "audit.jsonl", audit).segment(day_of(SYSTEM_CLOCK.now() + timedelta(n))) for n in (0, 1)]
    for day in days:
        day.symlink_to("/dev/full")
    async with beside(office, "[service]\n", "[service]\naudit_file = full/audit.jsonl\n") as other:
        assert await other.service.radius("badge", other.site.vip_code("BADGE")) == REFUSED
        assert await other.service.http("alice", password=password_of("alice")) == REFUSED
        assert re.search(r"audit file .*/audit-\d+\.jsonl: No space left on device", other.site.log.read_text())
        for day in days:
            day.unlink()
        assert (await other.log_on("http", "alice")).outcome == "challenged"
        assert [line["name"] for line in audit_lines(audit / "audit.jsonl")] == ["alice"]
    assert [event["outcome"] for event in office.asked_of_vip("BADGE")] == ["0000"]


async def test_without_the_replica_everyone_is_refused_for_that_reason(office: Office):
    with closing(sqlite3.connect(office.site.folder / "state" / "replica.sqlite")) as replica:
        replica.execute("DROP TABLE meta")
        replica.commit()
    for door in DOORS:
        assert await office.log_on(door, "alice") == REFUSED
        assert (office.last()["door"], office.reason()) == (door, "replica-unavailable")
    assert (await office.service.get("/readyz")).status_code == 503
    await office.service.pause()
    for file in (office.site.folder / "state").glob("replica.sqlite*"):
        file.unlink()
    await office.service.start()
    await office.service.until_ready()
    await office.texted("radius", "alice")
