"""A company on its way here from another RADIUS server: who has a token is ours, all others are asked about there."""

import asyncio
import json

import pytest
import pytest_asyncio

from auth.radius.attributes import Attribute, integer
from auth.radius.packet import Code, decode, encode_response
from auth.reason import Reason
from rig.old_server import old_server
from scenarios.command_line import dirfactor
from scenarios.company import password_of, person, texted
from scenarios.eap_peer import Peer
from scenarios.office import Office, another, calling, open_office

pytestmark = pytest.mark.asyncio(loop_scope="module")
NODES = """
[node:vpn]
dirfactorNodeType = proxy
dirfactorProxyTarget = 127.0.0.1:{port}
dirfactorAddress = 127.0.0.1
secret = file:radius.secret
dirfactorMember = cn=vpn-users,ou=groups,dc=demo,dc=example

[node:portal]
dirfactorNodeType = proxy
dirfactorProxyTarget = 127.0.0.1:{port}
secret = file:radius.secret
dirfactorApiKeyHash = {{api_key_hash}}
dirfactorMember = cn=vpn-users,ou=groups,dc=demo,dc=example
"""
STATE = b"\0their state"
CODE = "77889"


class Old:
    """What the other server says: a password, then the code of its own token."""

    def __init__(self):
        self.server = None
        self.silent = False

    def answer(self, packet, octets):
        if self.silent:
            return None
        name, typed = self.server.read(octets)["User-Name"][0], packet.PwDecrypt(packet[2][0])
        asked = decode(octets).single(Attribute.STATE)
        if name.startswith("plain") and typed == password_of(name):
            return self.say(
                octets, Code.ACCESS_ACCEPT, (Attribute.CLASS, b"\xffold"), (Attribute.FILTER_ID, b"old-staff")
            )
        if asked is None and typed == password_of(name):
            question = (Attribute.STATE, STATE), (Attribute.REPLY_MESSAGE, b"PASSCODE:"), (27, integer(90))
            return self.say(octets, Code.ACCESS_CHALLENGE, *question)
        if name == "twice" and (asked, typed) == (STATE, CODE):
            return self.say(octets, Code.ACCESS_CHALLENGE, (Attribute.STATE, STATE + b"2"))
        right = (asked, typed) in ((STATE, CODE), (STATE + b"2", CODE[::-1]))
        return self.say(octets, Code.ACCESS_ACCEPT if right else Code.ACCESS_REJECT)

    def say(self, octets, code, *attributes):
        return encode_response(code, decode(octets), attributes, self.server.secret)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def place(tmp_path_factory):
    old = Old()
    async with old_server(b"", old.answer) as server:
        old.server = server
        entries = [
            *(
                person(uid)
                for uid in ("plain", "carded1", "carded2", "carded3", "carded4", "carded5", "twice", "outsider")
            ),
            texted("sam", 1),
        ]
        nodes = NODES.format(port=server.port)
        folder = tmp_path_factory.mktemp("proxy")
        async with open_office(folder, *entries, outsiders=("outsider",), nodes=nodes) as office:
            server.secret = office.service.secret.octets
            yield office, old


@pytest.fixture
def office(place) -> Office:
    return place[0]


@pytest.fixture
def old(place) -> Old:
    found = place[1]
    found.silent = False
    found.server.seen.clear()
    return found


async def test_somebody_without_a_token_is_let_in_by_the_other_server_and_with_what_it_returns(office, old):
    port = (Attribute.NAS_IP_ADDRESS, b"\xc0\0\2\7")
    reply = await office.service.packet("plain", password_of("plain"), extra=[port, (33, b"a"), (33, b"b")])
    assert reply.code is Code.ACCESS_ACCEPT
    assert reply.attributes[0][0] == Attribute.MESSAGE_AUTHENTICATOR
    assert reply.attributes[1:] == (
        (Attribute.CLASS, b"\xffold"),
        (Attribute.FILTER_ID, b"old-staff"),
        (33, b"a"),
        (33, b"b"),
    )
    assert (office.reason(), office.last()["method"]) == ("forward-accepted", "forwarded")
    assert old.server.asked() == [("plain", password_of("plain"))]
    assert decode(old.server.seen[0]).values(Attribute.NAS_IP_ADDRESS)[-1] == b"\xc0\0\2\7"


async def test_the_question_of_the_other_server_is_asked_and_its_answer_is_good_once(office, old):
    asked = await office.log_on("radius", "carded1")
    assert (asked.outcome, asked.message, office.reason()) == ("challenged", "PASSCODE:", "forward-wanted")
    assert asked.state.octets != STATE
    accepted = await office.answer("radius", "carded1", asked.state, CODE)
    assert (accepted.outcome, office.reason()) == ("accepted", "forward-accepted")
    assert old.server.asked() == [("carded1", password_of("carded1")), ("carded1", CODE)]
    assert [decode(octets).single(Attribute.STATE) for octets in old.server.seen] == [None, STATE]
    again = await office.answer("radius", "carded1", asked.state, CODE)
    assert (again.outcome, office.reason()) == ("refused", "challenge-unknown")
    assert len(old.server.seen) == 2, "what is answered goes to nobody again"


async def test_the_answer_of_somebody_else_or_through_another_node_does_not_get_there(office, old):
    asked = await office.log_on("radius", "carded2")
    taken = await office.answer("radius", "carded1", asked.state, CODE)
    assert (taken.outcome, office.reason()) == ("refused", "challenge-unknown")
    asked = await office.log_on("radius", "carded2")
    elsewhere = await office.answer("http", "carded2", asked.state, CODE)
    assert (elsewhere.outcome, office.reason()) == ("refused", "challenge-unknown")
    assert [typed for _, typed in old.server.asked()] == [password_of("carded2")] * 2


async def test_it_is_asked_for_the_same_name_and_its_latest_state_however_often_it_asks(office, old):
    asked = await office.log_on("radius", "Twice", password=password_of("twice"))
    assert asked.outcome == "refused", "there the case of letters counts, so it must be told what was typed"
    asked = await office.log_on("radius", "twice")
    again = await office.answer("radius", "TWICE", asked.state, CODE)
    assert (again.outcome, again.message, office.reason()) == ("challenged", "Enter your code.", "forward-wanted")
    accepted = await office.answer("radius", "tWICE", again.state, CODE[::-1])
    assert (accepted.outcome, office.reason()) == ("accepted", "forward-accepted")
    assert [name for name, _ in old.server.asked()] == ["Twice", "twice", "twice", "twice"]
    assert [decode(octets).single(Attribute.STATE) for octets in old.server.seen[1:]] == [None, STATE, STATE + b"2"]


async def test_by_eap_gtc_the_other_server_is_asked_by_pap_and_no_words_come_back_beside_eap(office, old):
    peer = Peer(office, "twice")
    assert await peer.name() == "Enter your password."
    assert await peer.type(password_of("twice")) == (Code.ACCESS_CHALLENGE, "PASSCODE:")
    assert await peer.type(CODE) == (Code.ACCESS_CHALLENGE, "Enter your code.")
    assert await peer.type(CODE[::-1]) == (Code.ACCESS_ACCEPT, "")
    assert old.server.asked() == [("twice", typed) for typed in (password_of("twice"), CODE, CODE[::-1])]
    assert not any(decode(octets).values(Attribute.EAP_MESSAGE) for octets in old.server.seen)
    peer = Peer(office, "plain")
    await peer.name()
    assert await peer.type(password_of("plain")) == (Code.ACCESS_ACCEPT, "")


async def test_over_http_the_same_goes_there_under_the_name_that_was_typed_first(office, old):
    asked = await office.log_on("http", "carded3")
    assert (asked.outcome, asked.message) == ("challenged", "PASSCODE:")
    accepted = await office.answer("http", "carded3", asked.state, CODE)
    assert (accepted.outcome, office.reason()) == ("accepted", "forward-accepted")
    assert old.server.asked()[-1] == ("carded3", CODE)


async def test_a_wrong_password_or_code_is_refused_there(office, old):
    refused = await office.log_on("radius", "plain", password="wrong")
    assert (refused.outcome, refused.message, office.reason()) == ("refused", "Logon failed.", "forward-refused")
    asked = await office.log_on("radius", "carded3")
    refused = await office.answer("radius", "carded3", asked.state, another(CODE))
    assert (refused.outcome, office.reason()) == ("refused", "forward-refused")


async def test_who_has_a_token_nobody_and_outsiders_are_no_business_of_the_other_server(office, old):
    reply, code = await office.texted("radius", "sam")
    assert (await office.answer("radius", "sam", reply.state, code)).outcome == "accepted"
    assert office.reason() == "accepted"
    for user, reason in (("nobody", Reason.USER_UNKNOWN), ("outsider", Reason.NOT_MEMBER)):
        assert (await office.log_on("radius", user)).outcome == "refused"
        assert office.reason() == reason
    assert (await office.log_on("radius", "plain", password="")).outcome == "refused"
    assert office.reason() == "password-empty"
    assert old.server.seen == []


async def test_while_the_other_server_is_silent_nobody_is_let_in_and_the_others_do_not_wait(office, old):
    old.silent = True
    waiting = asyncio.ensure_future(office.log_on("radius", "plain"))
    reply, code = await office.texted("radius", "sam")
    assert (await office.answer("radius", "sam", reply.state, code)).outcome == "accepted"
    assert not waiting.done()
    assert (await waiting).outcome == "refused"
    assert office.reason() == "forward-unavailable"
    assert "no response in 10 s" in office.last()["detail"]
    assert len(set(old.server.seen)) == 1, "asked again with the same octets"
    assert len(old.server.seen) > 1


async def test_two_requests_of_one_login_ask_the_other_server_once(office, old):
    extra = [calling("10.9.9.9"), (Attribute.ACCT_SESSION_ID, b"one-login")]
    first, second = await asyncio.gather(
        *(office.service.radius("plain", password_of("plain"), extra=extra) for _ in range(2))
    )
    assert (first.outcome, second.outcome) == ("accepted", "accepted")
    assert len(old.server.seen) == 1


async def test_with_a_token_the_open_question_of_the_other_server_opens_nothing(office, old):
    asked = await office.log_on("radius", "carded4")
    await office.change("uid=carded4", dirfactorToken=("sms",), mobile="+436640000004")
    refused = await office.answer("radius", "carded4", asked.state, CODE)
    assert (refused.outcome, office.reason()) == ("refused", "challenge-unknown")
    reply, code = await office.texted("radius", "carded4")
    await office.change("uid=carded4", dirfactorToken=())
    old.server.seen.clear()
    refused = await office.answer("radius", "carded4", reply.state, code)
    assert (refused.outcome, office.reason()) == ("refused", "challenge-unknown")
    assert old.server.seen == [], "our code is told to nobody"


async def test_an_edit_while_the_other_server_thinks_counts(office, old):
    old.silent = True
    waiting = asyncio.ensure_future(office.log_on("radius", "carded5"))
    while not old.server.seen:
        await asyncio.sleep(0.02)
    await office.change("uid=carded5", dirfactorToken=("sms",), mobile="+436640000005")
    old.silent = False
    assert (await waiting).outcome == "refused"
    assert office.reason() == "challenge-unknown"


async def test_explain_and_the_record_tell_that_the_other_server_decides(office, old):
    await office.log_on("radius", "plain")
    config = str(office.site.service.config)
    said = json.loads((await dirfactor("explain", "plain", "--node", "vpn", "--json", "--config", config)).out)
    assert said["outcome"] == f"forwarded: 127.0.0.1:{old.server.port} decides"
    records = office.site.folder / "state"
    for file in records.rglob("*"):
        if file.is_file():
            assert password_of("plain").encode() not in file.read_bytes(), file
