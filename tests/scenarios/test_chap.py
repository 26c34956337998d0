"""CHAP, MS-CHAP and MS-CHAPv2 through the real service, at a node that asks with codes."""

import json

import pytest
import pytest_asyncio

from auth.chap.ms_chap import challenge_hash, challenge_response, master_keys, nt_password_hash
from auth.clock import SYSTEM_CLOCK
from auth.demo.site import NODES
from auth.otp.token import SoftwareToken
from auth.radius.attributes import Attribute
from auth.radius.packet import Code, Packet
from scenarios.chap_client import show
from scenarios.command_line import dirfactor
from scenarios.company import person, policy, policy_dn, texted, with_vip
from scenarios.office import Office, another, open_office
from scenarios.sealed import SealedPeople
from schema.words import TokenKind

pytestmark = pytest.mark.asyncio(loop_scope="module")
TOKENS = {f"totp{number}": SoftwareToken(TokenKind.TOTP, f"T-{number}", bytes([number]) * 20) for number in range(6)}
PROTOCOLS = ("CHAP", "MS-CHAP", "MS-CHAPv2")
each = pytest.mark.parametrize("protocol", PROTOCOLS)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chap")
    sealed = SealedPeople(folder)
    entries = [
        *(sealed.with_token(uid, token) for uid, token in TOKENS.items()),
        *(texted(f"sam{number}", number + 1) for number in range(4)),
        texted("ahead", 8, dirfactorPolicy=policy_dn("ahead")),
        texted("wordy", 9, dirfactorPolicy=policy_dn("by-word")),
        with_vip("vera", "VERA"),
        person("bare"),
        policy("ahead", dirfactorSmsMode="ahead", dirfactorSmsCodesPerMessage="3"),
        policy("by-word", dirfactorSmsMode="keyword", dirfactorSmsKeyword="Text me"),
    ]
    nodes = NODES.replace("[node:vpn]\n", "[node:vpn]\ndirfactorLoginMode = codeOnly\n")
    async with open_office(folder, *entries, credentials={"VERA": ""}, nodes=nodes) as running:
        yield running


def microsofts(packet: Packet) -> dict[int, bytes]:
    return {octets[4]: octets[6:] for octets in packet.values(Attribute.VENDOR_SPECIFIC)}


def code_of(uid: str) -> str:
    token = TOKENS[uid]
    return token.code(token.step(SYSTEM_CLOCK.now())).text


@each
async def test_an_authenticators_code_opens_once(office: Office, protocol: str):
    uid = f"totp{PROTOCOLS.index(protocol)}"
    code = code_of(uid)
    assert (await show(office, protocol, uid, code)).code is Code.ACCESS_ACCEPT
    assert (office.reason(), office.last()["method"]) == ("accepted", "totp")
    again = await show(office, protocol, uid, code)
    assert again.code is not Code.ACCESS_ACCEPT, "the code has been used, and a further challenge is no way around it"


@each
async def test_a_texted_code_opens_once_after_an_empty_password_had_it_sent(office: Office, protocol: str):
    user, mark = f"sam{PROTOCOLS.index(protocol)}", office.site.mark()
    asked = await show(office, protocol, user, "")
    assert (asked.code, office.reason()) == (Code.ACCESS_CHALLENGE, "code-sent")
    code, state = await office.site.text_code(mark), asked.single(Attribute.STATE)
    retry = await show(office, protocol, user, another(code), state)
    assert (retry.code, office.reason()) == (Code.ACCESS_CHALLENGE, "code-wrong-retry")
    state = retry.single(Attribute.STATE)
    assert (await show(office, protocol, user, code, state)).code is Code.ACCESS_ACCEPT
    assert (await show(office, protocol, user, code, state)).code is Code.ACCESS_REJECT
    assert office.reason() == "challenge-unknown"


async def test_a_client_of_ms_chapv2_gets_proof_and_keys_that_follow_from_the_code(office: Office):
    code = code_of("totp3")
    accepted = await show(office, "MS-CHAPv2", "totp3", code)
    told = microsofts(accepted)
    assert told[26][:3] == b"\7S="
    hashed = nt_password_hash(code)
    octets = challenge_response(challenge_hash(b"p" * 16, b"sixteen octets..", b"totp3"), hashed)
    assert len(set(master_keys(hashed, octets))) == 2
    assert {number: len(told[number]) for number in (16, 17)} == {16: 34, 17: 34}
    assert accepted.values(Attribute.FILTER_ID) == (b"staff",)


async def test_a_keyword_has_a_code_sent_that_opens(office: Office):
    mark = office.site.mark()
    asked = await show(office, "CHAP", "wordy", "text me")
    assert (asked.code, office.reason()) == (Code.ACCESS_CHALLENGE, "code-sent")
    code = await office.site.text_code(mark)
    assert (await show(office, "CHAP", "wordy", code, asked.single(Attribute.STATE))).code is Code.ACCESS_ACCEPT


async def test_a_code_that_was_asked_for_by_pap_is_not_known_by_a_response(office: Office):
    mark = office.site.mark()
    asked = await office.service.packet("sam3", "")
    assert (asked.code, office.reason()) == (Code.ACCESS_CHALLENGE, "code-sent")
    code = await office.site.text_code(mark)
    refused = await show(office, "CHAP", "sam3", code, asked.single(Attribute.STATE))
    assert (refused.code, office.reason()) == (Code.ACCESS_REJECT, "password-protocol")
    assert refused.values(Attribute.REPLY_MESSAGE) == (b"PAP required",)


@pytest.mark.parametrize("user", ["vera", "ahead"])
async def test_where_nobody_knows_the_code_in_clear_pap_is_required_and_the_operator_told(office: Office, user: str):
    mark = office.site.mark()
    for typed in ("", "123456"):
        refused = await show(office, "MS-CHAPv2", user, typed)
        assert (refused.code, office.reason()) == (Code.ACCESS_REJECT, "password-protocol")
    assert office.texts_since(mark) == 0
    assert "set the client's authentication protocol to PAP" in (office.service.log or office.site.folder).read_text()


async def test_refusals_are_not_to_be_told_apart(office: Office):
    """Unknown, without a token, one whose code nobody knows in clear: nothing but the State's absence is told."""
    said = set()
    for user in ("nobody-at-all", "bare", "vera", "ahead"):
        refused = await show(office, "CHAP", user, "123456")
        said.add((refused.code, refused.attributes[1:]))
    assert said == {(Code.ACCESS_REJECT, ((Attribute.REPLY_MESSAGE, b"Logon failed."),))}


async def test_wrong_responses_lock_as_wrong_codes_do(office: Office):
    state = None
    reasons = []
    for _ in range(30):
        reply = await show(office, "CHAP", "totp4", another(code_of("totp4")), state)
        reasons.append(office.reason())
        state = reply.single(Attribute.STATE)
        if reasons[-1] == "violations-locked":
            break
    assert reasons[-1] == "violations-locked"
    assert (await show(office, "CHAP", "totp4", code_of("totp4"))).code is Code.ACCESS_REJECT


async def test_a_logon_by_response_is_decided_again_from_the_journal(office: Office):
    """What is kept of a response is that there was one."""
    for user, code, last in (
        ("totp5", code_of("totp5"), "accept: Filter-Id=staff"),
        ("vera", "123456", "refuse: password-protocol"),
    ):
        await show(office, "MS-CHAPv2", user, code)
        event = office.last()["correlation"]
        ended = await dirfactor("explain", "--event", event, "--config", str(office.service.config), "--json")
        (told,) = json.loads(ended.out)
        assert (ended.status, told["same"], told["steps"][-1]["recorded"]) == (0, True, last)
    found = {finding["check"]: finding["found"] for finding in told["trace"]}
    assert found["response"] == "the client shows no text, and what it should be is not known in clear"
