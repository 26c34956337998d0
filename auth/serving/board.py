"""What the workers of a host tell each other, in memory that all of them have: each writes its place, all read all."""

import mmap
import struct
import zlib
from typing import Final

_HEAD: Final = struct.Struct("=II")  # length and checksum: whoever reads while it is written sees that they differ
_LOOKS: Final = 5


class Board:
    """Made before the workers are, so that it outlives each of them.

    Args:
        places: how many write.
        octets: how much each may write.
    """

    def __init__(self, places: int, octets: int = 1 << 18) -> None:
        self._octets = octets
        self._memory = mmap.mmap(-1, places * octets)

    def post(self, place: int, message: bytes) -> bool:
        """Put a message in the place of the one before; whether it fits. Only one process may write to a place."""
        if len(message) > self._octets - _HEAD.size:
            return False
        start = place * self._octets + _HEAD.size
        self._memory[start : start + len(message)] = message
        _HEAD.pack_into(self._memory, place * self._octets, len(message), zlib.crc32(message))
        return True

    def posted(self, place: int) -> bytes:
        """The last whole message; nothing where there is none, or only the half that a dying worker has left."""
        start = place * self._octets
        for _ in range(_LOOKS):
            length, checksum = _HEAD.unpack_from(self._memory, start)
            message = self._memory[start + _HEAD.size : start + _HEAD.size + min(length, self._octets)]
            if length and len(message) == length and zlib.crc32(message) == checksum:
                return message
        return b""
