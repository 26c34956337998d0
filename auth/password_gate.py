"""Asks directories about passwords from the event loop: few at a time, none for long, no queue for a dead one."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from dirsync.password import PasswordCheck, PasswordVerdict
from schema.secret import Secret


@dataclass(slots=True)
class PasswordGate:
    """One directory's password check for coroutines.

    A directory that hangs must not take down logons that need no password: threads are ours alone, their number is
    bounded, and while the directory gave no answer the last time nobody waits for one of them to become free.

    Args:
        check: asks the directory, blocking.
        at_once: how many questions may be under way.
        deadline_seconds: how long one login waits at most, queue included.
    """

    check: PasswordCheck
    at_once: int
    deadline_seconds: float
    _free: asyncio.Semaphore = field(init=False)
    _threads: ThreadPoolExecutor = field(init=False)
    _failing: bool = False

    def __post_init__(self) -> None:
        self._free = asyncio.Semaphore(self.at_once)
        self._threads = ThreadPoolExecutor(self.at_once, thread_name_prefix="password")

    async def ask(self, dn: str, password: Secret) -> PasswordVerdict:
        """What the directory says to the password; UNAVAILABLE when it says nothing in time. Asked once."""
        if self._failing and self._free.locked():
            return PasswordVerdict.UNAVAILABLE
        try:
            async with asyncio.timeout(self.deadline_seconds):
                verdict = await self._ask(dn, password)
        except TimeoutError:
            verdict = PasswordVerdict.UNAVAILABLE
        self._failing = verdict is PasswordVerdict.UNAVAILABLE
        return verdict

    def close(self) -> None:
        """Ask nothing more. Questions under way end by their own time limits."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, dn: str, password: Secret) -> PasswordVerdict:
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        asked = self._threads.submit(self.check.check, dn, password.text)

        def free(_: "Future[PasswordVerdict]") -> None:
            # the thread is busy until here, whether or not somebody still waits for what it says
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._free.release)

        asked.add_done_callback(free)
        return await asyncio.shield(asyncio.wrap_future(asked))


@dataclass(frozen=True, slots=True)
class PasswordGates:
    """The password checks of all directories: one that hangs keeps only its own people waiting.

    Attributes:
        gates: name of each directory -> its gate.
    """

    gates: Mapping[str, PasswordGate]

    async def ask(self, directory: str, dn: str, password: Secret) -> PasswordVerdict:
        """What a directory says to the password of one of its entries; UNAVAILABLE when there is no such directory."""
        gate = self.gates.get(directory)
        return PasswordVerdict.UNAVAILABLE if gate is None else await gate.ask(dn, password)

    def close(self) -> None:
        """Ask nothing more."""
        for gate in self.gates.values():
            gate.close()
