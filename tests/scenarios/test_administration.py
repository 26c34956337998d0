"""The administrative routes say what the commands say, to those who may ask."""

import asyncio
import json
import sys

import pytest
import pytest_asyncio

from scenarios.api import ADMINISTRATORS, call
from scenarios.company import BASE, password_of, texted
from scenarios.office import Office, open_office, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    folder = tmp_path_factory.mktemp("administration")
    async with open_office(folder, texted("alice", 1), texted("bob", 2), more_config=ADMINISTRATORS) as running:
        yield running


async def printed(office: Office, *arguments: str) -> object:
    """What a command prints as JSON."""
    command = [sys.executable, "-m", "auth", *arguments, "--json", "--config", str(office.service.config)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return json.loads(output)


async def test_explain_is_what_the_command_prints(office: Office):
    for user in (f"uid=alice,ou=people,{BASE}", "nobody"):
        answer = await call(office, "helpdesk", "POST", "/v1/explain", json={"user": user, "node": "vpn"})
        assert answer.status_code == 200
        shown, command = answer.json(), await printed(office, "explain", user, "--node", "vpn")
        ages = {shown.pop("directory_age") - command.pop("directory_age")}
        assert shown == command
        assert all(abs(age) < 30 for age in ages)
    assert shown["outcome"] == "refused: user-unknown"


async def test_explain_takes_another_instant_and_says_what_it_cannot_read(office: Office):
    at = {"user": "alice", "node": "vpn", "at": "2026-11-24T07:30Z"}
    answer = await call(office, "helpdesk", "POST", "/v1/explain", json=at)
    assert answer.json()["at"] == "2026-11-24T07:30:00Z"
    for body, status, detail in (
        ({"user": "alice", "node": "vpn", "at": "soon"}, 400, "at: "),
        ({"user": "alice"}, 400, "there are portal, vpn"),
        ({"user": f"uid=nobody,ou=people,{BASE}", "node": "vpn"}, 404, "no entry has the DN"),
        ({"user": "alice", "nodes": "vpn"}, 400, "unknown field `nodes`"),
    ):
        answer = await call(office, "helpdesk", "POST", "/v1/explain", json=body)
        assert (answer.status_code, detail in answer.json()["detail"]) == (status, True), answer.text


async def test_events_are_what_the_command_prints(office: Office):
    await office.log_on("radius", "alice", password="wrong")
    await office.texted("http", "alice")
    await office.log_on("http", "bob", password="wrong")
    for query, arguments in (
        ({"user": "alice"}, ["--user", "alice"]),
        ({"refused": "true", "node": "portal", "reason": "password-wrong"}, ["--refused", "--node", "portal"]),
        ({"since": "-2h", "limit": "1"}, ["--since", "-2h", "--limit", "1"]),
    ):
        answer = await call(office, "helpdesk", "GET", "/v1/events", params=query)
        assert answer.status_code == 200
        found = answer.json()["logins"]
        assert found == await printed(office, "audit", "show", *arguments)
        assert found
    assert password_of("alice") not in answer.text
    one = found[0]["steps"][-1]["correlation"]
    answer = await call(office, "helpdesk", "GET", "/v1/events", params={"event": one})
    assert answer.json()["logins"] == found[:1]
    answer = await call(office, "helpdesk", "GET", "/v1/events", params={"since": "+1h"})
    assert answer.json() == {"logins": []}


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("usr=alice", "unknown field `usr`"),
        ("limit=101", "Expected `int` <= 100"),
        ("limit=0", "Expected `int` >= 1"),
        ("limit=few", "Expected `int`"),
        ("reason=bad-luck", "Invalid enum value"),
        ("since=soon", "since: "),
        ("user=a&user=b", "something twice"),
        ("user=%ff", "not UTF-8"),
        ("refused=perhaps", "Expected `bool`"),
    ],
)
async def test_a_query_of_another_shape_is_a_bad_request(office: Office, query: str, detail: str):
    answer = await call(office, "helpdesk", "GET", f"/v1/events?{query}")
    assert answer.status_code == 400
    assert detail in answer.json()["detail"]


async def test_status_says_how_all_is_doing(office: Office):
    answer = await call(office, "monitor", "GET", "/v1/status")
    found = answer.json()
    assert (found["ready"], found["problems"], found["vip"]) == (True, [], "ready")
    (directory,) = found["directories"]
    assert (directory["name"], directory["last_error"], directory["held"]) == ("", None, False)
    assert directory["version"] == await office.version()
    assert {(each["channel"], each["name"], each["standing"]) for each in found["gateways"]} == {
        ("sms", "gateway", "closed"),
        ("email", "relay", "closed"),
    }
    assert [(each["name"], each["problem"]) for each in found["certificates"]] == [("vip", "")]
    assert found["audit_lines"] > 0


async def test_a_directory_that_fails_is_told_with_why(office: Office):
    whole = office.site.directory.read_text()
    office.site.save(whole + "\nthis is no LDIF\n")

    async def told() -> bool:
        found = (await call(office, "operator", "GET", "/v1/sync")).json()["directories"][0]
        return found["failures"] > 0 and "directory.ldif" in found["last_error"]

    await until(told)
    office.site.save(whole)

    async def mended() -> bool:
        return not (await call(office, "operator", "GET", "/v1/sync")).json()["directories"][0]["failures"]

    await until(mended)


async def test_a_look_can_be_asked_for(office: Office):
    before = (await call(office, "operator", "GET", "/v1/sync")).json()["directories"][0]["done"]
    for body in ({}, {"directory": ""}):
        answer = await call(office, "operator", "POST", "/v1/sync", json=body)
        assert answer.status_code == 202
        assert answer.json()["directories"][0]["name"] == ""

    async def looked() -> bool:
        return (await call(office, "operator", "GET", "/v1/sync")).json()["directories"][0]["done"] > before

    await until(looked)
    answer = await call(office, "operator", "POST", "/v1/sync", json={"directory": "elsewhere"})
    assert answer.status_code == 404


async def test_who_may_not_is_told_so(office: Office):
    for role, method, path in (
        ("monitor", "GET", "/v1/events"),
        ("monitor", "POST", "/v1/explain"),
        ("monitor", "POST", "/v1/sync"),
        ("helpdesk", "POST", "/v1/sync"),
        ("operator", "GET", "/v1/events"),
    ):
        answer = await call(office, role, method, path)
        assert answer.status_code == 403
        assert answer.headers["cache-control"] == "no-store"
    assert (await office.service.get("/v1/status")).status_code == 401
