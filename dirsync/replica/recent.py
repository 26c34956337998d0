"""The values that were asked for last."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Remembers at most `limit` values and forgets the one that has not been asked for the longest.

    Args:
        limit: how many, at least 1.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, if it is remembered."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def keep(self, key: K, value: V) -> V:
        """Remember the value, which is returned."""
        self._values[key] = value
        if len(self._values) > self._limit:
            self._values.popitem(last=False)
        return value
