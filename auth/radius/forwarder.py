"""Asks the other RADIUS servers of proxy nodes: by PAP over UDP, with a Message-Authenticator, for so long at most."""

from collections.abc import Callable

from auth.clock import Entropy
from auth.forwarding import Passed, Verdict
from auth.radius.attributes import LONGEST_VALUE, Attribute, Pair
from auth.radius.client import RadiusTarget, exchange
from auth.radius.node import Upstream
from auth.radius.packet import Code, MalformedPacket, Packet, hide
from auth.radius.passing import room_for_state, verdict
from schema.errors import Fault

PATIENCE = 10.0
"""Seconds that the other server has for its answer."""

REPEAT = 3.0
"""Seconds after which the same packet is sent again (RFC 5080 section 2.2.1)."""

MOST_AT_ONCE = 200
"""Questions that may be open; what comes beyond is refused."""

_AUTHENTICATOR_OCTETS = 16
_MARK_OCTETS = 8


class RadiusForwarder:
    """`auth.forwarding.Forwarder` over UDP, from a port of its own for each question.

    Args:
        upstream: gives the other server of an access node, by the node's name, as of now.
        entropy: for identifiers and authenticators.
        patience: see `PATIENCE`.
        repeat: see `REPEAT`.
        most_at_once: see `MOST_AT_ONCE`.
    """

    def __init__(
        self,
        upstream: Callable[[str], Upstream | None],
        entropy: Entropy,
        *,
        patience: float = PATIENCE,
        repeat: float = REPEAT,
        most_at_once: int = MOST_AT_ONCE,
    ) -> None:
        self._upstream = upstream
        self._entropy = entropy
        self._patience = patience
        self._repeat = repeat
        self._most_at_once = most_at_once
        self._open = 0

    async def ask(self, passed: Passed) -> Verdict:
        """What the other server says. See `auth.forwarding.Forwarder.ask`."""
        upstream = self._upstream(passed.node)
        if upstream is None:
            raise Fault(
                f"access node {passed.node} has nowhere to forward to",
                remedy="set dirfactorProxyTarget, and the shared secret that the other server knows this service by",
            )
        if not room_for_state(passed.attributes):
            raise Fault(
                f"a login through {passed.node} has come through too many servers",
                remedy="see that no server forwards back to this one",
            )
        if self._open >= self._most_at_once:
            raise Fault(
                f"{self._open} logins wait for other RADIUS servers already", remedy="find out what makes them slow"
            )
        self._open += 1
        try:
            return await self._asked(passed, upstream)
        finally:
            self._open -= 1

    async def _asked(self, passed: Passed, upstream: Upstream) -> Verdict:
        target = RadiusTarget(upstream.host, upstream.port, upstream.secret)
        response = await exchange(
            target,
            self._request(passed, upstream),
            patience=self._patience,
            repeat=self._repeat,
            require_proof=upstream.require_message_authenticator,
        )
        try:
            return verdict(response)
        except MalformedPacket as error:
            raise Fault(
                f"RADIUS server {upstream.host} port {upstream.port}: {error}",
                remedy="have it ask by PAP, with one State in each Access-Challenge",
            ) from error

    def _request(self, passed: Passed, upstream: Upstream) -> Packet:
        """A packet of our own: another authenticator, and the password hidden again under it (RFC 2865 section 2.3)."""
        authenticator = self._entropy.octets(_AUTHENTICATOR_OCTETS)
        try:
            name = passed.name.encode(upstream.character_set)
            typed = passed.typed.text.encode(upstream.character_set)
            hidden = hide(typed, upstream.secret, authenticator)
            if len(name) > LONGEST_VALUE:
                raise ValueError("the name is too long")  # noqa: TRY301 - told as what `hide` raises
        except ValueError as error:
            raise Fault(
                "name or password are too long for RADIUS, or not in the node's character set",
                remedy="set dirfactorCharacterSet of the node to what the other server expects",
            ) from error
        mine: list[Pair] = [(Attribute.USER_NAME, name), (Attribute.USER_PASSWORD, hidden)]
        if passed.state is not None:
            mine.append((Attribute.STATE, passed.state))
        mark = (Attribute.PROXY_STATE, self._entropy.octets(_MARK_OCTETS))
        return Packet(Code.ACCESS_REQUEST, self._entropy.below(256), authenticator, (*mine, *passed.attributes, mark))
