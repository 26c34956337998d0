"""Wi-Fi and 802.1X: FreeRADIUS in front ends the tunnel of TTLS or PEAP and asks us what is inside.

The peer answers one question, so it logs on at a node of mode `append`: a first logon has the code sent, a second
brings both.
"""

import asyncio

import pytest

from clients.house import SECRET
from rig.eapol import eapol_test
from rig.freeradius import Behind, Inside, freeradius
from rig.ports import free_port

pytestmark = pytest.mark.servers
SWITCH = "secret-of-the-switch"
TUNNELS = pytest.mark.parametrize(("method", "inside"), [("TTLS", "auth=PAP"), ("PEAP", "auth=GTC")])


@pytest.fixture
def relay(house):
    with house.network("append") as relay:
        yield relay


@pytest.fixture
def log_on(house, relay, folder):
    """A function by which somebody logs on through the front."""
    port = free_port()
    front = freeradius(folder / "front", port, SWITCH, Behind(relay.port, SECRET), Inside.AS_EAP)

    def log_on(visitor, typed, method, inside):
        tunnel = {"method": method, "inside": inside}
        return asyncio.run(eapol_test(folder, port, SWITCH, visitor.uid, typed, seconds=30, **tunnel))

    yield log_on
    front.stop()


@TUNNELS
def test_the_second_logon_with_password_and_code_opens_once(house, relay, log_on, method, inside):
    visitor = house.visitor()
    assert not log_on(visitor, visitor.password, method, inside).accepted
    both = visitor.password + house.code(visitor)
    result = log_on(visitor, both, method, inside)
    assert result.accepted, result.log
    assert "MPPE keys OK: 1  mismatch: 0" in result.log
    house.refuses_replay(relay)
    assert not log_on(visitor, both, method, inside).accepted
    assert house.texts(visitor) == 1


@TUNNELS
def test_retransmits_to_a_slow_gateway_send_one_text(house, relay, log_on, method, inside):
    visitor = house.visitor()
    with house.gateway.slowed(5.0):
        assert not log_on(visitor, visitor.password, method, inside).accepted
    assert len(relay.requests) > len(set(relay.requests)), "it asked us again"
    assert house.texts(visitor) == 1
    result = log_on(visitor, visitor.password + house.code(visitor), method, inside)
    assert result.accepted, result.log
