"""802.1X and IKEv2 by EAP-GTC: wpa_supplicant's eapol_test asks, and sends again what is not answered.

It shows one question, so it logs on at a node of mode `append`: a first logon has the code sent, a second brings both.
"""

import asyncio

import pytest

from clients.house import SECRET
from rig.eapol import eapol_test

pytestmark = pytest.mark.servers


def log_on(relay, folder, visitor, typed, seconds=10):
    return asyncio.run(eapol_test(folder, relay.port, SECRET, visitor.uid, typed, seconds=seconds))


def test_the_second_logon_with_password_and_code_opens_once(house, folder):
    visitor = house.visitor()
    with house.network("append") as relay:
        assert not log_on(relay, folder, visitor, visitor.password).accepted
        both = visitor.password + house.code(visitor)
        result = log_on(relay, folder, visitor, both)
        assert result.accepted, result.log
        house.refuses_replay(relay)
        assert not log_on(relay, folder, visitor, both).accepted
    assert house.texts(visitor) == 1


def test_its_retransmits_to_a_slow_gateway_send_one_text(house, folder):
    visitor = house.visitor()
    with house.network("append") as relay:
        with house.gateway.slowed(5.0):
            result = log_on(relay, folder, visitor, visitor.password, seconds=20)
        assert "EAP: EAP entering state FAILURE" in result.log
        assert len(relay.requests) > len(set(relay.requests)), "it sent something again"
    assert house.texts(visitor) == 1


def test_a_lost_reply_comes_again_with_the_same_octets(house, folder):
    visitor = house.visitor()
    with house.network("append") as relay:
        relay.lose_replies(1)
        assert not log_on(relay, folder, visitor, visitor.password, seconds=20).accepted
        assert relay.replies[0] == relay.replies[1]
    assert house.texts(visitor) == 1
