"""What must not open: each refusal with its reason in the audit, and with the same words for the person."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from auth.demo.service import RunningService
from auth.radius.attributes import Attribute
from auth.radius.packet import Code
from scenarios.company import Entry, group, password_of, person, phone, policy, policy_dn, texted, unit, with_vip
from scenarios.office import Office, each_door, open_office

pytestmark = pytest.mark.asyncio(loop_scope="module")
REFUSAL_SECONDS = 0.05
STRANGE_NAMES = ("*", "alice)(uid=*", "uid=alice,ou=people,dc=demo,dc=example", "DEMO\\alice", "a" * 253)
FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def filetime(instant: datetime) -> str:
    """100 ns ticks since 1601 (MS-DTYP 2.3.3)."""
    return str(int((instant - FILETIME_EPOCH).total_seconds()) * 10_000_000)


def governed(uid: str, name: str, **attributes: str) -> tuple[Entry, Entry]:
    """Somebody with a phone and a policy of their own."""
    return texted(uid, 20, dirfactorPolicy=policy_dn(name)), policy(name, **attributes)


def people() -> list[Entry]:
    now = datetime.now(UTC)
    on_another_day = f"{now + timedelta(days=3):%a} 09:00-17:00; UTC"
    return [
        texted("alice", 1),
        texted("bill", 2, mail="shared@demo.example"),
        texted("bell", 3, mail="shared@demo.example"),
        person("phoneless", "sms"),
        person("misdialled", "sms", mobile="ask reception"),
        person("tokenless", mobile=phone(4)),
        person("software", "totp"),
        with_vip("collector", *(f"VSST{number}" for number in range(6))),
        texted("disabled", 5, userAccountControl="514"),
        texted("expired", 6, accountExpires=filetime(now - timedelta(hours=1))),
        texted("locked", 7, lockoutTime=filetime(now - timedelta(minutes=1))),
        texted("astray", 8, dirfactorPolicy=policy_dn("nowhere")),
        texted("typist", 9, dirfactorToken=("sms", "pigeon")),
        texted("outsider", 10),
        texted("torn", 11),
        group("editors", "torn", dirfactorPolicy=policy_dn("editing")),
        policy("editing", dirfactorPriority="50"),
        group("printers", "torn", dirfactorPolicy=policy_dn("printing")),
        policy("printing", dirfactorPriority="50"),
        *governed("early", "office-hours", dirfactorLogonHours=on_another_day),
        *governed("garbled", "garbled", dirfactorCodeLength="lots"),
        *governed("pinned", "with-pin", dirfactorFirstMethod="pin"),
        *governed("open", "nothing-at-all", dirfactorFirstMethod="none", dirfactorSecondMethod="none"),
        *governed("eager", "token-first", dirfactorFirstMethod="token", dirfactorSecondMethod="none"),
        unit("contractors", dirfactorPolicy=policy_dn("garbled")),
        texted("visitor", 12, ou="contractors"),
        texted("marked", 13),
        group("marks", "marked", dirfactorReplyAttribute="nonsense"),
    ]


REFUSED = {
    "mallory": "user-unknown",
    "phoneless": "no-token",
    "misdialled": "no-token",
    "tokenless": "no-token",
    "software": "no-token",
    "collector": "no-token",
    "disabled": "account-disabled",
    "expired": "account-expired",
    "locked": "account-locked",
    "early": "logon-hours",
    "astray": "policy-missing",
    "garbled": "policy-malformed",
    "visitor": "policy-malformed",
    "torn": "policy-conflict",
    "typist": "entry-malformed",
    "marked": "entry-malformed",
    "outsider": "not-member",
    "pinned": "pin-missing",
    "open": "method-unsupported",
    "eager": "no-first-factor",
}
"""Login name, with the right password -> why it is refused."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    folder = tmp_path_factory.mktemp("refusals")
    async with open_office(folder, *people(), outsiders=("outsider",), refusal_seconds=REFUSAL_SECONDS) as running:
        yield running


async def refused_by_radius(service: RunningService, user: str, password: str) -> None:
    packet = await service.packet(user, password)
    assert packet.code is Code.ACCESS_REJECT
    names = [number for number, _ in packet.attributes]
    assert names == [Attribute.MESSAGE_AUTHENTICATOR, Attribute.REPLY_MESSAGE]
    assert packet.values(Attribute.REPLY_MESSAGE) == (b"Logon failed.",)


async def refused_by_http(service: RunningService, user: str, password: str) -> None:
    answer = await service.post({"user": user, "password": password})
    correlation = json.loads(answer.content)["correlation"]
    assert len(correlation) == 16
    words = b'{"outcome":"refused","correlation":"%b","message":"Logon failed."}' % correlation.encode()
    assert (answer.status_code, answer.content) == (200, words)
    assert set(answer.headers) == {"date", "content-type", "content-length", "cache-control"}


async def refused(office: Office, door: str, user: str, password: str) -> str:
    """The reason for which somebody is refused; the words and the time they take are those of all refusals."""
    mark = office.site.mark()
    begun = time.monotonic()
    await {"radius": refused_by_radius, "http": refused_by_http}[door](office.service, user, password)
    assert time.monotonic() - begun >= REFUSAL_SECONDS
    last = office.last()
    assert (last["outcome"], last["door"], last["name"]) == ("refused", door, user)
    assert office.texts_since(mark) == 0
    return office.reason()


@each_door
@pytest.mark.parametrize("user", REFUSED)
async def test_a_right_password_is_not_enough(office: Office, door: str, user: str):
    assert await refused(office, door, user, password_of(user)) == REFUSED[user]


@each_door
@pytest.mark.parametrize("user", ["bill", "bell"])
async def test_a_name_of_two_people_is_neithers_whoevers_password_it_is(office: Office, door: str, user: str):
    assert await refused(office, door, "shared@demo.example", password_of(user)) == "user-ambiguous"


@each_door
async def test_a_wrong_password_is_refused(office: Office, door: str):
    assert await refused(office, door, "alice", "violet") == "password-wrong"


@each_door
async def test_an_empty_password_is_refused(office: Office, door: str):
    assert await refused(office, door, "alice", "") == "password-empty"


@each_door
async def test_somebody_elses_password_is_refused(office: Office, door: str):
    assert await refused(office, door, "alice", password_of("bill")) == "password-wrong"


@each_door
@pytest.mark.parametrize(
    "name", ["*", "alice)(uid=*", "uid=alice,ou=people,dc=demo,dc=example", "DEMO\\alice", "a" * 253]
)
async def test_a_name_that_is_no_login_name_is_nobodys(office: Office, door: str, name: str):
    assert await refused(office, door, name, password_of("alice")) == "user-unknown"


@each_door
async def test_whoever_has_nothing_wrong_is_served_all_the_while(office: Office, door: str):
    for user in ("alice", "bill"):
        asked = await office.log_on(door, user)
        assert (asked.outcome, office.reason()) == ("challenged", "code-sent")


async def test_the_one_of_two_who_logs_on_by_a_name_of_their_own_is_served(office: Office):
    asked = await office.log_on("radius", "bell")
    assert (asked.outcome, office.last()["user"]) == ("challenged", "uid=bell,ou=people,dc=demo,dc=example")
