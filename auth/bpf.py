"""Programs that the kernel runs for what comes to a socket, in its own language for that (classic BPF).

The offsets that they load from count from the IP header.
"""

import ctypes
import socket
import struct
from collections.abc import Sequence

Step = tuple[int, int, int, int]
"""Opcode, how many steps to leave out if it is true, if it is false, operand."""

# opcodes of linux/bpf_common.h
LOAD_WORD, LOAD_OCTET = 0x20, 0x30
SHIFT_RIGHT, MULTIPLY, MODULO, XOR_X = 0x74, 0x24, 0x94, 0xAC
JUMP_IF_EQUAL, JUMP = 0x15, 0x05
TO_X, RETURN = 0x07, 0x16
RETURN_VALUE = 0x06

IP_HEADER = 0xFFF00000  # SKF_NET_OFF: offsets from here on count from the IP header
IPV4_SOURCE = IP_HEADER + 12  # RFC 791 section 3.1
IPV6_SOURCE = tuple(IP_HEADER + 8 + 4 * word for word in range(4))  # RFC 8200 section 3

VERSION: tuple[Step, ...] = ((LOAD_OCTET, 0, 0, IP_HEADER), (SHIFT_RIGHT, 0, 0, 4))
"""Steps after which the version of IP is there to be compared."""


def attach(program: Sequence[Step], place: socket.socket, option: int) -> None:
    """Have the kernel run a program from now on, instead of the one before.

    Args:
        program: its steps.
        place: the socket.
        option: of SOL_SOCKET, which says what the program decides.

    Raises:
        OSError: the kernel does not.
    """
    steps = b"".join(struct.pack("=HBBI", *step) for step in program)
    held = ctypes.create_string_buffer(steps, len(steps))
    place.setsockopt(socket.SOL_SOCKET, option, struct.pack("HP", len(program), ctypes.addressof(held)))
