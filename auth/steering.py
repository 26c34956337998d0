"""Several sockets at one place, and the kernel's choice among them: all that one address sends goes to one socket.

By itself the kernel chooses by address and port (SO_REUSEPORT). A client that repeats a request from another port would
be heard by another worker, to which it is no repeat: two texts for one login. So a small program (`auth.bpf`) chooses
by the address alone.
"""

import socket
from collections.abc import Sequence

from auth.bpf import (
    IPV4_SOURCE,
    IPV6_SOURCE,
    JUMP,
    JUMP_IF_EQUAL,
    LOAD_WORD,
    MODULO,
    MULTIPLY,
    RETURN,
    SHIFT_RIGHT,
    TO_X,
    VERSION,
    XOR_X,
    Step,
    attach,
)
from schema.errors import Fault

_SO_ATTACH_REUSEPORT_CBPF = 51
_KNUTH = 2654435761  # spreads neighbouring addresses: The Art of Computer Programming, volume 3, section 6.4


def steer(sockets: Sequence[socket.socket]) -> None:
    """Have the kernel choose among sockets with SO_REUSEPORT at one place by the sender's address alone.

    Args:
        sockets: in the order in which they were bound (datagrams) or began to listen (connections).

    Raises:
        Fault: the kernel does not.
    """
    try:
        attach(_by_address(len(sockets)), sockets[0], _SO_ATTACH_REUSEPORT_CBPF)
    except OSError as error:
        raise Fault(
            f"the kernel does not share out what comes among workers: {error.strerror}",
            remedy="set workers = 1 in [service]",
        ) from error


def _by_address(sockets: int) -> list[Step]:
    first, *others = IPV6_SOURCE
    return [
        *VERSION,
        (JUMP_IF_EQUAL, 2, 0, 6),
        (LOAD_WORD, 0, 0, IPV4_SOURCE),
        (JUMP, 0, 0, 10),
        (LOAD_WORD, 0, 0, first),
        *(step for word in others for step in ((TO_X, 0, 0, 0), (LOAD_WORD, 0, 0, word), (XOR_X, 0, 0, 0))),
        (MULTIPLY, 0, 0, _KNUTH),
        (SHIFT_RIGHT, 0, 0, 16),
        (MODULO, 0, 0, sockets),
        (RETURN, 0, 0, 0),
    ]
