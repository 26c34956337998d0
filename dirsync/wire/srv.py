"""SRV records (RFC 2782) as values, and the order in which to try what they name. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Record:
    """An SRV record (RFC 2782).

    Attributes:
        priority: the lowest is used first.
        weight: how large a share of the clients it gets among those of its priority.
        port: where it serves.
        host: its name, without the final dot.
    """

    priority: int
    weight: int
    port: int
    host: str


def ordered(records: Iterable[Record], below: Callable[[int], int]) -> tuple[Record, ...]:
    """The records in the order in which to try them: by priority, and drawn by weight within one (RFC 2782).

    Args:
        records: in any order.
        below: random integers.
    """
    result: list[Record] = []
    for _, group in groupby(sorted(records, key=_rank), key=lambda record: record.priority):
        left = list(group)
        while left:
            drawn = below(sum(record.weight for record in left) + 1)
            for record in left:
                drawn -= record.weight
                if drawn <= 0:
                    break
            result.append(record)
            left.remove(record)
    return tuple(result)


def _rank(record: Record) -> tuple[int, int, str, int]:
    # those without weight first, so that they have a small chance and not none (RFC 2782)
    return record.priority, record.weight, record.host, record.port
