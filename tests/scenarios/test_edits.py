"""Saving the directory is the edit: the next logon shows it within seconds, and a login under way does not escape."""

import pytest
import pytest_asyncio

from auth.demo.service import Reply
from scenarios.company import (
    BASE,
    NODE_MEMBERS,
    STAFF,
    group,
    password_of,
    person,
    phone,
    policy,
    policy_dn,
    texted,
    unit,
    with_vip,
)
from scenarios.office import EFFECT_SECONDS, Office, another, each_door, open_office, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
VIP_PROMPT = "Enter the security code of your VIP credential."
STRAYS = {
    "token-only": {"dirfactorFirstMethod": "token", "dirfactorSecondMethod": "none"},
    "password-only": {"dirfactorFirstMethod": "password", "dirfactorSecondMethod": "none"},
    "token-first": {"dirfactorFirstMethod": "token", "dirfactorSecondMethod": "password"},
    "pin-second": {"dirfactorFirstMethod": "password", "dirfactorSecondMethod": "pin"},
    "nothing": {"dirfactorFirstMethod": "none", "dirfactorSecondMethod": "none"},
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    entries = [
        *(texted(f"alice-{door}", 1, dirfactorVipCredential=f"ALICE-{door.upper()}") for door in ("radius", "http")),
        texted("grace", 2),
        group("auditors", dirfactorPolicy=policy_dn("auditing")),
        policy("auditing", dirfactorPriority="10"),
        texted("olga", 3, ou="contractors"),
        unit("contractors", dirfactorPolicy=STAFF),
        policy("contracting"),
        texted("ursula", 4),
        policy("special"),
        texted("paul", 5, dirfactorPolicy=policy_dn("tuned")),
        policy("tuned"),
        texted("nora", 6),
        texted("moved", 7),
        texted("leaver", 8),
        texted("stripped", 9),
        *(texted(f"stray-{name}", 20, dirfactorPolicy=policy_dn(f"was-{name}")) for name in STRAYS),
        *(policy(f"was-{name}") for name in STRAYS),
        with_vip("tom", "TOM", dirfactorPolicy=policy_dn("tokens")),
        policy("tokens", dirfactorFirstMethod="token", dirfactorSecondMethod="none"),
        person("newcomer"),
    ]
    folder = tmp_path_factory.mktemp("edits")
    credentials = dict.fromkeys(("ALICE-RADIUS", "ALICE-HTTP", "TOM"), "")
    async with open_office(folder, *entries, credentials=credentials) as running:
        yield running


async def repeated(office: Office, door: str, user: str) -> Reply:
    """The first step that a client sends again and again, with nothing to tell it from the one before."""
    if door == "http":
        return await office.service.http(user, password=password_of(user))
    return await office.service.radius(user, password_of(user))


async def effective(office: Office, user: str, wanted: str) -> None:
    """Wait until this policy governs the user's logons."""

    async def governs() -> bool:
        await repeated(office, "http", user)
        return office.last().get("policy") == wanted  # a repeat that joined the login before has none

    await until(governs)


@each_door
async def test_from_sms_to_vip_is_one_word_and_effective_at_the_next_logon(office: Office, door: str):
    user = f"alice-{door}"
    before = await repeated(office, door, user)
    assert (before.outcome, before.message) == ("challenged", "Enter the code sent to +43***01.")
    office.edit(f"uid={user}", dirfactorToken="vip")
    asked = before

    async def asks_for_vip() -> bool:
        nonlocal asked
        asked = await repeated(office, door, user)
        return asked.message == VIP_PROMPT

    await until(asks_for_vip)
    assert office.last()["method"] == "vip"
    accepted = await office.answer(door, user, asked.state, office.site.vip_code(f"ALICE-{door.upper()}"))
    assert (accepted.outcome, office.reason()) == ("accepted", "accepted")


async def test_joining_a_group_brings_its_policy_and_leaving_it_takes_it_away(office: Office):
    await effective(office, "grace", STAFF)
    office.edit("cn=auditors", member=f"uid=grace,ou=people,{BASE}")
    await effective(office, "grace", policy_dn("auditing"))
    office.edit("cn=auditors", member=())
    await effective(office, "grace", STAFF)


async def test_the_policy_of_an_organizational_unit_can_be_exchanged(office: Office):
    await effective(office, "olga", STAFF)
    office.edit("ou=contractors", dirfactorPolicy=policy_dn("contracting"))
    await effective(office, "olga", policy_dn("contracting"))


async def test_a_policy_of_ones_own_comes_before_all_others(office: Office):
    await effective(office, "ursula", STAFF)
    office.edit("uid=ursula", dirfactorPolicy=policy_dn("special"))
    await effective(office, "ursula", policy_dn("special"))
    office.edit("uid=ursula", dirfactorPolicy=None)
    await effective(office, "ursula", STAFF)


async def test_what_a_policy_says_can_be_changed_between_challenge_and_answer(office: Office):
    asked, code = await office.texted("http", "paul")
    await office.change("cn=tuned", dirfactorReplyAttribute="Filter-Id=tightened")
    accepted = await office.answer("http", "paul", asked.state, code)
    assert (accepted.outcome, accepted.filter_id) == ("accepted", "tightened")


async def test_whoever_is_taken_off_the_node_may_no_longer_use_it(office: Office):
    assert (await repeated(office, "radius", "nora")).outcome == "challenged"
    members = office.company[NODE_MEMBERS.split(",")[0]].attributes["member"]
    remaining = tuple(dn for dn in members if "nora" not in dn)
    office.edit("cn=vpn-users", member=remaining)

    async def is_refused() -> bool:
        return (await repeated(office, "radius", "nora")).outcome == "refused"

    await until(is_refused)
    assert office.reason() == "not-member"


async def test_the_next_text_goes_to_the_new_number(office: Office):
    asked, code = await office.texted("http", "moved")
    assert (await office.answer("http", "moved", asked.state, code)).outcome == "accepted"
    await office.change("uid=moved", mobile=phone(77))
    await office.texted("http", "moved")
    assert [text["to"] for text in office.site.texts.events() if text["event"] == "text"][-2:] == [phone(7), phone(77)]


async def test_a_person_who_is_added_can_log_on(office: Office):
    assert (await office.log_on("http", "newcomer")).outcome == "refused"
    assert office.reason() == "no-token"
    await office.change("uid=newcomer", dirfactorToken="email")
    assert (await office.log_on("http", "newcomer")).outcome == "challenged"


async def test_whoever_is_disabled_meanwhile_is_refused_with_the_right_code(office: Office):
    asked, code = await office.texted("http", "leaver")
    await office.change("uid=leaver", userAccountControl="514")
    assert (await office.answer("http", "leaver", asked.state, code)).outcome == "refused"
    assert office.reason() == "account-disabled"


async def test_whoever_loses_the_token_meanwhile_is_refused_with_the_right_code(office: Office):
    asked, code = await office.texted("http", "stripped")
    await office.change("uid=stripped", dirfactorToken=())
    assert (await office.answer("http", "stripped", asked.state, code)).outcome == "refused"
    assert office.reason() == "no-token"


@pytest.mark.parametrize("name", STRAYS)
async def test_when_the_methods_change_meanwhile_no_answer_opens(office: Office, name: str):
    """What was shown under the old methods does not stand for the new ones: not a wrong code, not the right one."""
    asked, code = await office.texted("http", user := f"stray-{name}")
    await office.change(f"cn=was-{name}", **STRAYS[name])
    assert (await office.answer("http", user, asked.state, another(code))).outcome == "refused"
    assert office.reason() in {"challenge-unknown", "pin-missing", "method-unsupported"}
    assert (await office.answer("http", user, asked.state, code)).outcome == "refused"


async def test_a_broken_save_changes_nothing_and_the_log_says_where_it_is_broken(office: Office):
    whole = office.company.text()
    version = await office.version()
    lines = whole.count("\n") + 2
    log = office.site.log
    office.company["cn=tokens"].attributes["dirfactorReplyAttribute"] = "Filter-Id=never"
    office.site.save(office.company.text() + "\nthis is no LDIF\n")
    where = f"{office.site.directory}, line {lines}: "

    async def is_told() -> bool:
        return where in log.read_text()

    await until(is_told)
    assert await office.version() == version
    accepted = await office.service.radius("tom", office.site.vip_code("TOM"))
    assert (accepted.outcome, accepted.filter_id) == ("accepted", "tokens")
    # what a broken file says of passwords nobody can know
    assert (await office.log_on("radius", "grace")).outcome == "refused"
    assert office.reason() == "directory-unavailable"
    office.site.save(whole)

    async def is_served() -> bool:
        return (await office.log_on("radius", "grace")).outcome == "challenged"

    await until(is_served, EFFECT_SECONDS)
