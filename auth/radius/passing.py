"""What of a packet goes on to another server, and what comes back from it: pure."""

from auth.forwarding import Denied, Granted, Pairs, Verdict, Wanted
from auth.radius.attributes import Attribute, Pair, integer
from auth.radius.packet import Code, MalformedPacket, Packet

_MICROSOFT = integer(311)
_LONGEST_MESSAGE = 200
_TUNNEL_PASSWORD = 69

_OURS = frozenset(
    {
        Attribute.USER_NAME,
        Attribute.USER_PASSWORD,
        Attribute.CHAP_PASSWORD,
        Attribute.CHAP_CHALLENGE,
        Attribute.STATE,
        Attribute.EAP_MESSAGE,
        Attribute.MESSAGE_AUTHENTICATOR,
    }
)
"""Of a request: what is made anew for the other server, or proves by a protocol that it is not asked by."""

_THEIRS = frozenset(
    {
        Attribute.STATE,
        Attribute.PROXY_STATE,
        Attribute.EAP_MESSAGE,
        Attribute.MESSAGE_AUTHENTICATOR,
        _TUNNEL_PASSWORD,
    }
)
"""Of an accept: what is between the other server and us, or hidden with what only these two know (RFC 2868)."""


def passed_on(packet: Packet) -> Pairs:
    """What the other server gets of a request as it is, Proxy-State among it (RFC 2865 section 2.3)."""
    return tuple(pair for pair in packet.attributes if pair[0] not in _OURS and not _of_microsoft(pair))


def verdict(response: Packet) -> Verdict:
    """What a response says, which was proven before.

    Raises:
        MalformedPacket: it is a challenge without a State, or with several, which nobody could answer.
    """
    match response.code:
        case Code.ACCESS_ACCEPT:
            kept = (pair for pair in response.attributes if pair[0] not in _THEIRS and not _of_microsoft(pair))
            return Granted(tuple(kept))
        case Code.ACCESS_CHALLENGE:
            state = response.single(Attribute.STATE)
            if not state or response.values(Attribute.EAP_MESSAGE):
                raise MalformedPacket("an Access-Challenge that PAP cannot answer")
            return Wanted(state, _line(response), _seconds(response))
        case _:
            return Denied()


def room_for_state(attributes: Pairs) -> bool:
    """Whether one Proxy-State more is sensible: who has passed through so many servers is going round in circles."""
    return sum(number == Attribute.PROXY_STATE for number, _ in attributes) < _MOST_PROXIES


_MOST_PROXIES = 8


def _line(response: Packet) -> str:
    text = b"".join(response.values(Attribute.REPLY_MESSAGE)).decode("utf-8", "replace")
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split()).encode()[:_LONGEST_MESSAGE].decode(errors="ignore")


def _seconds(response: Packet) -> int | None:
    values = response.values(Attribute.SESSION_TIMEOUT)
    return int.from_bytes(values[0], "big") if values and len(values[0]) == len(_MICROSOFT) else None


def _of_microsoft(pair: Pair) -> bool:
    """Responses of MS-CHAP, and keys that are hidden with a secret and an authenticator (RFC 2548)."""
    return pair[0] == Attribute.VENDOR_SPECIFIC and pair[1][: len(_MICROSOFT)] == _MICROSOFT
