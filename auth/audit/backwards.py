"""Reads a file's lines from its end, block by block, so that the newest of a long file come at once."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

_BLOCK = 1 << 18


def lines_backwards(file: Path, worthwhile: Callable[[bytes], bool] = bool) -> Iterator[tuple[int, bytes]]:
    """The whole lines of a file with the place of their first octet, the last one first.

    What follows the last newline is no whole line yet, and is left out.

    Args:
        file: may be appended to meanwhile; what comes later is not seen.
        worthwhile: whether any line of these octets can be wanted; blocks for which it says no are passed over.

    Raises:
        OSError: the file cannot be read.
    """
    with file.open("rb") as opened:
        start = opened.seek(0, os.SEEK_END)
        rest: bytes | None = None  # the beginning of a line whose end is known, None before any newline
        while start > 0:
            length = min(_BLOCK, start)
            start -= length
            opened.seek(start)
            block = opened.read(length)
            first, newline, whole = (block if rest is None else block + rest).partition(b"\n")
            if not newline:
                rest = None if rest is None else first
                continue
            whole = whole if rest is not None else whole[: whole.rfind(b"\n") + 1]
            rest = first + b"\n"
            if worthwhile(whole):
                yield from _reversed(whole, start + len(first) + 1)
        if rest is not None and worthwhile(rest):
            yield 0, rest


def _reversed(octets: bytes, place: int) -> Iterator[tuple[int, bytes]]:
    end = len(octets)
    while end > 0:
        begin = octets.rfind(b"\n", 0, end - 1) + 1
        yield place + begin, octets[begin:end]
        end = begin
