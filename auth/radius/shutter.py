"""Keeps whoever floods a UDP socket from filling it: for a while the kernel discards all that they send.

What the service reads and discards has taken room in the socket's buffer until then, and where it comes faster than it
is read the requests of others find no room. So a small program (`auth.bpf`) looks at the sender's address before
anything is put there.
"""

import asyncio
import contextlib
import ipaddress
import socket
import struct
from collections.abc import Callable, Iterable

from auth.bpf import (
    IPV4_SOURCE,
    IPV6_SOURCE,
    JUMP,
    JUMP_IF_EQUAL,
    LOAD_WORD,
    RETURN_VALUE,
    VERSION,
    Step,
    attach,
)

ROUND_SECONDS = 1.0
"""For so long at most an address is not heard; who goes on is shut out again."""
MOST_SHUT_OUT = 128
"""Addresses at a time; the program compares one after the other, and further ones are read and discarded."""

_SO_ATTACH_FILTER, _SO_DETACH_FILTER, _SO_MEMINFO = 26, 27, 55  # asm-generic/socket.h
_MEMINFO = struct.Struct("=9I")  # SK_MEMINFO_VARS numbers; SK_MEMINFO_DROPS is the last (linux/sock_diag.h)
_ALL, _NOTHING = 0xFFFFFFFF, 0  # how much of a datagram is kept
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Shutter:
    """Shuts addresses out from a socket, in rounds: at the end of each all are heard again.

    Where the kernel takes no such program, nobody is shut out, and all is read as it was.

    Args:
        place: the bound UDP socket.
        discarded: called at the end of a round with how many datagrams the kernel has discarded in it.
    """

    def __init__(self, place: socket.socket, discarded: Callable[[int], None]) -> None:
        self._place = place
        self._discarded = discarded
        self._shut: set[_Address] = set()
        self._before = 0
        self._end: asyncio.TimerHandle | None = None

    def shut_out(self, address: str) -> None:
        """Let nothing from there in until the round ends."""
        source = ipaddress.ip_address(address)
        if source in self._shut or len(self._shut) >= MOST_SHUT_OUT:
            return
        if isinstance(source, ipaddress.IPv6Address) and source.scope_id:
            return  # on another link it is somebody else's, and the program cannot see which link it is
        try:
            attach(_all_but({*self._shut, source}), self._place, _SO_ATTACH_FILTER)
        except OSError:
            return
        self._shut.add(source)
        if self._end is None:
            self._before = self._drops()
            self._end = asyncio.get_running_loop().call_later(ROUND_SECONDS, self._open)

    def close(self) -> None:
        """Let go of the socket; whoever was shut out stays so."""
        if self._end is not None:
            self._end.cancel()

    def _open(self) -> None:
        self._end = None
        self._shut.clear()
        with contextlib.suppress(OSError):
            self._place.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
        self._discarded((self._drops() - self._before) % 2**32)

    def _drops(self) -> int:
        try:
            told = self._place.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
            return int(_MEMINFO.unpack(told)[-1])
        except (OSError, struct.error):  # a kernel before 4.12
            return self._before


def _all_but(shut_out: Iterable[_Address]) -> list[Step]:
    """Keeps datagrams but those from some addresses; IPv4 reaches a socket for both as IPv4."""
    old: list[Step] = [(LOAD_WORD, 0, 0, IPV4_SOURCE)]
    new: list[Step] = []
    for address in shut_out:
        if isinstance(address, ipaddress.IPv4Address):
            old += (JUMP_IF_EQUAL, 0, 1, int(address)), (RETURN_VALUE, 0, 0, _NOTHING)
            continue
        for number, offset in enumerate(IPV6_SOURCE):
            word = int.from_bytes(address.packed[4 * number : 4 * number + 4])
            # what differs goes on behind this address: two steps for each word that is left, and the return
            new += (LOAD_WORD, 0, 0, offset), (JUMP_IF_EQUAL, 0, 7 - 2 * number, word)
        new.append((RETURN_VALUE, 0, 0, _NOTHING))
    old.append((RETURN_VALUE, 0, 0, _ALL))
    new.append((RETURN_VALUE, 0, 0, _ALL))
    return [*VERSION, (JUMP_IF_EQUAL, 0, 1, 6), (JUMP, 0, 0, len(old)), *old, *new]
