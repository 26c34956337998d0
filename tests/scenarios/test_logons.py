"""What the product is for: each kind of token over each door, from the password to the accept."""

import pytest
import pytest_asyncio

from scenarios.company import STAFF, password_of, person, phone, policy, policy_dn, texted, with_vip
from scenarios.office import Office, another, each_door, open_office

pytestmark = pytest.mark.asyncio(loop_scope="module")
VIP_PROMPT = "Enter the security code of your VIP credential."
CREDENTIALS = (
    *("ONE-RADIUS", "ONE-HTTP", "FIRST-RADIUS", "SECOND-RADIUS", "FIRST-HTTP", "SECOND-HTTP"),
    *("AT-ONCE", "MISS", "EARLY"),
)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    people = [
        texted("sam", 1),
        person("emma", "email"),
        *(with_vip(f"vic-{door}", f"ONE-{door.upper()}") for door in ("radius", "http")),
        *(with_vip(f"two-{door}", f"FIRST-{door.upper()}", f"SECOND-{door.upper()}") for door in ("radius", "http")),
        with_vip("once", "AT-ONCE"),
        with_vip("miss", "MISS"),
        with_vip("early", "EARLY", dirfactorPolicy=policy_dn("code-first")),
        policy("code-first", dirfactorFirstMethod="token", dirfactorSecondMethod="password"),
    ]
    credentials = dict.fromkeys(CREDENTIALS, "")
    async with open_office(tmp_path_factory.mktemp("logons"), *people, credentials=credentials) as running:
        yield running


@each_door
async def test_a_texted_code_opens_and_the_accept_has_the_policys_reply_attribute(office: Office, door: str):
    mark = office.site.mark()
    asked = await office.log_on(door, "sam")
    assert (asked.outcome, asked.message) == ("challenged", "Enter the code sent to +43***01.")
    begun = office.last()
    code = await office.site.text_code(mark)
    text = office.site.texts.events()[-1]
    assert text["to"] == phone(1)
    accepted = await office.answer(door, "sam", asked.state, code)
    assert (accepted.outcome, accepted.filter_id) == ("accepted", "staff")
    ended = office.last()
    assert (begun["outcome"], begun["reason"], begun["method"]) == ("challenged", "code-sent", "sms")
    assert (begun["gateway"], begun["message_id"], begun["destination"]) == ("gateway", text["id"], "+43***01")
    assert (ended["outcome"], ended["reason"], ended["login"]) == ("accepted", "accepted", begun["correlation"])
    assert (ended["door"], ended["policy"], ended["user"]) == (door, STAFF, "uid=sam,ou=people,dc=demo,dc=example")
    assert ended["directory_version"] >= 1
    assert ended["directory_age"] < 5


@each_door
async def test_a_mailed_code_opens(office: Office, door: str):
    mark = office.site.mark()
    asked = await office.log_on(door, "emma")
    assert (asked.outcome, asked.message) == ("challenged", "Enter the code mailed to e***@demo.example.")
    assert office.reason() == "code-sent"
    code = await office.site.mail_code(mark)
    assert code not in office.site.mails.events()[-1]["subject"]
    accepted = await office.answer(door, "emma", asked.state, code)
    assert (accepted.outcome, accepted.filter_id, office.reason()) == ("accepted", "staff", "accepted")


@each_door
async def test_the_code_of_a_vip_credential_opens_and_vip_is_asked_once(office: Office, door: str):
    user, credential = f"vic-{door}", f"ONE-{door.upper()}"
    asked = await office.log_on(door, user)
    assert (asked.outcome, asked.message, office.reason()) == ("challenged", VIP_PROMPT, "code-wanted")
    accepted = await office.answer(door, user, asked.state, office.site.vip_code(credential))
    assert (accepted.outcome, accepted.filter_id, office.reason()) == ("accepted", "staff", "accepted")
    assert [(event["operation"], event["outcome"]) for event in office.asked_of_vip(credential)] == [
        ("Validate", "0000")
    ]


@each_door
async def test_of_two_vip_credentials_either_opens(office: Office, door: str):
    user, credentials = f"two-{door}", (f"FIRST-{door.upper()}", f"SECOND-{door.upper()}")
    for credential in credentials:
        asked = await office.log_on(door, user)
        assert (asked.outcome, asked.message) == ("challenged", VIP_PROMPT)
        accepted = await office.answer(door, user, asked.state, office.site.vip_code(credential))
        assert (accepted.outcome, accepted.filter_id, office.reason()) == ("accepted", "staff", "accepted")
    questions = office.asked_of_vip(",".join(credentials))
    assert [event["operation"] for event in questions] == ["ValidateMultiple"] * 2


async def test_a_vip_code_given_at_once_needs_no_challenge(office: Office):
    code = office.site.vip_code("AT-ONCE")
    accepted = await office.service.http("once", password=password_of("once"), passcode=code)
    assert (accepted.outcome, accepted.filter_id) == ("accepted", "staff")
    assert office.reasons("once") == ["accepted"]


async def test_where_the_code_comes_first_the_password_is_asked_for_after_it(office: Office):
    asked = await office.log_on("radius", "early", password=office.site.vip_code("EARLY"))
    assert (asked.outcome, asked.message, office.reason()) == ("challenged", "Enter your password.", "password-wanted")
    accepted = await office.answer("radius", "early", asked.state, password_of("early"))
    assert (accepted.outcome, office.reason()) == ("accepted", "accepted")


async def test_a_code_given_at_once_does_not_stand_for_the_password(office: Office):
    code = office.site.vip_code("MISS")
    refused = await office.service.http("miss", password="wrong", passcode=code)
    assert (refused.outcome, office.reason()) == ("refused", "password-wrong")
    refused = await office.service.http("miss", passcode=code)
    assert (refused.outcome, office.reason()) == ("refused", "password-empty")
    assert office.asked_of_vip("MISS") == [], "VIP hears of a code only after the right password"


async def test_a_wrong_code_given_at_once_is_asked_for_again(office: Office):
    wrong = another(office.site.vip_code("MISS"))
    asked = await office.service.http("miss", password=password_of("miss"), passcode=wrong)
    assert (asked.outcome, asked.message) == ("challenged", f"That code was not right. {VIP_PROMPT}")
    assert office.reason() == "code-wrong-retry"
    accepted = await office.answer("http", "miss", asked.state, office.site.vip_code("MISS"))
    assert (accepted.outcome, office.reason()) == ("accepted", "accepted")
