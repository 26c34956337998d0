"""A small RADIUS client: one Access-Request, one verified response; for proxy nodes, the demo and the tests."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from auth.clock import Entropy
from auth.radius.attributes import Attribute, Pair
from auth.radius.packet import (
    Code,
    MalformedPacket,
    Packet,
    UnverifiedResponse,
    encode_request,
    hide,
    verify_response,
)
from schema.errors import Fault
from schema.secret import Secret

_AUTHENTICATOR_OCTETS = 16
_NAS_IDENTIFIER = b"dirfactor"  # RFC 2865 section 4.1 wants it, or an address


@dataclass(frozen=True, slots=True)
class RadiusTarget:
    """The server to ask.

    Attributes:
        host: its name or address.
        port: its UDP port.
        secret: shared with it.
    """

    host: str
    port: int
    secret: bytes = field(repr=False)


async def ask(
    target: RadiusTarget,
    user: str,
    password: Secret,
    *,
    entropy: Entropy,
    state: bytes | None = None,
    extra: Sequence[Pair] = (),
    patience: float = 5.0,
) -> Packet:
    """Send one Access-Request, once, and wait for its response.

    Args:
        target: whom to ask.
        user: the login name.
        password: the password, or the answer to a challenge; at most 128 octets.
        entropy: for identifier and authenticator.
        state: of the challenge that is answered, as it came.
        extra: more attributes, behind ours.
        patience: seconds to wait.

    Returns:
        The response, verified: Response Authenticator, Message-Authenticator and Proxy-State are right.

    Raises:
        Fault: no such response came in time, or nobody listens there.
        ValueError: an argument is too long for RADIUS.
    """
    authenticator = entropy.octets(_AUTHENTICATOR_OCTETS)
    attributes: list[Pair] = [
        (Attribute.USER_NAME, user.encode()),
        (Attribute.USER_PASSWORD, hide(password.octets, target.secret, authenticator)),
        (Attribute.NAS_IDENTIFIER, _NAS_IDENTIFIER),
    ]
    if state is not None:
        attributes.append((Attribute.STATE, state))
    request = Packet(Code.ACCESS_REQUEST, entropy.below(256), authenticator, (*attributes, *extra))
    return await exchange(target, request, patience=patience)


async def exchange(
    target: RadiusTarget,
    request: Packet,
    *,
    patience: float,
    repeat: float | None = None,
    require_proof: bool = True,
) -> Packet:
    """Send a request from a port of its own, and wait for its response.

    Args:
        target: whom to ask.
        request: the packet; its Message-Authenticator is added.
        patience: seconds to wait, for the server's name as well.
        repeat: seconds after which the same octets are sent again; None for once only.
        require_proof: as for `verify_response`.

    Returns:
        The response, verified as by `verify_response`.

    Raises:
        Fault: no such response came in time, nobody listens there, or the request is too long.
        ValueError: an attribute is too long for RADIUS.
    """
    octets = encode_request(request, target.secret)
    listener = _Listener(request, target, require_proof=require_proof)
    try:
        async with asyncio.timeout(patience):
            transport = await _open(listener, target)
            try:
                while True:
                    transport.sendto(octets)
                    await asyncio.wait({listener.response}, timeout=repeat)
                    if listener.response.done():
                        return listener.response.result()
            finally:
                transport.close()
    except TimeoutError as error:
        problem = f"no response in {patience:g} s, {listener.ignored} could not be verified"
        raise listener.fault(problem) from error


async def _open(listener: "_Listener", target: RadiusTarget) -> asyncio.DatagramTransport:
    """Raises Fault when there is no way to the server."""
    try:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: listener, remote_addr=(target.host, target.port)
        )
    except OSError as error:
        raise listener.fault(error.strerror or str(error)) from error
    return transport


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, request: Packet, target: RadiusTarget, *, require_proof: bool) -> None:
        self._request = request
        self._require_proof = require_proof
        self._target = target
        self.response: asyncio.Future[Packet] = asyncio.get_running_loop().create_future()
        self.ignored = 0

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002 - the socket is connected
        try:
            response = verify_response(data, self._request, self._target.secret, require_proof=self._require_proof)
        except (MalformedPacket, UnverifiedResponse):
            self.ignored += 1
            return
        if not self.response.done():
            self.response.set_result(response)

    def error_received(self, exc: Exception) -> None:
        if not self.response.done():
            self.response.set_exception(self.fault(str(exc)))

    def fault(self, problem: str) -> Fault:
        return Fault(
            f"RADIUS server {self._target.host} port {self._target.port}: {problem}",
            remedy="check address, port and shared secret, and that we are an access node there; see the server's log",
        )
