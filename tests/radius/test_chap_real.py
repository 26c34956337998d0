"""CHAP and MS-CHAP with FreeRADIUS's radclient as the foreign implementation, against the door on a real socket."""

import asyncio

import pytest

from auth.chap.ms_chap import challenge_hash, challenge_response, master_keys, nt_password_hash
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.radius import NodeDoor, RadiusDoor, listen
from auth.reason import Reason
from auth.request import Accepted, Refused
from rig.radclient import radclient_with
from schema.secret import Secret
from sockets import datagrams_at

pytestmark = pytest.mark.servers
SECRET = "correct horse battery staple"
CODE = Secret("481516")
NAME = 'User-Name = "alice"'


class Desk:
    """A service that knows one code."""

    async def begin(self, request):
        if request.password.proves(CODE):
            return Accepted(success=request.password.success(CODE))
        return Refused(Reason.CODE_EMPTY)


@pytest.fixture
async def ask(tmp_path):
    node, secret = NodeDoor("vpn1", SECRET.encode(), code_only=True), tmp_path / "secret"
    secret.write_text(SECRET)
    door = RadiusDoor(service=Desk(), clock=SYSTEM_CLOCK, entropy=SYSTEM_ENTROPY)
    server = await listen(datagrams_at("127.0.0.1"), lambda _: node, door)

    async def asked(*attributes):
        return await asyncio.to_thread(radclient_with, server.address[1], secret, attributes)

    yield asked
    await server.drain(1.0)


@pytest.mark.parametrize("attribute", ["CHAP-Password", "MS-CHAP-Password"])
async def test_what_it_computes_from_the_code_opens_and_from_another_does_not(ask, attribute):
    assert (await ask(NAME, f'{attribute} = "{CODE.text}"')).code == "Accept"
    refused = await ask(NAME, f'{attribute} = "481517"')
    assert (refused.code, refused.said) == ("Reject", {"Reply-Message": "Logon failed."})


async def test_it_reads_the_keys_of_ms_chapv2_as_they_were_hidden(ask):
    peer, challenge, hashed = b"p" * 16, b"sixteen octets..", nt_password_hash(CODE.text)
    octets = challenge_response(challenge_hash(peer, challenge, b"alice"), hashed)
    shown = b"\7\0" + peer + bytes(8) + octets
    accepted = await ask(NAME, f"MS-CHAP-Challenge = 0x{challenge.hex()}", f"MS-CHAP2-Response = 0x{shown.hex()}")
    send, receive = master_keys(hashed, octets)
    assert accepted.code == "Accept"
    assert accepted.said["MS-MPPE-Send-Key"] == f"0x{send.hex()}"
    assert accepted.said["MS-MPPE-Recv-Key"] == f"0x{receive.hex()}"
    assert accepted.said["MS-CHAP2-Success"].startswith("0x07533d")
    wrong = f"MS-CHAP2-Response = 0x{(shown[:-1] + bytes((shown[-1] ^ 1,))).hex()}"
    refused = await ask(NAME, f"MS-CHAP-Challenge = 0x{challenge.hex()}", wrong)
    assert refused.code == "Reject"
    assert "E=691 R=0 C=" in refused.said["MS-CHAP-Error"]
