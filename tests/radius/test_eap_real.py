"""EAP-GTC with wpa_supplicant's eapol_test as the foreign implementation, against the door on a real socket."""

import logging

import pytest

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.radius import NodeDoor, RadiusDoor, listen
from auth.reason import Reason
from auth.request import Accepted, Challenged, Refused, ReplyAttribute
from rig.eapol import eapol_test
from schema.secret import Secret
from sockets import datagrams_at

pytestmark = pytest.mark.servers
SECRET = "correct horse battery staple"
IDENTITY, GTC, MD5 = 1, 6, 4


class Desk:
    """A service that lets alice in by one password, and asks for a code after another."""

    def __init__(self):
        self.begun = []

    async def begin(self, request):
        self.begun.append((request.user, request.password.text))
        match request.password.text:
            case "wonderland":
                return Accepted((ReplyAttribute("Filter-Id", "staff"),))
            case "looking-glass":
                return Challenged(Secret("5t4t3"), "Enter the code.", "sms", 60, Reason.CODE_SENT)
        return Refused(Reason.PASSWORD_WRONG)

    async def decline(self, origin, user, reason):
        return Refused(reason)


@pytest.fixture
async def door():
    desk, node = Desk(), NodeDoor("switch", SECRET.encode())
    door = RadiusDoor(service=desk, clock=SYSTEM_CLOCK, entropy=SYSTEM_ENTROPY)
    server = await listen(datagrams_at("127.0.0.1"), lambda _: node, door)
    yield desk, server.address[1]
    await server.drain(1.0)


async def test_one_gtc_round_opens(door, tmp_path):
    desk, port = door
    result = await eapol_test(tmp_path, port, SECRET, "alice", "wonderland")
    assert result.accepted, result.log
    assert result.methods == (IDENTITY, GTC)
    assert "Enter your passw" in result.log  # it prints sixteen octets a line
    assert desk.begun == [("alice", "wonderland")]


async def test_a_wrong_password_is_a_failure_that_it_understands(door, tmp_path):
    result = await eapol_test(tmp_path, door[1], SECRET, "alice", "wonderwall")
    assert not result.accepted
    assert "EAP: EAP entering state FAILURE" in result.log


async def test_a_long_name_and_password_cross_whole(door, tmp_path):
    desk, port = door
    name, password = "a" * 200, "p" * 250  # with its header the response needs two EAP-Message attributes
    await eapol_test(tmp_path, port, SECRET, name, password)
    assert desk.begun == [(name, password)]


async def test_a_peer_that_knows_only_another_method_is_refused_and_the_operator_told(door, tmp_path, caplog):
    caplog.set_level(logging.WARNING, "dirfactor.radius")
    desk, port = door
    result = await eapol_test(tmp_path, port, SECRET, "alice", "wonderland", method="MD5")
    assert not result.accepted
    assert desk.begun == []
    assert f"wants EAP methods {MD5} instead of EAP-GTC" in caplog.text


async def test_it_shows_no_second_round_as_docs_radius_says(door, tmp_path):
    result = await eapol_test(tmp_path, door[1], SECRET, "alice", "looking-glass", seconds=2)
    assert not result.accepted
    assert result.methods == (IDENTITY, GTC, GTC)
    assert "EAP: EAP entering state DISCARD" in result.log
