"""strongSwan: an IKEv2 gateway that passes EAP on, and a client that answers by EAP-GTC, with one secret at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from clients.guide import install
from clients.house import SECRET, House, Visitor
from clients.relay import Relay
from rig.certificates import issue
from rig.fixtures import need, need_root, running
from rig.ports import LOOPBACK, free_port
from rig.strongswan import StrongSwan
from scenarios.office import another

pytestmark = pytest.mark.servers

# none of those that change the machine's routes and interfaces
PLUGINS = (
    "random nonce openssl hmac kdf pem pkcs1 pkcs8 x509 pubkey constraints kernel-netlink socket-default vici "
    "eap-identity eap-gtc eap-radius"
)
CLIENT = """\
charon {{
    port = 0
    port_nat_t = 0
    {daemon}
}}
"""
CONNECTION = """\
connections {{
    home {{
        version = 2
        remote_addrs = {address}
        remote_port = {port}
        childless = force
        local {{
            auth = eap-gtc
            eap_id = {user}
        }}
        remote {{
            auth = pubkey
            id = vpn.example.org
        }}
    }}
}}
secrets {{
    eap-person {{
        id = {user}
        secret = "{secret}"
    }}
}}
"""


@pytest.fixture(autouse=True)
def _strongswan():
    need_root()
    need("charon-systemd", "swanctl")


@dataclass
class Person:
    """Somebody with a client on another machine.

    Attributes:
        daemon: the client.
        home: its files.
        port: of the gateway.
        visitor: who it is.
    """

    daemon: StrongSwan
    home: Path
    port: int
    visitor: Visitor

    def types(self, secret: str) -> None:
        """What the client answers questions with from now on."""
        text = CONNECTION.format(address=LOOPBACK, port=self.port, user=self.visitor.uid, secret=secret)
        (self.home / "swanctl.conf").write_text(text)
        self.daemon.load()

    def connects(self) -> bool:
        """Whether the gateway lets it in."""
        return self.daemon.initiate("home")


@dataclass
class Vpn:
    """The gateway as its page sets it up, and somebody's client."""

    gateway: StrongSwan
    relay: Relay
    person: Person


def daemon_settings(home: Path) -> str:
    """Where a daemon's socket and log are, what it loads, and that it may use the loopback interface."""
    socket = f"plugins {{ vici {{ socket = unix://{home}/vici.socket }} }}"
    log = "filelog { stderr { default = 1 } }"
    return f"{socket}\n    {log}\n    load = {PLUGINS}\n    interfaces_use = lo\n    install_routes = no"


@contextmanager
def vpn(house: House, folder: Path, node: str, visitor: Visitor) -> Iterator[Vpn]:
    tls, port = issue(folder / "tls", "vpn.example.org", common_name="vpn.example.org"), free_port()
    here, there = folder / "gateway", folder / "client"
    for part in (here / "x509", here / "private", there / "x509ca"):
        part.mkdir(parents=True)
    (here / "x509" / "server.pem").write_bytes(tls.certificate.read_bytes())
    (here / "private" / "server.key").write_bytes(tls.key.read_bytes())
    (there / "x509ca" / "ca.pem").write_bytes(tls.ca.read_bytes())
    (there / "strongswan.conf").write_text(CLIENT.format(daemon=daemon_settings(there)))
    (there / "swanctl.conf").touch()
    with house.network(node) as relay:
        names = {
            "192.0.2.20": LOOPBACK,
            "auth_port = 1812": f"auth_port = {relay.port}",
            "secret = ...": f"secret = {SECRET}",
            "port = 500\n": f"port = 0\n    {daemon_settings(here)}\n",
            "port_nat_t = 4500": f"port_nat_t = {port}",
        }
        install("strongswan", here, names)
        with running(StrongSwan(here)) as gateway, running(StrongSwan(there)) as client:
            yield Vpn(gateway, relay, Person(client, there, port, visitor))


def test_the_second_logon_with_password_and_code_connects(house, folder):
    visitor = house.visitor()
    with vpn(house, folder, "append", visitor) as it:
        it.person.types(visitor.password)
        assert not it.person.connects()
        code = house.code(visitor)
        it.person.types(visitor.password + another(code))
        assert not it.person.connects()
        it.person.types(visitor.password + code)
        assert it.person.connects(), it.gateway.log
        assert visitor.uid in it.gateway.connections()
    assert house.texts(visitor) == 1


def test_its_retransmits_to_a_slow_gateway_send_one_text_and_a_second_question_is_answered(house, folder):
    visitor = house.visitor()
    with vpn(house, folder, "strict", visitor) as it:
        it.person.types(visitor.password)
        let_in: list[bool] = []
        connecting = threading.Thread(target=lambda: let_in.append(it.person.connects()))
        with house.gateway.slowed(5.0):
            connecting.start()
            # the text is here, and the question not yet: the answer to it is the code
            it.person.types(house.code(visitor))
            connecting.join()
        assert let_in == [True], it.gateway.log
        assert len(it.relay.requests) > len(set(it.relay.requests)), "it sent something again"
    assert house.texts(visitor) == 1
