"""Several sockets at one place, and the kernel's choice among them: all that one address sends goes to one socket.

By itself the kernel chooses by address and port (SO_REUSEPORT). A client that repeats a request from another port would
be heard by another worker, to which it is no repeat: two texts for one login. So a small program, in the
kernel's own language for it (classic BPF), chooses by the address alone.
"""

import ctypes
import socket
import struct
from collections.abc import Sequence

from schema.errors import Fault

_SO_ATTACH_REUSEPORT_CBPF = 51
_IP_HEADER = 0xFFF00000  # SKF_NET_OFF: offsets from here on count from the IP header
_KNUTH = 2654435761  # spreads neighbouring addresses: The Art of Computer Programming, volume 3, section 6.4

# opcodes of linux/bpf_common.h
_LOAD_WORD, _LOAD_OCTET = 0x20, 0x30
_SHIFT_RIGHT, _MULTIPLY, _MODULO, _XOR_X = 0x74, 0x24, 0x94, 0xAC
_JUMP_IF_EQUAL, _JUMP = 0x15, 0x05
_TO_X, _RETURN = 0x07, 0x16

_IPV4_SOURCE, _IPV6_SOURCE = _IP_HEADER + 12, _IP_HEADER + 8  # RFC 791 section 3.1, RFC 8200 section 3


def steer(sockets: Sequence[socket.socket]) -> None:
    """Have the kernel choose among sockets with SO_REUSEPORT at one place by the sender's address alone.

    Args:
        sockets: in the order in which they were bound (datagrams) or began to listen (connections).

    Raises:
        Fault: the kernel does not.
    """
    program = _by_address(len(sockets))
    steps = b"".join(struct.pack("=HBBI", *step) for step in program)
    held = ctypes.create_string_buffer(steps, len(steps))
    described = struct.pack("HP", len(program), ctypes.addressof(held))
    try:
        sockets[0].setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, described)
    except OSError as error:
        raise Fault(
            f"the kernel does not share out what comes among workers: {error.strerror}",
            remedy="set workers = 1 in [service]",
        ) from error


def _by_address(sockets: int) -> list[tuple[int, int, int, int]]:
    """Steps as (opcode, how many to leave out if true, if false, operand)."""
    words = [_IPV6_SOURCE + 4 * number for number in range(4)]
    return [
        (_LOAD_OCTET, 0, 0, _IP_HEADER),
        (_SHIFT_RIGHT, 0, 0, 4),  # the version
        (_JUMP_IF_EQUAL, 2, 0, 6),
        (_LOAD_WORD, 0, 0, _IPV4_SOURCE),
        (_JUMP, 0, 0, 10),
        (_LOAD_WORD, 0, 0, words[0]),
        *(step for word in words[1:] for step in ((_TO_X, 0, 0, 0), (_LOAD_WORD, 0, 0, word), (_XOR_X, 0, 0, 0))),
        (_MULTIPLY, 0, 0, _KNUTH),
        (_SHIFT_RIGHT, 0, 0, 16),
        (_MODULO, 0, 0, sockets),
        (_RETURN, 0, 0, 0),
    ]
