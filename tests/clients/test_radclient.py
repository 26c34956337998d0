"""FreeRADIUS's radclient: each protocol that it speaks, and its own retransmits."""

import pytest

from rig.datagram import exchange
from rig.radclient import radclient, radclient_with, status_server

pytestmark = pytest.mark.servers
GIVEN = {"Filter-Id": "staff", "Class": "0x" + b"OU=vpn-staff;".hex()}


def name(visitor):
    return f'User-Name = "{visitor.uid}"'


def code_of(house, visitor):
    """The code, and the State that it answers, of a first step by PAP."""
    with house.network("strict") as relay:
        challenge = radclient(relay.port, house.secret_file, visitor.uid, visitor.password)
    assert challenge.code == "Challenge"
    return house.code(visitor), challenge.state


def test_pap_opens_in_two_steps_and_the_answer_opens_once(house):
    visitor = house.visitor()
    code, state = code_of(house, visitor)
    with house.network("strict") as relay:
        accept = radclient(relay.port, house.secret_file, visitor.uid, code, state)
        assert (accept.code, accept.said) == ("Accept", GIVEN)
        house.refuses_replay(relay)
        request = relay.requests[-1]
        forged = request[:1] + bytes((request[1] ^ 2,)) + request[2:]
        assert exchange(forged, house.radius_port, relay.source, seconds=1.0) is None, (
            "its proof is of another identifier"
        )
    assert house.texts(visitor) == 1


@pytest.mark.parametrize("attribute", ["CHAP-Password", "MS-CHAP-Password"])
def test_a_code_that_was_texted_opens_by_chap(house, attribute):
    visitor = house.visitor()

    def ask(relay, typed, *more):
        return radclient_with(relay.port, house.secret_file, [name(visitor), f'{attribute} = "{typed}"', *more])

    with house.network("code-only") as relay:
        challenge = ask(relay, "")
        assert challenge.code == "Challenge"
        accept = ask(relay, house.code(visitor), f"State = {challenge.state}")
        assert (accept.code, accept.said) == ("Accept", GIVEN)
        house.refuses_replay(relay)


@pytest.mark.parametrize("attribute", ["CHAP-Password", "MS-CHAP-Password"])
def test_by_chap_no_password_is_taken_and_the_client_is_told(house, attribute):
    visitor = house.visitor()
    with house.network("strict") as relay:
        typed = f'{attribute} = "{visitor.password}"'
        refused = radclient_with(relay.port, house.secret_file, [name(visitor), typed])
    assert (refused.code, refused.attributes["Reply-Message"]) == ("Reject", "PAP required")
    assert house.texts(visitor) == 0


def test_status_server_is_answered_with_proof_and_nothing_of_users(house):
    with house.network("strict") as relay:
        status = status_server(relay.port, house.secret_file)
    assert (status.code, status.said) == ("Accept", {})


def test_proxy_state_comes_back_whole_and_in_order(house):
    visitor = house.visitor()
    proxied = [f"Proxy-State = 0x{text.encode().hex()}" for text in ("zuerich", "aachen", "wien")]
    with house.network("strict") as relay:
        asked = [name(visitor), f'User-Password = "{visitor.password}"', *proxied]
        challenge = radclient_with(relay.port, house.secret_file, asked)
    assert challenge.code == "Challenge"
    assert [f"Proxy-State = {value}" for value in challenge.every("Proxy-State")] == proxied


def test_its_retransmits_to_a_slow_gateway_send_one_text(house):
    visitor = house.visitor()
    with house.network("lenient") as relay, house.gateway.slowed(5.0):
        challenge = radclient(relay.port, house.secret_file, visitor.uid, visitor.password, tries=4, seconds=2)
    assert challenge.code == "Challenge"
    assert len(relay.requests) >= 3
    assert len(set(relay.requests)) == 1
    assert house.texts(visitor) == 1


def test_a_lost_reply_comes_again_with_the_same_octets(house):
    visitor = house.visitor()
    code, state = code_of(house, visitor)
    with house.network("strict") as relay:
        relay.lose_replies(2)
        accept = radclient(relay.port, house.secret_file, visitor.uid, code, state, tries=4, seconds=1)
    assert accept.code == "Accept"
    assert len(relay.replies) == 3
    assert len(set(relay.replies)) == 1
