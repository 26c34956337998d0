"""Linux hosts: pam_radius_auth asks, shows the question, and sends again what is not answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clients.guide import install
from clients.house import SECRET
from clients.relay import Relay
from rig.fixtures import need, need_root
from rig.pam import PamService, pam_service
from rig.ports import LOOPBACK

pytestmark = pytest.mark.servers


@pytest.fixture(autouse=True)
def _pam():
    need_root()
    need("pamtester")


@contextmanager
def linux_host(folder: Path, relay: Relay, *, retries: int = 3) -> Iterator[PamService]:
    """A host as its page sets it up."""
    names = {
        "192.0.2.20:1812 ...": f"{LOOPBACK}:{relay.port} {SECRET}",
        "/etc/pam_radius_auth.conf": str(folder / "pam_radius_auth.conf"),
        "retry=3": f"retry={retries}",
    }
    install("pam", folder, names)
    with pam_service(folder / "sshd") as service:
        yield service


def test_it_shows_the_question_and_the_answer_opens(house, folder):
    visitor = house.visitor()
    with house.network("lenient") as relay, linux_host(folder, relay) as service:
        logon = service.log_on(visitor.uid)
        logon.type(visitor.password)
        logon.type(house.code(visitor))
        opened, shown = logon.end()
        assert opened, shown
        assert "Enter the code" in shown
        house.refuses_replay(relay)


def test_a_wrong_password_does_not_open(house, folder):
    visitor = house.visitor()
    with house.network("lenient") as relay, linux_host(folder, relay) as service:
        logon = service.log_on(visitor.uid)
        logon.type("Teapot")
        opened, shown = logon.end()
    assert not opened, shown
    assert house.reasons(visitor) == ["password-wrong"]


def test_its_retransmits_to_a_slow_gateway_send_one_text(house, folder):
    visitor = house.visitor()
    with house.network("lenient") as relay, linux_host(folder, relay) as service:
        with house.gateway.slowed(5.0):
            logon = service.log_on(visitor.uid)
            logon.type(visitor.password)
            logon.type(house.code(visitor))
            opened, shown = logon.end()
        assert opened, shown
        assert len(relay.requests) > len(set(relay.requests)), "it sent something again"
    assert house.texts(visitor) == 1


def test_a_lost_reply_comes_again_with_the_same_octets(house, folder):
    visitor = house.visitor()
    with house.network("lenient") as relay, linux_host(folder, relay) as service:
        relay.lose_replies(1)
        logon = service.log_on(visitor.uid)
        logon.type(visitor.password)
        logon.type(house.code(visitor))
        opened, shown = logon.end()
        assert opened, shown
        assert relay.replies[0] == relay.replies[1]
    assert house.texts(visitor) == 1


def test_where_its_requests_must_be_proven_it_meets_silence_and_the_operator_is_told_once(house, folder):
    visitor = house.visitor()
    with house.network("strict") as relay, linux_host(folder, relay, retries=2) as service:
        logon = service.log_on(visitor.uid)
        logon.type(visitor.password)
        opened, shown = logon.end()
        assert not opened, shown
        assert len(relay.requests) == 3
        assert relay.replies == []
    assert house.texts(visitor) == 0
    told = [line for line in house.log().splitlines() if "no Message-Authenticator" in line]
    assert len(told) == 1
    assert "access node strict" in told[0]
    assert "dirfactorRequireMessageAuthenticator" in told[0], "the remedy"
