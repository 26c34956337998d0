"""EAP-GTC through the real service: name, password and code, each asked for by its own packet."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
import pytest_asyncio

from auth.demo.site import NODES
from auth.radius.eap.packet import EapCode, EapType
from auth.radius.packet import Code
from scenarios.company import password_of, person, texted, with_vip
from scenarios.eap_peer import Peer
from scenarios.office import Office, another, beside, open_office

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    entries = [
        *(texted(f"sam{number}", number + 1) for number in range(4)),
        texted("hans", 9, preferredLanguage="de"),
        with_vip("vera", "VERA"),
        person("bare"),
    ]
    async with open_office(tmp_path_factory.mktemp("eap"), *entries, credentials={"VERA": ""}, nodes=NODES) as running:
        yield running


def open_challenges(office: Office) -> int:
    with closing(sqlite3.connect(office.site.folder / "state" / "state.sqlite")) as state:
        number: int = state.execute("SELECT count(*) FROM challenge").fetchone()[0]
        return number


async def test_name_password_and_code(office: Office):
    mark, peer = office.site.mark(), Peer(office, "sam0")
    assert await peer.name() == "Enter your password."
    assert await peer.type(password_of("sam0")) == (Code.ACCESS_CHALLENGE, "Enter the code sent to +43***01.")
    code = await office.site.text_code(mark)
    wrong = await peer.type(another(code))
    assert wrong == (Code.ACCESS_CHALLENGE, "That code was not right. Enter the code sent to +43***01.")
    state, identifier = peer.state, peer.identifier
    assert await peer.type(code) == (Code.ACCESS_ACCEPT, "")
    peer.state, peer.identifier = state, identifier
    assert await peer.type(code) == (Code.ACCESS_REJECT, ""), "a challenge is good for one answer"
    assert office.reason() == "challenge-unknown"


async def test_whoever_is_behind_a_name_the_first_question_is_the_same_and_nothing_is_kept(office: Office):
    before, lines = open_challenges(office), len(office.audit())
    names = ["sam1", "hans", "vera", "bare", "nobody"] * 20
    asked = await asyncio.gather(*(Peer(office, name).name() for name in names))
    assert set(asked) == {"Enter your password."}
    assert (open_challenges(office), len(office.audit())) == (before, lines)


async def test_refusals_are_failures_that_are_not_to_be_told_apart(office: Office):
    for user, typed, reason in (
        ("nobody", "x", "user-unknown"),
        ("sam1", "wrong", "password-wrong"),
        ("bare", password_of("bare"), "no-token"),
    ):
        peer = Peer(office, user)
        await peer.name()
        reply, heard = await peer.say(EapType.GTC, typed.encode())
        assert (reply.code, heard.code, office.reason()) == (Code.ACCESS_REJECT, EapCode.FAILURE, reason)
        assert [number for number, _ in reply.attributes] == [80, 79]


async def test_the_first_state_is_no_login_it_can_be_used_again_and_proves_nothing(office: Office):
    peer = Peer(office, "sam1")
    await peer.name()
    state, identifier = peer.state, peer.identifier
    assert (await peer.type("wrong"))[0] is Code.ACCESS_REJECT
    peer.state, peer.identifier = state, identifier
    assert (await peer.type(password_of("sam1")))[0] is Code.ACCESS_CHALLENGE
    stranger = Peer(office, "sam2", identifier, state)
    assert (await stranger.type(password_of("sam2")))[0] is Code.ACCESS_REJECT
    assert office.reason() == "challenge-unknown"


async def test_a_question_in_german_and_a_vip_code(office: Office):
    hans, vera = Peer(office, "hans"), Peer(office, "vera")
    await hans.name()
    assert (await hans.type(password_of("hans")))[1] == "Geben Sie den Code ein, der an +43***09 gesendet wurde."
    await vera.name()
    await vera.type(password_of("vera"))
    assert (await vera.type(office.site.vip_code("VERA")))[0] is Code.ACCESS_ACCEPT


async def test_a_peer_that_wants_another_method_is_refused_at_once(office: Office):
    peer = Peer(office, "sam1")
    await peer.name()
    reply, heard = await peer.say(EapType.NAK, bytes((25, 21)))
    assert (reply.code, heard.code, office.reason()) == (Code.ACCESS_REJECT, EapCode.FAILURE, "password-protocol")


async def test_at_a_code_only_node_the_code_is_asked_for_and_an_empty_answer_has_one_sent(office: Office):
    async with beside(office, "[node:vpn]\n", "[node:vpn]\ndirfactorLoginMode = codeOnly\n") as codes_only:
        mark, peer = office.site.mark(), Peer(codes_only, "sam3")
        assert await peer.name() == "Enter your code."
        assert codes_only.texts_since(mark) == 0, "a name alone has nothing sent"
        assert (await peer.type(""))[0] is Code.ACCESS_CHALLENGE
        assert await peer.type(await office.site.text_code(mark)) == (Code.ACCESS_ACCEPT, "")
