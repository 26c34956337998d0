"""The C library's allocator: the service's threads have one heap, and what was freed in it goes back to the system."""

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
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_ARENA_MAX, 1)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE_OCTETS)


def give_back_what_is_free() -> None:
    """Have pages of the heap in which nothing is left go back to the system (malloc_trim(3)); takes a millisecond.

    By itself the C library gives back the heap's end alone, and what a reload replaced leaves holes.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)
