"""FreeRADIUS as the server that a company had before: it reads what we pass on, and we prove what it says."""

import asyncio

import pytest

from auth.clock import SYSTEM_ENTROPY
from auth.forwarding import Denied, Granted, Passed, Wanted
from auth.radius.attributes import Attribute
from auth.radius.forwarder import RadiusForwarder
from auth.radius.node import Upstream
from rig.freeradius import old_freeradius
from rig.ports import free_port
from schema.errors import Fault
from schema.secret import Secret

pytestmark = pytest.mark.servers
SECRET = "secret-of-the-old-server"
USERS = """\
alice Cleartext-Password := "Wönder 41"
    Filter-Id = "old-staff",
    Class = 0xff00,
    Fortinet-Group-Name = "vpn"

asked User-Password == "code please", Response-Packet-Type := Access-Challenge
    State = 0x007468656972,
    Reply-Message = "PASSCODE:"

proven Cleartext-Password := "x"
    Message-Authenticator = 0x00
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    port = free_port()
    server = old_freeradius(tmp_path_factory.mktemp("old"), port, SECRET, USERS)
    yield port
    server.stop()


def ask(port, name, typed, *, require=False, secret=SECRET):
    upstream = Upstream("127.0.0.1", port, secret.encode(), require_message_authenticator=require)
    forwarder = RadiusForwarder(lambda _: upstream, SYSTEM_ENTROPY, patience=2.0, repeat=0.5)
    passed = Passed("vpn", name, Secret(typed), None, ((Attribute.PROXY_STATE, b"of the client"),))
    return asyncio.run(forwarder.ask(passed))


def test_it_accepts_the_right_password_and_its_attributes_come_back(port):
    fortinet = (Attribute.VENDOR_SPECIFIC, (12356).to_bytes(4, "big") + b"\x01\x05vpn")
    granted = ask(port, "alice", "Wönder 41")
    assert granted == Granted(((Attribute.FILTER_ID, b"old-staff"), (Attribute.CLASS, b"\xff\0"), fortinet))


def test_it_rejects_the_wrong_one(port):
    assert ask(port, "alice", "Wönder 42") == Denied()


def test_its_challenge_is_a_question(port):
    assert ask(port, "asked", "code please") == Wanted(b"\0their", "PASSCODE:", None)


def test_its_accept_counts_without_message_authenticator_only_where_none_is_required(port):
    assert ask(port, "proven", "x", require=True) == Granted(())
    with pytest.raises(Fault, match="could not be verified"):
        ask(port, "alice", "Wönder 41", require=True)


def test_under_another_secret_it_says_nothing(port):
    with pytest.raises(Fault, match="no response"):
        ask(port, "alice", "Wönder 41", secret="another secret")
