"""A text goes out once, by a gateway that is well, in the time there is, within the limits; and its fate is told."""

import asyncio
import json
import socket
import time

import httpx
import pytest
import pytest_asyncio

from auth.demo.service import Reply, free_port
from scenarios.command_line import dirfactor
from scenarios.company import person, phone, policy, policy_dn, texted
from scenarios.office import Office, each_door, open_office

pytestmark = pytest.mark.asyncio(loop_scope="module")
REFUSED = Reply("refused", "Logon failed.")
DELIVERY_SECONDS = 4.0
MOST_AN_HOUR = 3
TOKEN = "the-token-of-the-provider-in-this-scenario"
LIMIT = "the limit per_user_hour of [spend] is reached"


def config(down: int, half_open: int) -> str:
    return f"""
[sms:down]
url = http://127.0.0.1:{down}/?to={{phone}}&text={{text}}
success_status = 200

[sms:down-too]
url = http://127.0.0.1:{down}/?to={{phone}}&text={{text}}
success_status = 200

[sms:half-open]
url = http://127.0.0.1:{half_open}/?to={{phone}}&text={{text}}
success_status = 200
timeout_seconds = 30
on_unknown = failover

[receipts:gateway]
token = file:receipts.token
message_id = json:id
status = json:status

[spend]
per_user_hour = {MOST_AN_HOUR}
"""


def sending_by(*gateways: str) -> dict[str, str]:
    return {"dirfactorSmsGateways": ", ".join(gateways)}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deliveries")
    (folder / "receipts.token").touch(mode=0o600)
    (folder / "receipts.token").write_text(TOKEN)
    entries = [
        *(texted(f"down-{number}", number, dirfactorPolicy=policy_dn("down-first")) for number in range(1, 6)),
        policy("down-first", **sending_by("down", "gateway")),
        # two texts count each time: what the gateway that hangs was asked for may have been sent as well
        texted("waiting-radius", 11, dirfactorPolicy=policy_dn("half-open-first")),
        texted("waiting-http", 17, dirfactorPolicy=policy_dn("half-open-first")),
        policy("half-open-first", **sending_by("half-open", "gateway")),
        texted("unlucky", 12, dirfactorPolicy=policy_dn("none-well")),
        policy("none-well", **sending_by("down", "down-too")),
        texted("often", 13, dirfactorPolicy=policy_dn("well")),
        policy("well", **sending_by("gateway")),
        person("backed", "sms", "email", mobile=phone(14), dirfactorPolicy=policy_dn("falling-back")),
        policy("falling-back", dirfactorTokenFallback="TRUE", **sending_by("gateway")),
        texted("told", 15, dirfactorPolicy=policy_dn("well")),
        texted("rushing", 16, dirfactorPolicy=policy_dn("well")),
        person("premium", "sms", mobile="+43900123456", dirfactorPolicy=policy_dn("well")),
        person("abroad", "sms", mobile="+4915112345678", dirfactorPolicy=policy_dn("well")),
    ]
    with socket.create_server(("127.0.0.1", 0)) as half_open:
        more = config(free_port(socket.SOCK_STREAM), half_open.getsockname()[1])
        async with open_office(folder, *entries, more_config=more) as running:
            yield running


async def sent_once(office: Office, door: str, user: str) -> dict[str, str]:
    """A whole logon with one text; what the audit has of it."""
    mark, begun = office.site.mark(), time.monotonic()
    asked, code = await office.texted(door, user)
    assert time.monotonic() - begun < DELIVERY_SECONDS
    line = office.last()
    assert (await office.answer(door, user, asked.state, code)).outcome == "accepted"
    assert office.texts_since(mark) == 1
    return line


@each_door
async def test_when_a_gateway_hangs_the_next_one_sends_the_one_text_within_the_deadline(office: Office, door: str):
    """It hangs for as long as it is let, and its own timeout is longer than the whole deadline."""
    assert (await sent_once(office, door, f"waiting-{door}"))["gateway"] == "gateway"


async def test_a_gateway_that_is_down_is_passed_over_and_after_a_while_left_alone(office: Office):
    for number in range(1, 5):
        assert (await sent_once(office, "radius", f"down-{number}"))["gateway"] == "gateway"
    ready = await office.service.get("/readyz")
    assert (ready.status_code, ready.json()["sms:down"]) == (200, "open")
    assert office.site.log.read_text().count("gateway down has failed 3 times in a row") == 1
    assert (await sent_once(office, "http", "down-5"))["gateway"] == "gateway"


@each_door
async def test_when_none_is_well_the_person_hears_what_everybody_refused_hears_and_the_audit_has_all(
    office: Office, door: str
):
    mark = office.site.mark()
    assert await office.log_on(door, "unlucky") == REFUSED
    assert await office.log_on(door, "nobody") == REFUSED
    line = office.audit(name="unlucky")[-1]
    assert line["reason"] == "delivery-failed"
    assert "down: " in line["detail"]
    assert "down-too: " in line["detail"]
    assert office.site.mark() == mark


async def test_a_limit_holds_at_both_doors_together_and_its_name_stands_in_the_audit(office: Office):
    for door in ("radius", "http", "radius"):
        await sent_once(office, door, "often")
    mark = office.site.mark()
    for door in ("radius", "http"):
        assert await office.log_on(door, "often") == REFUSED
        line = office.last()
        assert (line["reason"], line["detail"]) == ("delivery-failed", LIMIT)
    assert office.site.mark() == mark
    assert (await office.service.get("/readyz")).json()["texts_refused"] >= 2


async def test_where_the_policy_has_it_a_mail_is_sent_to_whom_a_limit_keeps_from_getting_texts(office: Office):
    for _ in range(MOST_AN_HOUR):
        await sent_once(office, "radius", "backed")
    mark = office.site.mark()
    asked = await office.log_on("radius", "backed")
    assert (asked.outcome, office.last()["method"], office.last()["detail"]) == ("challenged", "email", LIMIT)
    code = await office.site.mail_code(mark)
    assert (await office.answer("radius", "backed", asked.state, code)).outcome == "accepted"


@pytest.mark.parametrize(("user", "why"), [("premium", "premium-rate"), ("abroad", "(DE, +49)")])
async def test_no_text_goes_to_numbers_that_cost_more_and_explain_says_why(office: Office, user: str, why: str):
    mark = office.site.mark()
    assert await office.log_on("radius", user) == REFUSED
    assert office.reason() == "no-token"
    explained = await dirfactor("explain", user, "--node", "vpn", "--config", str(office.service.config))
    assert explained.status == 1
    assert why in explained.out
    assert "[spend]" in explained.out
    assert office.site.mark() == mark


async def test_what_became_of_a_text_stands_in_the_audit_with_its_login(office: Office):
    line = await sent_once(office, "radius", "told")
    url = f"http://127.0.0.1:{office.service.http_port}/v1/receipts/gateway"
    async with httpx.AsyncClient(trust_env=False) as provider:

        async def says(status: str, token: str = TOKEN) -> int:
            body = json.dumps({"id": line["message_id"], "status": status})
            headers = {"Authorization": f"Bearer {token}"}
            return (await provider.post(url, content=body, headers=headers)).status_code

        assert await says("delivered", "a-wrong-token") == 401
        assert [await says(status) for status in ("sent", "delivered", "delivered")] == [204, 204, 204]
    [receipt] = office.audit(reason="message-delivered")
    assert (receipt["login"], receipt["user_id"]) == (line["correlation"], line["user_id"])
    assert (receipt["gateway"], receipt["message_id"]) == ("gateway", line["message_id"])


async def test_texts_to_one_person_asked_for_at_once_are_no_more_than_the_limit(office: Office):
    """Each from another caller, so that none joins another's login."""
    mark = office.site.mark()
    replies = await asyncio.gather(*(office.log_on("radius", "rushing") for _ in range(8)))
    assert [reply.outcome for reply in replies].count("challenged") == MOST_AN_HOUR
    assert office.texts_since(mark) == MOST_AN_HOUR
