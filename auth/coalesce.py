"""One login, one text: first steps that are repeats of each other share one outcome.

Some clients repeat a request from a new port with a new authenticator, so that RFC 5080's duplicate detection does
not see a repeat. What tells a repeat is the person, the node, what was typed, and the client's own session marks.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field

from msgspec.structs import replace

from auth.chap.response import Shown
from auth.reason import Reason
from auth.request import Accepted, Challenged, LoginRequest, Origin, Outcome, Refused
from auth.state import state_key
from schema.parse import fold
from schema.secret import Secret

ACCEPT_SECONDS = 10
"""For how long a client that names its logins hears of an accept again: its reply may have been lost on the wire."""
_LARGEST = 100_000
_SWEPT_FROM = 1_000
_NOT_SHARED = Refused(Reason.CHALLENGE_UNKNOWN)


@dataclass(slots=True, eq=False)
class _Step:
    """A first step: running, or with an outcome that may be shared.

    `until` is the monotonic instant up to which that is, and `since` that from which on; a refusal never is. An accept
    is for `accept_seconds`. `authenticators` are those of the requests that have asked for it.
    """

    correlation: str
    basis: object
    accept_seconds: float
    authenticators: set[bytes]
    task: "asyncio.Task[Outcome] | None" = None
    since: float = float("inf")
    until: float = float("-inf")
    state: bytes = b""

    def is_over(self, now: float) -> bool:
        return self.task is None or (self.task.done() and self.until <= now)


@dataclass(slots=True)
class Coalescer:
    """The first steps that are running, or whose challenge is still unanswered.

    Args:
        key: random octets; typed passwords are only remembered as an HMAC under it.
        monotonic: seconds that never run backwards.
    """

    key: bytes = field(repr=False)
    monotonic: Callable[[], float]
    _steps: dict[Hashable, _Step] = field(default_factory=dict, init=False, repr=False)
    _by_state: dict[bytes, Hashable] = field(default_factory=dict, init=False, repr=False)
    _swept_at: int = field(default=_SWEPT_FROM, init=False, repr=False)

    async def run(
        self, request: LoginRequest, seconds: int, login: Callable[[], Awaitable[Outcome]], basis: object = None
    ) -> tuple[Outcome, str]:
        """The outcome of `login`, or of an equal first step within `seconds`; and the correlation of whoever ran it.

        A login that has begun is carried to its end, whoever stops waiting for it.

        An accept is shared only where the client itself says that it is the same login (`Origin.session`), and has made
        the request anew (`Origin.authenticator`), for ten seconds at most: its reply may have been lost. Otherwise
        somebody else who has seen password and code may be asking, or has seen the whole request and sends it again; a
        port or a calling station does not tell, for they may be the same for everybody.

        Args:
            request: the first step.
            seconds: for how long a challenge answers equal first steps as well, at most as long as it is good; 0 makes
                every first step a login of its own.
            login: runs the first step; called at most once.
            basis: what the directory says of the person; first steps are equal only while it is, so that an edit takes
                effect at once.
        """
        same: Hashable = self.same(request) if seconds > 0 else object()
        known = self._steps.get(same)
        if known is not None:
            now = self.monotonic()
            if known.task is not None and known.basis == basis and not known.is_over(now):
                is_ours = _is_asked_again(known, request.origin)
                outcome = _aged(await asyncio.shield(known.task), now - known.since)
                return outcome if is_ours or not isinstance(outcome, Accepted) else _NOT_SHARED, known.correlation
            self._by_state.pop(known.state, None)
        self._sweep()
        accept_seconds = min(seconds, ACCEPT_SECONDS) if request.origin.session else 0
        authenticators = {request.origin.authenticator}
        step = self._steps[same] = _Step(request.origin.correlation, basis, accept_seconds, authenticators)
        step.task = asyncio.ensure_future(self._perform(same, step, seconds, login))
        return await asyncio.shield(step.task), step.correlation

    def answered(self, state: bytes) -> None:
        """A challenge was answered: a further first step is a login of its own. `state` is `state_key(...)`."""
        self._steps.pop(self._by_state.pop(state, None), None)

    async def _perform(
        self, same: Hashable, step: _Step, seconds: int, login: Callable[[], Awaitable[Outcome]]
    ) -> Outcome:
        """The login; what becomes of its step is settled in the same turn of the loop in which it ends."""
        outcome = await login()
        if self._steps.get(same) is not step:
            return outcome
        lasts: float = 0
        if isinstance(outcome, Challenged):
            lasts = min(seconds, outcome.expires_in)
        elif isinstance(outcome, Accepted):
            lasts = step.accept_seconds
        if lasts <= 0:
            del self._steps[same]
            return outcome
        step.since = self.monotonic()
        step.until = step.since + lasts
        if isinstance(outcome, Challenged):
            step.state = state_key(outcome.state)
            self._by_state[step.state] = same
        return outcome

    def same(self, request: LoginRequest) -> bytes:
        """What two requests must have in common, each part marked as there and with its length in front."""
        parts = (
            request.origin.node,
            fold(request.user),
            request.origin.caller,
            request.origin.session,
            request.origin.session and request.origin.address,  # two clients may name their sessions alike
            _text(request.password),
            _text(request.passcode),
        )
        return hmac.digest(self.key, b"".join(map(_framed, parts)), hashlib.sha256)

    def _sweep(self) -> None:
        """Forget what is over, each time that twice as much has gathered as was left.

        When too much is left, all challenges are forgotten, which costs at most a second text each.
        """
        if len(self._steps) < self._swept_at:
            return
        now = self.monotonic() if len(self._steps) < _LARGEST else float("inf")
        self._steps = {same: step for same, step in self._steps.items() if not step.is_over(now)}
        self._by_state = {state: same for state, same in self._by_state.items() if same in self._steps}
        self._swept_at = max(_SWEPT_FROM, 2 * len(self._steps))


def _is_asked_again(step: _Step, origin: Origin) -> bool:
    """Whether the client says so itself, by a request that is no copy of an earlier one."""
    is_copy = bool(origin.authenticator) and origin.authenticator in step.authenticators
    step.authenticators.add(origin.authenticator)
    return bool(origin.session) and not is_copy


def _aged(outcome: Outcome, seconds: float) -> Outcome:
    """A challenge that has been open for so many seconds is good for so many less."""
    if not isinstance(outcome, Challenged) or seconds < 1:
        return outcome
    return replace(outcome, expires_in=max(1, outcome.expires_in - int(seconds)))


def _text(shown: Shown | None) -> str | None:
    if shown is None:
        return None
    if isinstance(shown, Secret):
        return shown.text
    return f"\0{shown.challenge.hex()} {shown.octets.hex()}"


def _framed(part: str | None) -> bytes:
    octets = b"" if part is None else b"\1" + part.encode(errors="surrogatepass")
    return len(octets).to_bytes(4, "big") + octets
