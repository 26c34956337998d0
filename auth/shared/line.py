"""The line to the server: what is asked within a turn goes out together, and every question has its deadline."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from auth.shared.scripts import Script
from auth.state import StateUnavailable

Command = tuple[bytes | str | int, ...]
Exchange = Callable[[Sequence[Command]], Awaitable[list[Any]]]
"""Sends commands in one piece, and returns the answers in their order, those that are errors as exceptions."""
_MOST_ON_THE_WAY = 4


def scripted(script: Script, keys: Sequence[str], *values: bytes | str | int) -> Command:
    """The command that runs a script which the server should know already."""
    return ("EVALSHA", script.digest, len(keys), *keys, *values)


class Unanswered(StateUnavailable):
    """There is no answer in time."""


def unanswered(seconds: float) -> Unanswered:
    """What is told to whoever has waited for so long."""
    return Unanswered(
        f"the state store has not answered within {seconds:g} s",
        remedy="look at the server's load and at the network between",
    )


class Asked:
    """Commands of one verb, their answers when they have come, and whether they are on their way."""

    __slots__ = ("answers", "commands", "sent")

    def __init__(self, commands: Sequence[Command], answers: "asyncio.Future[list[Any]]") -> None:
        self.commands = commands
        self.answers = answers
        self.sent = False


class Line:
    """Gathers questions.

    While a few batches are on their way, what comes next waits and goes with the one after, so that batches grow with
    the load.

    Args:
        exchange: sends a batch. Raises StateUnavailable, and nobody knows then what of it was done.
        seconds: how long a question may take, waiting included.
    """

    def __init__(self, exchange: Exchange, seconds: float) -> None:
        self._exchange = exchange
        self._seconds = seconds
        self._waiting: list[Asked] = []
        self._on_the_way: set[asyncio.Task[None]] = set()
        self._called = False

    async def ask(self, *commands: Command) -> list[Any]:
        """The answers to commands, in their order; an error stands as an exception in the place of its answer.

        Raises:
            Unanswered: there is no answer in time; whether the commands were carried out is not known.
            StateUnavailable: there will be none, which is the same otherwise.
        """
        return await self.answers(self.put(*commands))

    def put(self, *commands: Command) -> Asked:
        """Have commands carried out, in the batch of whatever is asked next and before it, or in an earlier one."""
        loop = asyncio.get_running_loop()
        asked = Asked(commands, loop.create_future())
        self._waiting.append(asked)
        if not self._called:
            self._called = True
            loop.call_soon(self._send)
        return asked

    async def answers(self, asked: Asked) -> list[Any]:
        """The answers to what was put; see `ask`."""
        try:
            async with asyncio.timeout(self._seconds):
                return await asked.answers
        except TimeoutError:
            raise unanswered(self._seconds) from None

    async def aclose(self) -> None:
        """Break off what is on its way."""
        for task in self._on_the_way:
            task.cancel()
        await asyncio.gather(*self._on_the_way, return_exceptions=True)

    def _send(self) -> None:
        self._called = False
        if not self._waiting or len(self._on_the_way) >= _MOST_ON_THE_WAY:
            return
        # who has given up waiting must not have it carried out later
        batch = [asked for asked in self._waiting if not asked.answers.done()]
        self._waiting = []
        for asked in batch:
            asked.sent = True
        if batch:
            task = asyncio.get_running_loop().create_task(self._carry(batch))
            self._on_the_way.add(task)
            task.add_done_callback(self._arrived)

    def _arrived(self, task: "asyncio.Task[None]") -> None:
        self._on_the_way.discard(task)
        self._send()

    async def _carry(self, batch: Sequence[Asked]) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                answers = await self._exchange([command for asked in batch for command in asked.commands])
        except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
            fault = error if isinstance(error, StateUnavailable) else _broken_off(error)
            for asked in batch:
                if not asked.answers.done():
                    asked.answers.set_exception(fault)
                    asked.answers.exception()  # whoever put it may be gone
            return
        at = 0
        for asked in batch:
            if not asked.answers.done():
                asked.answers.set_result(answers[at : at + len(asked.commands)])
            at += len(asked.commands)


def _broken_off(error: Exception) -> StateUnavailable:
    return StateUnavailable(
        f"a question to the state store was broken off: {type(error).__name__}",
        remedy="look at the server's load and at the network between",
    )
