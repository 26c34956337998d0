"""Methods and login modes through the real service: one field, PIN, keyword, codes ahead, and the rest."""

import hashlib
import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.keys.ring_file import RingFile
from auth.memorised.pin import pin_value
from auth.memorised.temporary_response import TemporaryResponse, response_value
from scenarios.company import BASE, NODE_MEMBERS, Entry, password_of, person, policy, policy_dn, texted, with_vip
from scenarios.office import Office, another, open_office
from schema.secret import Secret

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEYS = {mode: Secret(f"{mode}-api-key-of-a-test") for mode in ("append", "rejectThenCode", "codeOnly")}
PIN, RESPONSE = Secret("24681357"), Secret("48151623")


def node(mode: str) -> Entry:
    """An access node of this login mode, for everybody of the company."""
    return Entry(
        f"cn={mode},ou=groups,{BASE}",
        {
            "objectClass": ("dirfactorAccessNode", "dirfactorSubject"),
            "cn": mode,
            "dirfactorNodeType": "http",
            "dirfactorLoginMode": mode,
            "dirfactorMember": NODE_MEMBERS,
            "dirfactorApiKeyHash": hashlib.sha256(KEYS[mode].octets).hexdigest(),
        },
    )


def identified(name: str) -> tuple[str, bytes]:
    """An entryUUID of the test's own, so that what is sealed for an entry can be made before there is one."""
    made = uuid.uuid5(uuid.NAMESPACE_DNS, name)
    return str(made), made.bytes


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    folder = tmp_path_factory.mktemp("methods")
    (folder / "state").mkdir(mode=0o700)
    ring = RingFile(folder / "state" / "keys.ring").made(SYSTEM_CLOCK, SYSTEM_ENTROPY)
    pinned, pinned_id = identified("pinned")
    lost, lost_id = identified("lost")
    now = datetime.now(UTC)
    about = TemporaryResponse(now, now + timedelta(minutes=30), multiple=False)
    entries = [
        with_vip("together", "VTOGETHER", dirfactorPolicy=policy_dn("code-last")),
        with_vip("before", "VBEFORE", dirfactorPolicy=policy_dn("code-first")),
        texted("sent-later", 1, dirfactorPolicy=policy_dn("code-last")),
        texted("by-word", 2, dirfactorPolicy=policy_dn("by-word")),
        texted("by-password", 3, dirfactorPolicy=policy_dn("by-password")),
        texted("stocked", 4, dirfactorPolicy=policy_dn("ahead")),
        texted("appends", 5),
        with_vip("appends-own", "VAPPENDS"),
        texted("twice", 6),
        with_vip("pinned", "VPINNED", "VPINNED2", entryUUID=pinned, dirfactorPin=pin_value(ring, pinned_id, PIN),
                 dirfactorPinSetAt=now.strftime("%Y%m%d%H%M%SZ"), dirfactorPolicy=policy_dn("with-pin")),
        texted("lost", 7, entryUUID=lost, dirfactorPolicy=policy_dn("helped"),
               dirfactorTemporaryResponse=response_value(ring, lost_id, RESPONSE, about)),
        person("rollout", dirfactorPolicy=policy_dn("rollout")),
        person("switches", "vip", "sms", mobile="+436640000008", dirfactorVipCredential="VSWITCH",
               dirfactorPolicy=policy_dn("switching")),
        policy("code-last", dirfactorFirstMethod="passwordThenToken", dirfactorSecondMethod="none"),
        policy("code-first", dirfactorFirstMethod="tokenThenPassword", dirfactorSecondMethod="none"),
        policy("by-word", dirfactorSmsMode="keyword", dirfactorSmsKeyword="Text me"),
        policy("by-password", dirfactorFirstMethod="token", dirfactorSecondMethod="none", dirfactorSmsMode="keyword",
               dirfactorSmsKeywordKind="password"),
        policy("ahead", dirfactorSmsMode="ahead", dirfactorSmsCodesPerMessage="3"),
        policy("with-pin", dirfactorPinWithToken="TRUE"),
        policy("helped", dirfactorTemporaryResponseAllowed="TRUE"),
        policy("rollout", dirfactorFirstMethod="passwordUntilToken", dirfactorSecondMethod="none"),
        policy("switching", dirfactorTokenOrder="vip, sms", dirfactorSmsKeyword="sms"),
        *map(node, KEYS),
    ]  # fmt: skip
    credentials = dict.fromkeys(("VTOGETHER", "VBEFORE", "VAPPENDS", "VPINNED", "VPINNED2", "VSWITCH"), "")
    async with open_office(folder, *entries, credentials=credentials) as running:
        yield running


def codes(office: Office, mark: int) -> list[str]:
    """The codes of the last text since `mark`."""
    assert office.texts_since(mark) == 1
    return re.findall(r"\b\d{6}\b", office.site.texts.lines[-1])


async def through(office: Office, mode: str, user: str, typed: str):
    return await office.service.http(user, password=typed, api_key=KEYS[mode])


async def test_password_and_code_stand_in_one_field_in_the_order_of_the_policy(office: Office):
    password = password_of("together")
    typed = password + office.site.vip_code("VTOGETHER")
    assert (await office.log_on("radius", "together", password=typed)).outcome == "accepted"
    typed = office.site.vip_code("VBEFORE") + password_of("before")
    assert (await office.log_on("radius", "before", password=typed)).outcome == "accepted"


async def test_in_one_field_a_wrong_code_and_a_wrong_password_are_both_refused(office: Office):
    code = office.site.vip_code("VTOGETHER")
    assert (await office.log_on("http", "together", password=f"wrong{code}")).outcome == "refused"
    assert office.reason() == "password-wrong"
    wrong = await office.log_on("http", "together", password=password_of("together") + another(code))
    assert (wrong.outcome, office.reason()) == ("challenged", "code-wrong-retry")


async def test_a_code_that_must_be_sent_first_is_asked_for_after_the_password_alone(office: Office):
    asked, code = await office.texted("radius", "sent-later")
    assert (await office.answer("radius", "sent-later", asked.state, code)).outcome == "accepted"


async def test_a_keyword_in_any_case_has_the_code_sent_and_is_no_try(office: Office):
    mark = office.site.mark()
    asked = await office.log_on("radius", "by-word")
    assert (asked.outcome, office.reason(), office.texts_since(mark)) == ("challenged", "code-wanted", 0)
    assert "keyword" in asked.message
    sent = await office.answer("radius", "by-word", asked.state, "  tEXT ME ")
    assert (sent.outcome, office.reason()) == ("challenged", "code-sent")
    code = await office.site.text_code(mark)
    assert (await office.answer("radius", "by-word", sent.state, code)).outcome == "accepted"


async def test_the_password_as_keyword_is_a_factor_and_a_wrong_one_counts(office: Office):
    mark = office.site.mark()
    wrong = await office.log_on("radius", "by-password", password="wrong-Teapot")
    assert (wrong.outcome, office.reason(), office.texts_since(mark)) == ("challenged", "code-wrong-retry", 0)
    sent = await office.answer("radius", "by-password", wrong.state, password_of("by-password"))
    assert office.reason() == "code-sent"
    code = await office.site.text_code(mark)
    assert (await office.answer("radius", "by-password", sent.state, code)).outcome == "accepted"


async def test_a_keyword_in_the_middle_of_a_challenge_switches_the_token(office: Office):
    mark = office.site.mark()
    asked = await office.log_on("http", "switches")
    assert asked.method == "vip"
    sent = await office.answer("http", "switches", asked.state, "SMS")
    assert sent.method == "sms"
    assert (
        await office.answer("http", "switches", sent.state, await office.site.text_code(mark))
    ).outcome == "accepted"


async def test_codes_ahead_are_good_for_one_logon_each_and_the_last_one_brings_more(office: Office):
    mark = office.site.mark()
    asked = await office.log_on("radius", "stocked")
    first = codes(office, mark)
    assert len(first) == 3
    assert (await office.answer("radius", "stocked", asked.state, first[1])).outcome == "accepted"
    asked = await office.log_on("http", "stocked")
    assert (office.reason(), office.texts_since(mark)) == ("code-wanted", 1), "two are left"
    again = await office.answer("http", "stocked", asked.state, first[1])
    assert office.reason() == "code-wrong-retry", "each once"
    assert (await office.answer("http", "stocked", again.state, first[0])).outcome == "accepted"
    mark = office.site.mark()
    asked = await office.log_on("radius", "stocked")
    more = codes(office, mark)
    assert len(more) == 3, "the last one is about to be used"
    assert (await office.answer("radius", "stocked", asked.state, first[2])).outcome == "accepted"


async def test_an_append_node_is_never_asked_anything(office: Office):
    password = password_of("appends")
    mark = office.site.mark()
    assert (await through(office, "append", "appends", password)).outcome == "refused"
    assert office.reason() == "code-sent"
    code = await office.site.text_code(mark)
    assert (await through(office, "append", "appends", code)).outcome == "refused", "the code alone is not enough"
    assert (await through(office, "append", "appends", "wrong" + code)).outcome == "refused"
    assert (await through(office, "append", "appends", password + another(code))).outcome == "refused"
    assert office.reason() == "code-wrong-retry"
    assert (await through(office, "append", "appends", password + code)).outcome == "accepted"
    assert (await through(office, "append", "appends", password + code)).outcome == "refused"
    typed = password_of("appends-own") + office.site.vip_code("VAPPENDS")
    assert (await through(office, "append", "appends-own", typed)).outcome == "accepted"


async def test_a_reject_then_code_node_takes_the_code_alone_or_both_at_the_second_login(office: Office):
    for both in (False, True):
        mark = office.site.mark()
        assert (await through(office, "rejectThenCode", "twice", password_of("twice"))).outcome == "refused"
        code = await office.site.text_code(mark)
        assert (await through(office, "rejectThenCode", "twice", another(code))).outcome == "refused"
        typed = password_of("twice") + code if both else code
        assert (await through(office, "rejectThenCode", "twice", typed)).outcome == "accepted"
        assert (await through(office, "rejectThenCode", "twice", typed)).outcome == "refused", "once"


async def test_a_pin_stands_in_front_of_the_code_and_can_be_changed_behind_it(office: Office):
    """Two credentials, for VIP takes each code once."""

    def code(credential: str = "VPINNED") -> str:
        return office.site.vip_code(credential)

    asked = await office.log_on("radius", "pinned")
    bare = await office.answer("radius", "pinned", asked.state, code())
    assert (bare.outcome, office.reason()) == ("challenged", "code-wrong-retry")
    typed = f"{PIN.text}{code()}97539753"
    assert (await office.answer("radius", "pinned", bare.state, typed)).outcome == "accepted"
    assert "changed the PIN" in office.last()["detail"]
    for pin, outcome in ((PIN.text, "challenged"), ("9753", "accepted")):
        asked = await office.log_on("http", "pinned")
        assert (await office.answer("http", "pinned", asked.state, pin + code("VPINNED2"))).outcome == outcome


async def test_a_temporary_response_stands_for_the_code_once_and_nothing_is_sent(office: Office):
    mark = office.site.mark()
    asked = await office.log_on("radius", "lost")
    assert (office.reason(), office.texts_since(mark)) == ("temporary-wanted", 0)
    assert (await office.answer("radius", "lost", asked.state, RESPONSE.text)).outcome == "accepted"
    assert "temporary response" in office.last()["detail"]
    await office.log_on("radius", "lost")
    assert (office.reason(), office.texts_since(mark)) == ("code-sent", 1), "it is used up"


async def test_the_password_is_enough_until_a_token_is_assigned(office: Office):
    assert (await office.log_on("radius", "rollout")).outcome == "accepted"
    await office.change("uid=rollout", dirfactorToken="email")
    assert (await office.log_on("radius", "rollout")).outcome == "challenged"


async def test_a_code_only_node_takes_no_password(office: Office):
    mark = office.site.mark()
    asked = await office.service.http("twice", api_key=KEYS["codeOnly"])
    code = await office.site.text_code(mark)
    done = await office.service.http("twice", passcode=code, state=asked.state, api_key=KEYS["codeOnly"])
    assert done.outcome == "accepted"
