"""VIP in the real service: whose fault a refusal is, that nobody gets locked at VIP by us, and upkeep while it runs."""

import json
import re
import shutil
import socket
import sqlite3
import time
from contextlib import closing

import pyotp
import pytest
import pytest_asyncio

from auth.demo.service import Reply, free_port
from scenarios.command_line import dirfactor
from scenarios.company import policy, policy_dn, with_vip
from scenarios.office import Office, another, beside, each_door, open_office, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
REFUSED = Reply("refused", "Logon failed.")
CREDENTIALS = {
    "VSST10000001": "",
    "VSST10000002": {"status": "DISABLED", "temporary": "246810"},
    "VSST10000003": {"user": "uma@demo.example"},
    "VSST10000004": "",
    "VSST10000005": "",
    "VSST10000006": "",
    "VSST10000007": "",
    "VSST10000008": "",
    "436640000001": {"type": "SMS"},
}
CERTIFICATE = "certificate = certificates/client.p12"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    entries = [
        with_vip("vera", "VSST10000001"),
        with_vip("dora", "VSST10000002"),
        with_vip("uma", "user:uma@demo.example"),
        with_vip("stray", "VSST99999999"),
        with_vip("clumsy", "VSST10000004"),
        with_vip("fay", "VSST10000005"),
        with_vip("nell", "VSST10000006"),
        with_vip("drifted", "VSST10000007"),
        with_vip("lost", "VSST10000008"),
        with_vip("phoned", "sms:436640000001", dirfactorPolicy=policy_dn("calling")),
        policy("calling", dirfactorVipKeyword="call"),
    ]
    async with open_office(
        tmp_path_factory.mktemp("vip"), *entries, credentials=CREDENTIALS, vip_seconds=2.0
    ) as running:
        yield running


async def answered(office: Office, door: str, user: str, code: str) -> Reply:
    asked = await office.log_on(door, user)
    return await office.answer(door, user, asked.state, code)


def failures(office: Office) -> int:
    with closing(sqlite3.connect(office.site.folder / "state" / "state.sqlite")) as state:
        number: int = state.execute("SELECT count(*) FROM failure").fetchone()[0]
    return number


@each_door
async def test_a_wrong_code_is_the_persons_and_the_audit_has_vips_reason(office: Office, door: str):
    before = failures(office)
    code = office.site.vip_code("VSST10000001")
    assert (await answered(office, door, "vera", another(code))).outcome == "challenged"
    line = office.audit(name="vera", door=door)[-1]
    assert (line["reason"], line["detail"]) == ("code-wrong-retry", "49B5 Failed with an invalid OTP")
    assert failures(office) == before + 1


async def test_our_limit_trips_before_vips_ten(office: Office):
    """Nine tries by default: at VIP the credential is still good, for us and for everybody else."""
    while True:
        asked = await office.log_on("http", "clumsy")
        if asked.outcome != "challenged":
            break
        while asked.outcome == "challenged":
            asked = await office.answer("http", "clumsy", asked.state, another(office.site.vip_code("VSST10000004")))
    assert office.reason() == "violations-locked"
    asked_of_vip = [event["outcome"] for event in office.asked_of_vip("VSST10000004")]
    assert asked_of_vip == ["49B5"] * len(asked_of_vip)
    assert 1 <= len(asked_of_vip) < 10
    ended = await dirfactor("vip", "test", "--config", str(office.service.config), "--credential", "VSST10000004")
    assert "VSST10000004 is enabled" in ended.out


def code_ahead(office: Office, credential: str, steps: int) -> str:
    """What a device shows whose clock is so many 30-second steps ahead."""
    return pyotp.TOTP(office.site.seeds[credential]).at(int(time.time()) + 30 * steps)


@each_door
async def test_a_device_that_has_drifted_is_asked_for_its_next_code_and_vip_takes_the_two(office: Office, door: str):
    before, ahead = failures(office), {"radius": 8, "http": 16}[door]
    first, second, third = (code_ahead(office, "VSST10000007", ahead + steps) for steps in range(3))
    again = await answered(office, door, "drifted", first)
    assert (again.outcome, office.reason()) == ("challenged", "code-resynchronise")
    assert office.last()["detail"].startswith("4923 ")
    assert failures(office) == before
    kept = b"".join(file.read_bytes() for file in (office.site.folder / "state").glob("state.sqlite*"))
    assert first.encode() not in kept
    assert (await office.answer(door, "drifted", again.state, second)).outcome == "accepted"
    assert (await answered(office, door, "drifted", third)).outcome == "accepted", "alone, from then on"
    assert first not in office.site.log.read_text()


async def test_two_codes_that_do_not_follow_each_other_count_once_and_the_first_is_forgotten(office: Office):
    before = failures(office)
    again = await answered(office, "http", "lost", code_ahead(office, "VSST10000008", 8))
    assert office.reason() == "code-resynchronise"
    again = await office.answer("http", "lost", again.state, code_ahead(office, "VSST10000008", 12))
    assert (again.outcome, office.reason(), failures(office)) == ("challenged", "code-wrong-retry", before + 1)
    last = await office.answer("http", "lost", again.state, office.site.vip_code("VSST10000008"))
    assert last.outcome == "accepted", "by a code of now, alone"


async def test_a_keyword_has_vip_send_a_code_to_the_registered_telephone_once(office: Office):
    asked = await office.log_on("radius", "phoned")
    sent = await office.answer("radius", "phoned", asked.state, "call")
    assert sent.outcome == "challenged"
    texts = [event for event in office.site.vip.events() if event.get("event") == "sent"]
    assert [text["to"] for text in texts] == ["436640000001"]
    code = texts[0]["body"].split()[-1]
    assert (await office.answer("radius", "phoned", sent.state, code)).outcome == "accepted"
    told = office.site.log.read_text() + "".join(map(str, office.audit(name="phoned")))
    assert code not in told
    assert "436640000001" not in told


async def test_a_temporary_code_opens_where_the_credential_is_disabled(office: Office):
    assert await answered(office, "radius", "dora", office.site.vip_code("VSST10000002")) == REFUSED
    assert office.reason() == "vip-misconfigured"
    assert (await answered(office, "radius", "dora", "246810")).outcome == "accepted"


async def test_a_credential_of_another_account_is_nobodys_fault_here(office: Office):
    before = failures(office)
    assert await answered(office, "http", "stray", "123456") == REFUSED
    assert office.reason() == "vip-misconfigured"
    assert office.last()["detail"] == "4E03 Authorization failed: Credential ID not found"
    assert failures(office) == before


async def test_user_services_are_another_way_to_say_the_same(office: Office):
    before = failures(office)
    async with beside(office, "[vip]\n", "[vip]\ndialect = user-services\n") as other:
        code = other.site.vip_code("VSST10000003")
        assert (await answered(other, "http", "uma", another(code))).outcome == "challenged"
        assert other.last()["detail"].startswith("49B5 Authentication failed")
        assert (await answered(other, "radius", "uma", code)).outcome == "accepted"
        assert (await answered(other, "http", "nell", other.site.vip_code("VSST10000006"))).outcome == "accepted"
        assert await answered(other, "http", "stray", "123456") == REFUSED
        assert (other.reason(), other.last()["detail"][:4]) == ("vip-misconfigured", "6004")
    assert failures(office) == before


async def test_an_ended_certificate_is_the_configurations_until_it_is_replaced_on_disk(office: Office):
    folder = office.site.folder / "certificates"
    swapped = folder / "swapped.p12"
    shutil.copy(folder / "ended-client.p12", swapped)
    async with beside(office, CERTIFICATE, "certificate = certificates/swapped.p12") as other:
        assert await answered(other, "radius", "fay", other.site.vip_code("VSST10000005")) == REFUSED
        assert other.reason() == "vip-misconfigured"
        assert "expired at" in other.last()["detail"]
        assert "swapped.p12 expired at" in other.site.log.read_text()
        assert (await other.service.get("/readyz")).json()["vip_certificate_days"] == -1
        assert failures(other) == 0
        shutil.copy(folder / "client.p12", folder / "beside.p12")
        (folder / "beside.p12").rename(swapped)
        accepted = await answered(other, "radius", "fay", other.site.vip_code("VSST10000005"))
        assert accepted.outcome == "accepted", "by the same process"


async def test_the_next_certificate_takes_over_by_itself_and_status_says_which_is_shown(office: Office):
    assert (await office.service.get("/readyz")).json()["vip_certificate_days"] in (89, 90)
    pair = "certificate = certificates/ending-client.p12\nnext_certificate = certificates/client.p12"
    async with beside(office, CERTIFICATE, pair) as other:

        async def has_taken_over() -> bool:
            return (await other.service.get("/readyz")).json()["vip_certificate_days"] > 80

        await until(has_taken_over)
        assert "the next VIP certificate is shown from now on" in other.site.log.read_text()


async def test_what_was_not_sent_to_the_first_url_is_sent_to_the_second_once(office: Office):
    text = office.service.config.read_text()
    (url,) = re.findall(r"^url = (https://\S+)$", text, re.MULTILINE)
    dead = f"https://localhost:{free_port(socket.SOCK_STREAM)}"
    async with beside(office, f"url = {url}", f"url = {dead}\nfallback_urls = {url}") as other:
        seen = len(other.asked_of_vip("VSST10000006"))
        code = pyotp.TOTP(other.site.seeds["VSST10000006"]).at(int(time.time()) + 30)
        assert (await answered(other, "radius", "nell", code)).outcome == "accepted"
        assert [event["outcome"] for event in other.asked_of_vip("VSST10000006")[seen:]] == ["0000"]


async def test_vip_test_proves_certificate_password_and_url_together(office: Office):
    command = ("vip", "test", "--config", str(office.service.config))
    ended = await dirfactor(*command)
    assert ended.status == 0, ended
    assert "certificate, password and URL work together" in ended.out
    assert re.search(r"client\.p12: good for (89|90) days, until 20\d\d-\d\d-\d\d, shown to VIP", ended.out)
    ended = await dirfactor(*command, "--credential", "vsst 1000-0001", "--credential", "VSST99999999", "--json")
    found = json.loads(ended.out)
    assert ended.status == 1
    assert [(each["credential"], each["works"]) for each in found["credentials"]] == [
        ("VSST10000001", True),
        ("VSST99999999", False),
    ]
    (service,) = found["services"]
    assert (service["works"], service["reason_code"], service["tls"]) == (True, "0000", "TLSv1.3")
    assert abs(service["clock_seconds"]) < 5


async def test_vip_test_tells_what_does_not_work(office: Office):
    text = office.service.config.read_text()
    file = office.site.folder / "not-working.ini"
    file.write_text(text.replace(CERTIFICATE, "certificate = certificates/foreign-client.p12"))
    ended = await dirfactor("vip", "test", "--config", str(file))
    assert ended.status == 3
    assert "certificate" in ended.out
    file.write_text(text.replace(CERTIFICATE, "certificate = certificates/ended-client.p12"))
    ended = await dirfactor("vip", "test", "--config", str(file))
    assert ended.status == 3
    assert "expired at" in ended.err
    ended = await dirfactor("vip", "test", "--config", str(office.service.config), "--credential", "fax:1")
    assert ended.status == 2
