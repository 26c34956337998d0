"""RADIUS over TLS: radsecproxy carries a client's requests to us."""

import socket
import ssl

import pytest

from auth.radius.attributes import Attribute
from auth.radius.packet import Code, Packet, encode_request, hide
from clients.house import SECRET
from rig.datagram import (
    ACCESS_ACCEPT,
    ACCESS_CHALLENGE,
    ACCESS_REJECT,
    MESSAGE_AUTHENTICATOR,
    answers,
    attributes_of,
)
from rig.ports import LOOPBACK
from rig.radclient import radclient, radclient_with
from rig.radsecproxy import radsecproxy

pytestmark = pytest.mark.servers


@pytest.fixture
def port(house, folder):
    with radsecproxy(folder, SECRET, house.radsec_port, house.radsec_files) as port:
        yield port


def test_every_reply_over_tls_begins_with_its_proof(house):
    context = ssl.create_default_context(cafile=house.radsec_files.ca)
    context.load_cert_chain(house.radsec_files.certificate, house.radsec_files.key)
    user = house.visitor()
    status = Packet(Code.STATUS_SERVER, 1, b"s" * 16)
    typed = [(user.password, ACCESS_CHALLENGE), ("Teapot", ACCESS_REJECT)]
    asked = [(status, ACCESS_ACCEPT), *((_request(user.uid, text, at), code) for at, (text, code) in enumerate(typed))]
    with (
        socket.create_connection((LOOPBACK, house.radsec_port), timeout=10) as opened,
        context.wrap_socket(opened, server_hostname=LOOPBACK) as door,
    ):
        for packet, code in asked:
            request = encode_request(packet, b"radsec")
            door.sendall(request)
            reply = door.recv(4096)
            assert answers(reply, request, b"radsec")
            assert (reply[0], attributes_of(reply)[0][0]) == (code, MESSAGE_AUTHENTICATOR)


def _request(user, typed, identifier):
    hidden = hide(typed.encode(), b"radsec", b"a" * 16)
    attributes = ((Attribute.USER_NAME, user.encode()), (Attribute.USER_PASSWORD, hidden))
    return Packet(Code.ACCESS_REQUEST, identifier, b"a" * 16, attributes)


def test_a_logon_opens_over_tls_once(house, port):
    visitor = house.visitor()
    challenge = radclient(port, house.secret_file, visitor.uid, visitor.password)
    assert challenge.code == "Challenge"
    assert house.outcomes(visitor)[-1]["node"] == "radsec"
    code = house.code(visitor)
    accept = radclient(port, house.secret_file, visitor.uid, code, challenge.state)
    assert (accept.code, accept.attributes["Filter-Id"]) == ("Accept", "staff")
    assert radclient(port, house.secret_file, visitor.uid, code, challenge.state).code == "Reject"
    assert house.texts(visitor) == 1


def test_proxy_state_comes_back_whole_and_in_order(house, port):
    visitor = house.visitor()
    proxied = [f"Proxy-State = 0x{text.encode().hex()}" for text in ("zuerich", "aachen", "wien")]
    asked = [f'User-Name = "{visitor.uid}"', f'User-Password = "{visitor.password}"', *proxied]
    challenge = radclient_with(port, house.secret_file, asked)
    assert challenge.code == "Challenge"
    assert [f"Proxy-State = {value}" for value in challenge.every("Proxy-State")] == proxied


def test_retransmits_to_a_slow_gateway_send_one_text(house, port):
    visitor = house.visitor()
    with house.gateway.slowed(5.0):
        challenge = radclient(port, house.secret_file, visitor.uid, visitor.password, tries=4, seconds=2)
    assert challenge.code == "Challenge"
    assert house.texts(visitor) == 1
