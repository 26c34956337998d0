"""One login, one text: first steps that are repeats of each other share one outcome.

Some clients repeat a request from a new port with a new authenticator, so that RFC 5080's duplicate detection does
not see a repeat. What tells a repeat is the person, the node, what was typed, and the client's own session marks.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from auth.request import Challenged, LoginRequest, Outcome
from auth.state import state_key
from schema.parse import fold

_LARGEST = 100_000


@dataclass(slots=True)
class _Running:
    task: "asyncio.Task[Outcome]"
    correlation: str
    basis: object
    until: float = float("inf")


@dataclass(slots=True)
class Coalescer:
    """The first steps that are running, or whose challenge is still unanswered.

    Args:
        key: random octets; typed passwords are only remembered as an HMAC under it.
        monotonic: seconds that never run backwards.
    """

    key: bytes = field(repr=False)
    monotonic: Callable[[], float]
    _running: dict[bytes, _Running] = field(default_factory=dict)
    _by_state: dict[bytes, bytes] = field(default_factory=dict)

    async def run(
        self, request: LoginRequest, seconds: int, login: Callable[[], Awaitable[Outcome]], basis: object = None
    ) -> tuple[Outcome, str]:
        """The outcome of `login`, or of an equal first step within `seconds`; and the correlation of whoever ran it.

        Args:
            request: the first step.
            seconds: for how long a challenge answers equal first steps as well.
            login: runs the first step; called at most once.
            basis: what the directory says of the person; first steps are equal only while it is, so that an edit takes
                effect at once.
        """
        same = self._same(request)
        known = self._running.get(same)
        if known is not None and self.monotonic() < known.until and known.basis == basis:
            return await asyncio.shield(known.task), known.correlation
        self._sweep()
        running = _Running(asyncio.ensure_future(login()), request.origin.correlation, basis)
        self._running[same] = running
        try:
            outcome = await asyncio.shield(running.task)
        finally:
            self._settle(same, running, seconds)
        return outcome, request.origin.correlation

    def answered(self, state: bytes) -> None:
        """A challenge was answered: a further first step is a login of its own. `state` is `state_key(...)`."""
        same = self._by_state.pop(state, None)
        if same is not None:
            self._running.pop(same, None)

    def _settle(self, same: bytes, running: _Running, seconds: int) -> None:
        task = running.task
        if not task.done():
            return
        outcome = None if task.cancelled() or task.exception() else task.result()
        if self._running.get(same) is not running:
            return
        if isinstance(outcome, Challenged) and seconds:
            running.until = self.monotonic() + seconds
            self._by_state[state_key(outcome.state)] = same
        else:
            del self._running[same]

    def _same(self, request: LoginRequest) -> bytes:
        """What two requests must have in common, each part with its length in front."""
        parts = (
            request.origin.node,
            fold(request.user),
            request.origin.caller,
            request.password.text if request.password is not None else "\0absent",
            request.passcode.text if request.passcode is not None else "\0absent",
        )
        framed = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
        return hmac.digest(self.key, framed, hashlib.sha256)

    def _sweep(self) -> None:
        """Forget what is over; all of it when there is too much, which costs at most a second text."""
        now = self.monotonic()
        over = [same for same, running in self._running.items() if running.until < now]
        if len(over) * 2 > len(self._running) or len(self._running) > _LARGEST:
            for same in over:
                del self._running[same]
            self._by_state = {state: same for state, same in self._by_state.items() if same in self._running}
