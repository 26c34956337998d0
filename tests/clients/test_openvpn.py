"""OpenVPN with a plug-in that knows no challenge: the first login sends the code, the second brings it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from clients.guide import install
from clients.house import SECRET, House
from clients.relay import Relay
from rig.certificates import issue
from rig.datagram import attributes_of
from rig.fixtures import need, need_root, need_tun, running
from rig.openvpn import RADIUS_PLUGIN, OpenVpn, OpenVpnClient
from rig.ports import LOOPBACK, free_port
from scenarios.office import another

pytestmark = pytest.mark.servers

ACCOUNTING_REQUEST, ACCOUNTING_RESPONSE = 4, 5
CALLING_STATION_ID = 31
ACCT_STATUS_TYPE, START = 40, (1).to_bytes(4, "big")


@pytest.fixture(autouse=True)
def _openvpn():
    need_root()
    need_tun()
    need("openvpn")
    assert Path(RADIUS_PLUGIN).exists(), "openvpn-auth-radius is not installed: run tools/bootstrap servers"


@dataclass
class Gateway:
    """The VPN as its page sets it up."""

    port: int
    relay: Relay
    accounting: Relay
    folder: Path

    def lets_in(self, user: str, password: str) -> bool:
        """Whether somebody connects with what is typed."""
        with running(OpenVpnClient(self.folder, self.port, user, password)) as client:
            return client.connected()


@contextmanager
def gateway(house: House, folder: Path) -> Iterator[Gateway]:
    issue(folder, "vpn.example.org", common_name="vpn.example.org")
    (folder / "ccd").mkdir()
    port = free_port()
    with (
        house.network("reject-then-code", short=True) as relay,
        house.accounting("reject-then-code") as accounting,
    ):
        names = {
            "192.0.2.20": LOOPBACK,
            "192.0.2.7": LOOPBACK,
            "sharedsecret=...": f"sharedsecret={SECRET}",
            "authport=1812": f"authport={relay.port}",
            "acctport=1813": f"acctport={accounting.port}",
            "port 1194": f"local {LOOPBACK}\nport {port}",
            "/etc/openvpn/": f"{folder}/",
            "ca ca.pem": f"ca {folder / 'ca.pem'}",
        }
        install("openvpn", folder, names)
        with running(OpenVpn(folder)):
            yield Gateway(port, relay, accounting, folder)


def test_the_second_login_brings_the_code_and_its_accounting_is_acknowledged(house, folder):
    visitor = house.visitor()
    with gateway(house, folder) as vpn:
        assert not vpn.lets_in(visitor.uid, visitor.password)
        assert dict(attributes_of(vpn.relay.requests[0]))[CALLING_STATION_ID] == LOOPBACK.encode()
        code = house.code(visitor)
        assert not vpn.lets_in(visitor.uid, another(code))
        assert vpn.lets_in(visitor.uid, code)
        assert not vpn.lets_in(visitor.uid, code), "a code is good once"
        started = vpn.accounting.requests[0]
        assert (started[0], dict(attributes_of(started))[ACCT_STATUS_TYPE]) == (ACCOUNTING_REQUEST, START)
        assert vpn.accounting.replies[0][:2] == bytes((ACCOUNTING_RESPONSE, started[1]))
    assert house.texts(visitor) == 1


def test_a_renegotiation_asks_for_no_second_code(house, folder):
    visitor = house.visitor()
    with gateway(house, folder) as vpn:
        assert not vpn.lets_in(visitor.uid, visitor.password)
        with running(OpenVpnClient(folder, vpn.port, visitor.uid, house.code(visitor), renegotiates=2)) as client:
            assert client.connected()
            asked = len(vpn.relay.requests)
            client.wait_for_renegotiation()
            assert client.connected()
            assert len(vpn.relay.requests) == asked
    assert house.texts(visitor) == 1


def test_its_repeats_which_are_new_requests_to_radius_send_one_text(house, folder):
    visitor = house.visitor()
    with gateway(house, folder) as vpn:
        with house.gateway.slowed(5.0):
            assert not vpn.lets_in(visitor.uid, visitor.password)
        repeats = vpn.relay.requests
        assert len(set(repeats)) == len(repeats) > 1, "it asked again, with a new authenticator each time"
        assert vpn.lets_in(visitor.uid, house.code(visitor))
    assert house.texts(visitor) == 1


def test_an_accept_that_is_lost_on_the_wire_is_told_to_its_repeat_and_the_code_is_still_good_once(house, folder):
    visitor = house.visitor()
    with gateway(house, folder) as vpn:
        assert not vpn.lets_in(visitor.uid, visitor.password)
        code, asked = house.code(visitor), len(vpn.relay.requests)
        vpn.relay.lose_replies(1)
        assert vpn.lets_in(visitor.uid, code)
        repeats = vpn.relay.requests[asked:]
        assert len(set(repeats)) == len(repeats) > 1, "it asked again, with a new authenticator"
        house.refuses_replay(vpn.relay)
        assert not vpn.lets_in(visitor.uid, code)
    assert house.texts(visitor) == 1
