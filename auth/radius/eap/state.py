"""The State of an EAP dialogue: it brings back what we would otherwise have to keep.

Before anything was typed there is nothing to protect, and everybody may ask: so a dialogue that has come no further
than the name is a sealed note that its client keeps, and not a row of ours. It can be forged by nobody but the client,
and whoever has one may do what a login by PAP may: offer one password. Later ones have the service's own State in
them, which is random, stored and good for one answer.
"""

import hashlib
import hmac

from auth.radius.node import NodeDoor
from schema.secret import Secret

_FIRST, _NEXT = b"eap.first.%02x.%s.", b"eap.next.%02x."
_NONCE_OCTETS = 8


def first_state(node: NodeDoor, name: bytes, identifier: int, nonce: bytes) -> bytes:
    """The State of a dialogue in which only the name is known.

    Args:
        node: whose shared secret seals it.
        name: the User-Name, which every request of the dialogue repeats (RFC 3579 section 2.1).
        identifier: of the EAP request that goes with it.
        nonce: 8 octets or more that tell dialogues apart, e.g. the Request Authenticator.
    """
    head = _FIRST % (identifier, nonce[:_NONCE_OCTETS].hex().encode())
    parts = (b"dirfactor EAP", node.name.encode(), name, head)
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return head + hmac.digest(node.secret, framed, hashlib.sha256).hex().encode()


def is_first_state(state: bytes, node: NodeDoor, name: bytes, identifier: int) -> bool:
    """Whether we gave this State to this node for this name, with an EAP request of this identifier."""
    try:
        nonce = bytes.fromhex(state.split(b".")[3].decode("ascii"))
    except (IndexError, ValueError):
        return False
    return hmac.compare_digest(first_state(node, name, identifier, nonce), state)


def next_state(state: Secret, identifier: int) -> bytes:
    """The State of a dialogue that the service has a challenge for."""
    return _NEXT % identifier + state.octets


def service_state(state: bytes, identifier: int) -> Secret | None:
    """The service's State in one that went with an EAP request of this identifier; None when there is none."""
    head = _NEXT % identifier
    return Secret(state[len(head) :].decode("ascii", "replace")) if state.startswith(head) else None
