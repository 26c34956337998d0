"""The door over a real socket: what is answered, what is not, and that the service is asked once."""

import asyncio
import contextlib
import itertools
import logging
import socket

import pytest
import uvloop

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.radius import Attribute, Code, NodeDoor, Packet, RadiusDoor, RadiusTarget, UdpListener, ask, listen
from auth.radius.eap.packet import EapCode, EapPacket, EapType, eap_message, eap_of
from auth.radius.packet import decode, encode, encode_request, encode_response, hide, verify_response
from auth.reason import Reason
from auth.request import (
    Accepted,
    AnswerRequest,
    Challenged,
    Door,
    LoginRequest,
    Refused,
    ReplyAttribute,
)
from schema.errors import Fault
from schema.secret import Secret
from sockets import datagrams_at

SECRET = b"correct horse battery staple"
NODE = NodeDoor("vpn1", SECRET)
LENIENT = NodeDoor("vpn1", SECRET, require_message_authenticator=False)
SILENCE = 0.2
STATE = "c3RhdGU-0123456789"


class Desk:
    """A service that knows alice, her password and one code, and writes down what it was asked."""

    def __init__(self):
        self.asked = []
        self.declined = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def begin(self, request: LoginRequest):
        self.asked.append(request)
        await self.gate.wait()
        if request.user == "broken":
            raise ValueError("password " + request.password.text)
        if request.user == "faulty":
            raise Fault("the disk is full", remedy="free some space")
        if request.user == "misspelt":
            return Accepted((ReplyAttribute("Filter-Ib", "staff"),))
        if request.user == "generous":
            return Accepted((ReplyAttribute("Class", "x" * 253),) * 17)
        if not request.password.matches(Secret("wonderland")):
            return Refused(Reason.PASSWORD_WRONG)
        return Challenged(Secret(STATE), "Type the code … we sent", "sms", 120, Reason.CODE_SENT)

    async def decline(self, origin, user, reason):
        self.declined.append((user, reason))
        await self.gate.wait()
        if user == "broken":
            raise ValueError("declining " + user)
        return Refused(reason)

    async def answer(self, request: AnswerRequest):
        self.asked.append(request)
        if request.state.matches(Secret(STATE)) and request.answer.matches(Secret("123456")):
            return Accepted(
                (ReplyAttribute("Filter-Id", "vpn-staff"), ReplyAttribute("Vendor-Specific.12356.1", "vpn"))
            )
        return Refused(Reason.CODE_EMPTY)


class Nas:
    """A client's socket, on a port of its own."""

    def __init__(self, server: UdpListener):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.connect(server.address)

    def send(self, datagram):
        self.socket.send(datagram)

    async def receive(self):
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.socket, 5000), 5)

    async def exchange(self, datagram):
        self.send(datagram)
        return await self.receive()

    async def hears_nothing(self):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.socket, 5000), SILENCE)
            return False
        return True


class Setup:
    def __init__(self):
        self.desk = Desk()
        self.nodes = {"127.0.0.1": NODE}
        self.servers = []
        self.sockets = []

    def find(self, address):
        return self.nodes.get(address)

    async def start(self, host="127.0.0.1", **settings):
        server = await listen(datagrams_at(host), self.find, self.door(**settings))
        self.servers.append(server)
        return server

    def door(self, **settings):
        return RadiusDoor(service=self.desk, clock=SYSTEM_CLOCK, entropy=SYSTEM_ENTROPY, **settings)

    def nas(self):
        nas = Nas(self.servers[-1])
        self.sockets.append(nas.socket)
        return nas

    def target(self, secret=SECRET):
        return RadiusTarget(*self.servers[-1].address, secret)


@pytest.fixture
async def setup():
    setup = Setup()
    await setup.start()
    yield setup
    setup.desk.gate.set()
    for opened in setup.sockets:
        opened.close()
    for server in setup.servers:
        await server.drain(1.0)


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG, "dirfactor.radius")
    return caplog


identifiers = itertools.cycle(range(256))


def login(user=b"alice", password=b"wonderland", *extra, secret=SECRET, identifier=None):
    authenticator = SYSTEM_ENTROPY.octets(16)
    hidden = hide(password, secret, authenticator)
    attributes = ((Attribute.USER_NAME, user), (Attribute.USER_PASSWORD, hidden), *extra)
    number = next(identifiers) if identifier is None else identifier
    return Packet(Code.ACCESS_REQUEST, number, authenticator, attributes)


def signed(request, secret=SECRET):
    return encode_request(request, secret)


# a login


async def test_password_challenge_code_accept(setup):
    first = await ask(setup.target(), "alice", Secret("wonderland"), entropy=SYSTEM_ENTROPY)
    assert first.code is Code.ACCESS_CHALLENGE
    assert [number for number, _ in first.attributes] == [
        *(Attribute.MESSAGE_AUTHENTICATOR, Attribute.STATE, Attribute.REPLY_MESSAGE, Attribute.PROMPT),
        Attribute.SESSION_TIMEOUT,
    ]
    assert first.single(Attribute.REPLY_MESSAGE) == "Type the code … we sent".encode()
    assert first.single(Attribute.PROMPT) == bytes(4)
    assert first.single(Attribute.SESSION_TIMEOUT) == bytes((0, 0, 0, 120))

    state = first.single(Attribute.STATE)
    accept = await ask(setup.target(), "alice", Secret("123456"), entropy=SYSTEM_ENTROPY, state=state)
    assert accept.code is Code.ACCESS_ACCEPT
    assert accept.attributes[1:] == ((11, b"vpn-staff"), (26, bytes((0, 0, 0x30, 0x44, 1, 5)) + b"vpn"))

    begun, answered = setup.desk.asked
    assert isinstance(begun, LoginRequest)
    assert isinstance(answered, AnswerRequest)
    assert (begun.origin.door, begun.origin.node, begun.origin.address) == (Door.RADIUS, "vpn1", "127.0.0.1")
    assert len(begun.origin.correlation) == 16
    assert int(begun.origin.correlation, 16) != int(answered.origin.correlation, 16)


async def test_a_wrong_password_or_code_is_rejected_with_the_message_and_nothing_else(setup):
    for password, state in (("wonderwall", None), ("654321", STATE.encode())):
        reject = await ask(setup.target(), "alice", Secret(password), entropy=SYSTEM_ENTROPY, state=state)
        assert reject.code is Code.ACCESS_REJECT
        assert reject.attributes[1:] == ((Attribute.REPLY_MESSAGE, b"Logon failed."),)


async def test_two_rounds_of_eap_gtc(setup):
    """Name, password and code, each in a packet of its own; of what comes before the password nothing is kept."""

    async def say(identifier, kind, data, state=None):
        eap = eap_message(EapPacket(EapCode.RESPONSE, identifier, kind, data))
        told = ((Attribute.USER_NAME, b"alice"), *eap, *(((Attribute.STATE, state),) if state else ()))
        request = Packet(Code.ACCESS_REQUEST, next(identifiers), SYSTEM_ENTROPY.octets(16), told)
        reply = verify_response(await setup.nas().exchange(signed(request)), request, SECRET)
        assert reply.attributes[0][0] == Attribute.MESSAGE_AUTHENTICATOR
        assert not reply.values(Attribute.REPLY_MESSAGE)
        return reply, eap_of(reply)

    asked, gtc = await say(1, EapType.IDENTITY, b"alice")
    assert (asked.code, gtc.identifier, gtc.type) == (Code.ACCESS_CHALLENGE, 2, EapType.GTC)
    assert (setup.desk.asked, len(setup.servers[-1].door._duplicates)) == ([], 0)
    again, gtc = await say(2, EapType.GTC, b"wonderland", asked.single(Attribute.STATE))
    assert (again.code, gtc.identifier, gtc.data) == (Code.ACCESS_CHALLENGE, 3, "Type the code … we sent".encode())
    accept, success = await say(3, EapType.GTC, b"123456", again.single(Attribute.STATE))
    assert (accept.code, success) == (Code.ACCESS_ACCEPT, EapPacket(EapCode.SUCCESS, 3))
    assert accept.single(Attribute.FILTER_ID) == b"vpn-staff"
    reject, failure = await say(3, EapType.GTC, b"654321", again.single(Attribute.STATE))
    assert (reject.code, failure) == (Code.ACCESS_REJECT, EapPacket(EapCode.FAILURE, 3))


async def test_a_name_that_is_said_again_is_asked_the_same_in_the_same_octets(setup):
    eap = eap_message(EapPacket(EapCode.RESPONSE, 1, EapType.IDENTITY, b"alice"))
    said = signed(Packet(Code.ACCESS_REQUEST, 7, SYSTEM_ENTROPY.octets(16), ((Attribute.USER_NAME, b"alice"), *eap)))
    nas = setup.nas()
    first = await nas.exchange(said)
    assert [await nas.exchange(said), await setup.nas().exchange(said)] == [first, first]
    assert setup.desk.asked == []


async def test_the_caller_is_told_to_the_service(setup):
    marks = [(Attribute.NAS_PORT, bytes((0, 0, 0, 3))), (Attribute.ACCT_SESSION_ID, b"4D")]
    await ask(setup.target(), "alice", Secret("x"), entropy=SYSTEM_ENTROPY, extra=marks)
    origin = setup.desk.asked[0].origin
    assert (origin.caller, origin.session) == ("NAS-Port=3", b"4D".hex())


async def test_proxy_state_comes_back_unmodified_in_order_in_every_answer(setup):
    states = tuple((Attribute.PROXY_STATE, value) for value in (b"one", b"two", b"", b"one"))
    nas = setup.nas()
    for user, password in ((b"alice", b"wonderland"), (b"alice", b"wrong"), (b"broken", b"x")):
        request = login(user, password, *states)
        reply = verify_response(await nas.exchange(signed(request)), request, SECRET)
        assert reply.attributes[-4:] == states


def test_the_door_works_on_uvloop_and_closes_there():
    async def scenario():
        setup = Setup()
        server = await setup.start()
        reply = await ask(setup.target(), "alice", Secret("wonderland"), entropy=SYSTEM_ENTROPY)
        nas = setup.nas()
        nas.send(b"garbage")
        silent = await nas.hears_nothing()
        nas.socket.close()
        return reply.code, silent, await server.drain(1.0)

    assert uvloop.run(scenario()) == (Code.ACCESS_CHALLENGE, True, 0)


# duplicates, RFC 5080 section 2.2.2


async def test_a_duplicate_gets_the_same_octets_and_the_service_is_asked_once(setup):
    nas, request = setup.nas(), signed(login())
    first = await nas.exchange(request)
    assert await nas.exchange(request) == first
    assert await nas.exchange(request) == first
    assert len(setup.desk.asked) == 1


async def test_a_duplicate_of_what_is_pending_is_dropped(setup):
    setup.desk.gate.clear()
    nas, request = setup.nas(), signed(login())
    nas.send(request)
    nas.send(request)
    assert await nas.hears_nothing()
    setup.desk.gate.set()
    await nas.receive()
    assert await nas.hears_nothing()
    assert len(setup.desk.asked) == 1


async def test_a_new_authenticator_is_a_new_request_and_the_old_answer_is_not_sent(setup):
    setup.desk.gate.clear()
    nas, old, new = setup.nas(), login(identifier=9), login(identifier=9)
    nas.send(signed(old))
    nas.send(signed(new))
    await asyncio.sleep(0.05)
    setup.desk.gate.set()
    assert verify_response(await nas.receive(), new, SECRET).code is Code.ACCESS_CHALLENGE
    assert await nas.hears_nothing()
    assert len(setup.desk.asked) == 2


async def test_another_port_is_another_request(setup):
    request = signed(login())
    await setup.nas().exchange(request)
    await setup.nas().exchange(request)
    assert len(setup.desk.asked) == 2


async def test_a_forged_packet_does_not_touch_the_real_ones_answer(setup):
    """RFC 5080: what has an invalid Message-Authenticator must not purge a cached answer."""
    nas, real = setup.nas(), login(identifier=3)
    first = await nas.exchange(signed(real))
    nas.send(signed(login(identifier=3), b"another secret"))
    assert await nas.hears_nothing()
    assert await nas.exchange(signed(real)) == first
    assert len(setup.desk.asked) == 1


# silence


async def silent(setup, *datagrams):
    nas = setup.nas()
    for datagram in datagrams:
        nas.send(datagram)
    assert await nas.hears_nothing()
    assert setup.desk.asked == []


async def test_an_unknown_address_hears_nothing_and_the_log_says_so_once(setup, log):
    setup.nodes.clear()
    await silent(setup, *(signed(login()) for _ in range(3)))
    assert [record.getMessage() for record in log.records] == [
        "127.0.0.1 belongs to no access node, discarded: add it to an access node (dirfactorAddress) if it is one"
    ]


async def test_the_lookup_may_change_while_the_door_is_open(setup):
    setup.nodes.clear()
    await silent(setup, signed(login()))
    setup.nodes["127.0.0.1"] = NODE
    assert await setup.nas().exchange(signed(login()))


async def test_a_wrong_secret_hears_nothing(setup, log):
    await silent(setup, signed(login(secret=b"wrong"), b"wrong"))
    assert "wrong shared secret for node vpn1?" in log.text


async def test_a_request_without_message_authenticator_hears_nothing_and_the_log_has_the_fix(setup, log):
    await silent(setup, encode(login()))
    assert "set dirfactorRequireMessageAuthenticator of the node to FALSE" in log.text


async def test_proxy_state_without_message_authenticator_hears_nothing(setup, log):
    setup.nodes["127.0.0.1"] = LENIENT
    await silent(setup, encode(login(b"alice", b"wonderland", (Attribute.PROXY_STATE, b"p"))))
    assert "set dirfactorLimitProxyState of the node to FALSE" in log.text


async def test_truncated_oversized_and_senseless_datagrams_hear_nothing(setup):
    await silent(
        setup,
        b"",
        b"\x01",
        signed(login())[:-1],
        signed(login())[:19],
        bytes((1, 1)) + (4097).to_bytes(2, "big") + bytes(4093),
        bytes((99, 1, 0, 20)) + bytes(16),
        signed(Packet(Code.ACCOUNTING_REQUEST, 1, bytes(16))),
        encode_response(Code.ACCESS_ACCEPT, login(), (), SECRET),
        encode(Packet(Code.STATUS_SERVER, 1, bytes(16))),
    )


async def test_the_lookup_is_asked_for_ipv4_addresses_in_their_own_form():
    asked = []
    server = UdpListener(asked.append, Setup().door())
    for address in ("192.0.2.7", "::ffff:192.0.2.7", "2001:db8::7"):
        server.datagram_received(b"", (address, 1812))
    assert asked == ["192.0.2.7", "192.0.2.7", "2001:db8::7"]


async def test_a_lookup_that_fails_discards_one_datagram_and_the_door_stays_open(setup, log):
    class Broken(dict):
        def get(self, address):
            raise KeyError("in the lookup: " + address)

    nodes, setup.nodes = setup.nodes, Broken()
    await silent(setup, signed(login()))
    setup.nodes = nodes
    assert await setup.nas().exchange(signed(login()))
    assert "KeyError in test_server.py line" in log.text
    assert "in the lookup" not in log.text


# answers that the door gives by itself


async def test_status_server_is_accepted_with_message_authenticator_first_rfc5997(setup):
    request = Packet(Code.STATUS_SERVER, 5, SYSTEM_ENTROPY.octets(16))
    reply = verify_response(await setup.nas().exchange(signed(request)), request, SECRET)
    assert reply.code is Code.ACCESS_ACCEPT
    assert [number for number, _ in reply.attributes] == [Attribute.MESSAGE_AUTHENTICATOR]
    assert setup.desk.asked == []


async def test_chap_is_rejected_and_the_log_names_the_setting(setup, log):
    request = Packet(Code.ACCESS_REQUEST, 5, SYSTEM_ENTROPY.octets(16), ((1, b"alice"), (3, bytes(17))))
    reply = verify_response(await setup.nas().exchange(signed(request)), request, SECRET)
    assert reply.code is Code.ACCESS_REJECT
    assert reply.attributes[1:] == ((Attribute.REPLY_MESSAGE, b"PAP required"),)
    assert "the client asks with CHAP: set its authentication protocol to PAP" in log.text
    assert setup.desk.asked == []
    assert setup.desk.declined == [("alice", Reason.PASSWORD_PROTOCOL)]


async def test_an_unreadable_password_is_rejected_without_asking_and_the_log_suspects_the_secret(setup, log):
    setup.nodes["127.0.0.1"] = LENIENT
    request = login(password=b"\xff\xfe wonderland")
    reply = verify_response(await setup.nas().exchange(encode(request)), request, SECRET)
    assert reply.code is Code.ACCESS_REJECT
    assert reply.attributes[1:] == ((Attribute.REPLY_MESSAGE, b"Logon failed."),)
    assert "secret mismatch?" in log.text
    assert setup.desk.asked == []


async def test_a_duplicate_of_what_was_declined_gets_the_same_octets_and_is_recorded_once(setup):
    nas, request = setup.nas(), signed(Packet(Code.ACCESS_REQUEST, 5, bytes(16), ((1, b"alice"),)))
    first = await nas.exchange(request)
    assert await nas.exchange(request) == first
    assert setup.desk.declined == [("alice", Reason.REQUEST_INCOMPLETE)]


async def test_what_cannot_even_be_declined_is_rejected_like_any_fault(setup, log):
    request = Packet(Code.ACCESS_REQUEST, 5, bytes(16), ((1, b"broken"), (3, bytes(17))))
    reply = verify_response(await setup.nas().exchange(signed(request)), request, SECRET)
    assert (reply.code, reply.attributes[1:]) == (Code.ACCESS_REJECT, ((Attribute.REPLY_MESSAGE, b"Logon failed."),))
    assert "ValueError in test_server.py line" in log.text
    assert "declining" not in log.text


async def test_requests_that_are_declined_count_among_those_in_flight(setup, log):
    await setup.start(most_in_flight=1)
    setup.desk.gate.clear()
    nas = setup.nas()
    for identifier in (1, 2):
        nas.send(signed(Packet(Code.ACCESS_REQUEST, identifier, bytes(16), ((1, b"alice"),))))
    await asyncio.sleep(0.05)
    assert len(setup.desk.declined) == 1
    assert "1 requests are being answered already" in log.text


async def test_a_client_that_sends_no_message_authenticator_is_served_where_the_node_allows_and_gets_one(setup):
    setup.nodes["127.0.0.1"] = LENIENT
    request = login()
    reply = verify_response(await setup.nas().exchange(encode(request)), request, SECRET)
    assert reply.code is Code.ACCESS_CHALLENGE


# faults


async def test_reply_attributes_without_room_are_left_out_and_the_operator_told(setup, log):
    nas, request = setup.nas(), login(b"generous")
    reply = verify_response(await nas.exchange(signed(request)), request, SECRET)
    assert (reply.code, reply.values(Attribute.CLASS)) == (Code.ACCESS_ACCEPT, (b"x" * 253,) * 15)
    assert "vpn1: an accept had no room for the reply attributes Class, Class, which were left out" in log.text


@pytest.mark.parametrize(
    ("user", "logged"),
    [
        (b"broken", "ValueError in test_server.py line"),
        (b"faulty", "the disk is full (free some space)"),
        (b"misspelt", "unknown reply attribute 'Filter-Ib'"),
    ],
)
async def test_a_fault_is_an_access_reject_like_any_other_and_a_log_line_without_secrets(setup, log, user, logged):
    nas, request, refused = setup.nas(), login(user), login(b"alice", b"wrong")
    reply = verify_response(await nas.exchange(signed(request)), request, SECRET)
    usual = verify_response(await nas.exchange(signed(refused)), refused, SECRET)
    assert (reply.code, reply.attributes[1:]) == (usual.code, usual.attributes[1:])
    assert reply.code is Code.ACCESS_REJECT
    assert logged in log.text
    assert setup.desk.asked[0].origin.correlation in log.text
    assert "wonderland" not in log.text


@pytest.mark.parametrize("attributes", [(), eap_message(EapPacket(EapCode.RESPONSE, 1, EapType.IDENTITY, b"a"))])
async def test_what_leaves_no_room_for_an_answer_gets_none_and_the_operator_is_told(setup, log, attributes):
    room = 4096 - 20 - 18 - 3 - sum(2 + len(value) for _, value in attributes)
    proxies = ((Attribute.PROXY_STATE, bytes(length)) for length in [253] * (room // 255) + [room % 255 - 2])
    told = ((Attribute.USER_NAME, b"a"), *attributes, *proxies)
    nas = setup.nas()
    nas.send(signed(Packet(Code.ACCESS_REQUEST, 1, SYSTEM_ENTROPY.octets(16), told)))
    assert await nas.hears_nothing()
    assert "vpn1: not answered, the request's Proxy-State leaves no room" in log.text
    assert "this should not happen" not in log.text
    assert setup.servers[-1].door.discarded == {"full": 1}


async def test_a_request_that_leaves_no_room_for_an_answer_gets_none_and_is_settled(setup, log):
    setup.nodes["127.0.0.1"] = NodeDoor("p", SECRET, require_message_authenticator=False, limit_proxy_state=False)
    states = ((Attribute.PROXY_STATE, bytes(253)),) * 15 + ((Attribute.PROXY_STATE, bytes(249)),)
    nas = setup.nas()
    nas.send(encode(Packet(Code.ACCESS_REQUEST, 1, bytes(16), states)))
    assert await nas.hears_nothing()
    assert "no User-Password" in log.text
    assert "should not happen" not in log.text
    assert await nas.exchange(signed(login()))


# load and the end


async def test_beyond_the_limit_requests_are_discarded_early_and_may_come_again(setup, log):
    await setup.start(most_in_flight=2)
    setup.desk.gate.clear()
    nas = setup.nas()
    requests = [login() for _ in range(3)]
    for request in requests:
        nas.send(signed(request))
    await asyncio.sleep(0.05)
    assert len(setup.desk.asked) == 2
    assert "2 requests are being answered already" in log.text
    setup.desk.gate.set()
    for _ in range(2):
        await nas.receive()
    again = await nas.exchange(signed(requests[2]))
    assert verify_response(again, requests[2], SECRET).code is Code.ACCESS_CHALLENGE


async def test_drain_lets_answers_out_takes_nothing_new_and_closes(setup):
    setup.desk.gate.clear()
    server, nas, late = setup.servers[-1], setup.nas(), setup.nas()
    nas.send(signed(login()))
    await asyncio.sleep(0.05)
    draining = asyncio.create_task(server.drain(5.0))
    await asyncio.sleep(0)
    late.send(signed(login()))
    late.send(signed(Packet(Code.STATUS_SERVER, 1, bytes(16))))
    assert await late.hears_nothing()
    setup.desk.gate.set()
    assert decode(await nas.receive()).code is Code.ACCESS_CHALLENGE
    assert await draining == 0
    assert len(setup.desk.asked) == 1
    setup.servers.clear()


async def test_drain_gives_up_after_its_patience_and_counts_whom_it_left(setup):
    setup.desk.gate.clear()
    nas = setup.nas()
    nas.send(signed(login()))
    await asyncio.sleep(0.05)
    assert await setup.servers.pop().drain(0.05) == 1


# the client


async def test_the_client_gives_up_after_its_patience(setup):
    setup.nodes.clear()
    with pytest.raises(Fault, match=r"no response in 0.2 s, 0 could not be verified"):
        await ask(setup.target(), "alice", Secret("x"), entropy=SYSTEM_ENTROPY, patience=SILENCE)


@contextlib.asynccontextmanager
async def liar(*replies):
    """A server that answers any request with what `replies` make of it."""

    class Liar(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, addr):
            for reply in replies:
                self.transport.sendto(reply(decode(data)), addr)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Liar, local_addr=("127.0.0.1", 0))
    try:
        yield RadiusTarget(*transport.get_extra_info("sockname"), SECRET)
    finally:
        transport.close()


LIES = (
    lambda request: b"garbage",
    lambda request: encode_response(Code.ACCESS_ACCEPT, request, (), b"another secret"),
    lambda request: encode(Packet(Code.ACCESS_ACCEPT, request.identifier, request.authenticator)),
)


async def test_the_client_waits_past_lies_for_the_truth():
    async with liar(*LIES, lambda request: encode_response(Code.ACCESS_REJECT, request, (), SECRET)) as target:
        reply = await ask(target, "alice", Secret("x"), entropy=SYSTEM_ENTROPY)
    assert reply.code is Code.ACCESS_REJECT


async def test_the_client_never_believes_a_lie():
    async with liar(*LIES) as target:
        with pytest.raises(Fault, match="3 could not be verified"):
            await ask(target, "alice", Secret("x"), entropy=SYSTEM_ENTROPY, patience=SILENCE)


async def test_the_client_puts_message_authenticator_first_and_names_itself():
    requests = []

    def remember(request):
        requests.append(request)
        return encode_response(Code.ACCESS_REJECT, request, (), SECRET)

    async with liar(remember) as target:
        await ask(target, "alice", Secret("x"), entropy=SYSTEM_ENTROPY, state=b"s")
    assert [number for number, _ in requests[0].attributes] == [
        *(Attribute.MESSAGE_AUTHENTICATOR, Attribute.USER_NAME, Attribute.USER_PASSWORD),
        *(Attribute.NAS_IDENTIFIER, Attribute.STATE),
    ]


async def test_the_client_says_that_nobody_listens(setup):
    target = setup.target()
    await setup.servers.pop().drain(0.0)
    with pytest.raises(Fault, match="refused") as fault:
        await ask(target, "alice", Secret("x"), entropy=SYSTEM_ENTROPY)
    assert "horse" not in repr(target)
    assert fault.value.remedy


# radclient, a foreign client


async def radclient(setup, mode, lines, secret=SECRET):
    host, port = setup.servers[-1].address
    process = await asyncio.create_subprocess_exec(
        *("radclient", "-x", "-r1", "-t1", f"{host}:{port}", mode, secret.decode()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate("\n".join(lines).encode() + b"\n")
    return output.decode()


@pytest.mark.servers
async def test_radclient_logs_in_by_challenge(setup):
    proof = "Message-Authenticator = 0x00"
    user = 'User-Name = "alice"'
    output = await radclient(setup, "auth", [user, 'User-Password = "wonderland"', proof])
    assert "Received Access-Challenge" in output
    assert "Type the code … we sent" in output
    assert "Prompt = No-Echo" in output
    assert "Session-Timeout = 120" in output
    state = f"State = 0x{STATE.encode().hex()}"
    assert state in output
    output = await radclient(setup, "auth", [user, 'User-Password = "123456"', state, proof])
    assert "Received Access-Accept" in output
    assert 'Filter-Id = "vpn-staff"' in output
    assert 'Fortinet-Group-Name = "vpn"' in output
    output = await radclient(setup, "auth", [user, 'User-Password = "wrong"', "Proxy-State = 0x0102", proof])
    assert "Received Access-Reject" in output
    assert "Proxy-State = 0x0102" in output


@pytest.mark.servers
async def test_radclient_asks_for_the_status(setup):
    assert "Received Access-Accept" in await radclient(setup, "status", ["Message-Authenticator = 0x00"])


@pytest.mark.servers
async def test_radclient_with_chap_is_told_what_to_change(setup):
    lines = ['User-Name = "alice"', 'CHAP-Password = "wonderland"', "Message-Authenticator = 0x00"]
    output = await radclient(setup, "auth", lines)
    assert "Received Access-Reject" in output
    assert 'Reply-Message = "PAP required"' in output


@pytest.mark.servers
async def test_radclient_without_message_authenticator_hears_nothing_by_default(setup):
    lines = ['User-Name = "alice"', 'User-Password = "wonderland"']
    assert "No reply from server" in await radclient(setup, "auth", lines)
    setup.nodes["127.0.0.1"] = LENIENT
    assert "Received Access-Challenge" in await radclient(setup, "auth", lines)


# floods, and strangers


async def test_an_address_that_sends_too_much_is_not_looked_at_further_and_told_once(setup, log):
    server = await setup.start(packets_per_second=5)
    nas = setup.nas()
    for number in range(200):
        nas.send(signed(login(identifier=number % 256)))
    await asyncio.sleep(0.2)
    assert len(setup.desk.asked) in range(10, 13)
    assert server.door.discarded["too-many"] > 150
    assert log.text.count("sends more packets than one address may (5 a second)") == 1


async def test_what_comes_from_a_network_that_is_not_allowed_is_silence_though_it_is_signed(setup, log):
    listener = await listen(datagrams_at("127.0.0.1"), setup.find, setup.door(), lambda address: address != "127.0.0.1")
    setup.servers.append(listener)
    nas = setup.nas()
    nas.send(signed(login()))
    assert await nas.hears_nothing()
    assert "use RadSec, or add it to networks of [radius]" in log.text
    assert listener.door.discarded == {"not-allowed": 1}
