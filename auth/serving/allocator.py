"""The C library's allocator: the service's threads do little at a time, and are not to have a heap each."""

import ctypes
from typing import Final

_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_LARGE_OCTETS: Final = 128 * 1024


def keep_one_heap() -> None:
    """Have all threads share one heap, and what is large go back to the system when it is freed (mallopt(3)).

    To be called before there are threads. Each of them would get a heap of its own otherwise, which becomes as large as
    what it once did; and one large block that was freed would have later ones taken from the heap. A C library without
    mallopt does neither, and is left alone.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return
    mallopt(_M_ARENA_MAX, 1)
    mallopt(_M_MMAP_THRESHOLD, _LARGE_OCTETS)
