"""Coroutines called as functions, so that a test reads as a list of what happens."""

import asyncio
import inspect
from contextlib import closing
from datetime import UTC, datetime

from auth.state import Store, Wanted

ANY_TIME = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def at_once(verb):
    """What a verb of a store that waits for nobody returns, within the turn of the event loop that asks."""
    try:
        verb.send(None)
    except StopIteration as ended:
        return ended.value
    raise AssertionError("it waits")


def settling(store):
    """What runs verbs where there is no event loop: each has one of its own, until what it wrote in the store is safe.

    The turn is over then, for a loop does all that is ready before it ends: the next verb looks anew what others wrote.
    """

    def run(verb):
        async def settled():
            try:
                return await verb
            finally:
                await store.settled()

        with closing(asyncio.new_event_loop()) as loop:
            return loop.run_until_complete(settled())

    return run


class Plain:
    """Something whose methods are called as functions.

    `run` runs a coroutine to its end: what `settling` returns, `at_once`, or the `run` of an `asyncio.Runner`.
    """

    def __init__(self, inner, run) -> None:
        self.inner = inner
        self._run = run

    def __getattr__(self, name):
        found = getattr(self.inner, name)
        if not inspect.iscoroutinefunction(found):
            return found
        return lambda *values: self._run(found(*values))


class PlainStore(Plain):
    """A state store, and the parts of a recall by themselves."""

    inner: Store

    def __init__(self, inner, run=None) -> None:
        super().__init__(inner, run or settling(inner))

    def strike(self, user, at):
        return self.struck(user, at).earlier

    def struck(self, user, at, guesses=()):
        return self._run(self.inner.strike(user, at, guesses))

    def failures(self, user):
        return self.recall(Wanted(user=user), ANY_TIME).failures

    def mark(self, key):
        return self.recall(Wanted(marks=(key,)), ANY_TIME).marks[0]

    def left(self, key, now):
        return self.recall(Wanted(stocks=(key,)), now).stocks[0]

    def counted(self, limit, now):
        return self.recall(Wanted(counted=(limit,)), now).counted[0]

    def kept(self, key):
        return self.recall(Wanted(kept=(key,)), ANY_TIME).kept[0]


def in_turn(store):
    """A store that is asked in an event loop, all within one turn: nothing of it is safe before it is settled."""
    return PlainStore(store, at_once)
