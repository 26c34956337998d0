"""OpenConnect VPN: openconnect shows the question, and ocserv puts the person into the group that the accept names."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from clients.guide import install
from clients.house import SECRET, House, Visitor
from clients.relay import Relay
from rig.certificates import issue
from rig.fixtures import need, need_root, need_tun, running
from rig.ocserv import Ocserv, openconnect
from rig.ports import LOOPBACK, free_port
from rig.typed import Typed
from scenarios.office import another

pytestmark = pytest.mark.servers


@pytest.fixture(autouse=True)
def _ocserv():
    need_root()
    need_tun()
    need("ocserv", "occtl", "openconnect")


@dataclass
class Gateway:
    """The VPN as its page sets it up."""

    server: Ocserv
    relay: Relay
    folder: Path
    ca_file: Path

    @contextmanager
    def log_on(self, visitor: Visitor) -> Iterator[Typed]:
        """Somebody's client, after the password; it hangs up in the end."""
        with running(openconnect(self.folder, self.server, self.ca_file, visitor.uid)) as client:
            client.type(visitor.password)
            yield client


@pytest.fixture
def folder():
    """Not pytest's own directory: only root may enter that, and ocserv's workers are somebody else."""
    with tempfile.TemporaryDirectory(prefix="dirfactor-ocserv-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@contextmanager
def gateway(house: House, folder: Path) -> Iterator[Gateway]:
    tls, port, control = issue(folder, LOOPBACK), free_port(), folder / "occtl.socket"
    with house.network("lenient") as relay:
        names = {
            "192.0.2.20": f"{LOOPBACK}:{relay.port}",
            "192.0.2.20 ...": f"{LOOPBACK} {SECRET}",
            "/etc/ocserv/": f"{folder}/",
            "/run/ocserv.socket": str(folder / "ocserv.socket"),
            "/run/occtl.socket": str(control),
            "tcp-port = 443": f"listen-host = {LOOPBACK}\ntcp-port = {port}",
            "udp-port = 443": f"udp-port = {port}",
        }
        install("ocserv", folder, names)
        with running(Ocserv(folder, port, control)) as server:
            yield Gateway(server, relay, folder, tls.ca)


def test_it_shows_the_question_and_takes_the_group_from_class(house, folder):
    visitor = house.visitor()
    with gateway(house, folder) as vpn:
        with vpn.log_on(visitor) as client:
            client.type(house.code(visitor))
            client.wait_for("Configured as 10.231.5.")
            assert "Enter the code sent to +43" in client.shown
            assert vpn.server.group_of(visitor.uid) == "vpn-staff"
        house.refuses_replay(vpn.relay)
    assert house.reasons(visitor) == ["code-sent", "accepted", "challenge-unknown"]


def test_a_wrong_code_does_not_connect(house, folder):
    visitor = house.visitor()
    with gateway(house, folder) as vpn, vpn.log_on(visitor) as client:
        client.type(another(house.code(visitor)))
        client.wait_for("That code was not right")
        assert "Configured as" not in client.shown
    assert house.reasons(visitor) == ["code-sent", "code-wrong-retry"]


def test_its_retransmits_to_a_slow_gateway_send_one_text(house, folder):
    visitor = house.visitor()
    with gateway(house, folder) as vpn:
        with house.gateway.slowed(5.0), vpn.log_on(visitor) as client:
            client.type(house.code(visitor))
            client.wait_for("Configured as")
        assert len(vpn.relay.requests) > len(set(vpn.relay.requests)), "it sent something again"
    assert house.texts(visitor) == 1
