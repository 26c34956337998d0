"""What becomes of a valid packet in the hands of a careless or hostile client."""

import random
from collections.abc import Callable, Iterator, Sequence

Mutation = Callable[[bytearray, random.Random], None]
_ODD = (0, 1, 2, 3, 19, 20, 79, 80, 127, 128, 253, 254, 255)
_LARGEST = 4200


def mutated(seeds: Sequence[bytes], draw: random.Random) -> Iterator[bytes]:
    """Mutations without end: one to three of a seed, often with the Length put right, so that the inside is reached."""
    while True:
        datagram = bytearray(seeds[int(draw.random() * len(seeds))])
        for _ in range(1 + int(draw.random() * 3)):
            _MUTATIONS[int(draw.random() * len(_MUTATIONS))](datagram, draw)
            if not datagram:
                break
        del datagram[_LARGEST:]
        if len(datagram) >= 4 and draw.random() < 0.7:
            datagram[2:4] = len(datagram).to_bytes(2, "big")
        yield bytes(datagram)


def _place(datagram: bytearray, draw: random.Random) -> int:
    return int(draw.random() * len(datagram))


def _starts(datagram: bytearray) -> list[int]:
    """Where the attributes begin, as far as they can be followed."""
    found, at = [], 20
    while at + 1 < len(datagram) and datagram[at + 1] >= 2:
        found.append(at)
        at += datagram[at + 1]
    return found


def _flip(datagram: bytearray, draw: random.Random) -> None:
    datagram[_place(datagram, draw)] ^= 1 << int(draw.random() * 8)


def _set(datagram: bytearray, draw: random.Random) -> None:
    datagram[_place(datagram, draw)] = _ODD[int(draw.random() * len(_ODD))]


def _cut(datagram: bytearray, draw: random.Random) -> None:
    del datagram[_place(datagram, draw) :]


def _insert(datagram: bytearray, draw: random.Random) -> None:
    at = _place(datagram, draw)
    datagram[at:at] = draw.randbytes(1 + int(draw.random() * 40))


def _remove(datagram: bytearray, draw: random.Random) -> None:
    at = _place(datagram, draw)
    del datagram[at : at + 1 + int(draw.random() * 20)]


def _pad(datagram: bytearray, draw: random.Random) -> None:
    datagram += draw.randbytes(int(draw.random() * 30))


def _length(datagram: bytearray, draw: random.Random) -> None:
    if len(datagram) >= 4:
        datagram[2:4] = int(draw.random() * _LARGEST).to_bytes(2, "big")


def _attribute_length(datagram: bytearray, draw: random.Random) -> None:
    starts = _starts(datagram)
    if starts:
        datagram[starts[int(draw.random() * len(starts))] + 1] = _ODD[int(draw.random() * len(_ODD))]


def _attribute_number(datagram: bytearray, draw: random.Random) -> None:
    starts = _starts(datagram)
    if starts:
        datagram[starts[int(draw.random() * len(starts))]] = int(draw.random() * 256)


def _repeat(datagram: bytearray, draw: random.Random) -> None:
    starts = _starts(datagram)
    if starts:
        at = starts[int(draw.random() * len(starts))]
        datagram += datagram[at : at + datagram[at + 1]] * (1 + int(draw.random() * 3))


def _drop(datagram: bytearray, draw: random.Random) -> None:
    starts = _starts(datagram)
    if starts:
        at = starts[int(draw.random() * len(starts))]
        del datagram[at : at + datagram[at + 1]]


def _append(datagram: bytearray, draw: random.Random) -> None:
    value = draw.randbytes(int(draw.random() * 60))
    datagram += bytes((int(draw.random() * 256), 2 + len(value))) + value


def _many(datagram: bytearray, draw: random.Random) -> None:
    datagram += bytes((int(draw.random() * 256), 2)) * int(draw.random() * 220)


def _noise(datagram: bytearray, draw: random.Random) -> None:
    datagram[:] = draw.randbytes(int(draw.random() * 120))


_MUTATIONS: tuple[Mutation, ...] = (
    *(_flip, _flip, _set, _set, _cut, _insert, _remove, _pad, _length),
    *(
        _attribute_length,
        _attribute_length,
        _attribute_number,
        _attribute_number,
        _repeat,
        _drop,
        _append,
        _many,
        _noise,
    ),
)
