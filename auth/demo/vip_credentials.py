"""The credentials of the VIP simulator: real OATH codes, counted, locked and used once."""

import hmac
import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyotp

from auth.demo.vip_misbehaviour import Misbehaviour
from schema.secret import Secret

STATES = frozenset({"NEW", "ENABLED", "DISABLED", "LOCKED", "INACTIVE"})
_STEP = 30
_LOOK_AHEAD = 1
_MOST_FAILURES = 10


@dataclass(slots=True)
class Credential:
    """One credential as the service keeps it.

    Attributes:
        id: its id.
        seed: the OATH secret, base32.
        status: one of `STATES`.
        misbehaviour: what the service does wrong when it is asked about this credential; None for nothing.
        failures: wrong codes since the last right one.
        last_step: the time step of the last code that was taken; that code and older ones are used up.
    """

    id: str
    seed: Secret
    status: str
    misbehaviour: Misbehaviour | None = None
    failures: int = 0
    last_step: int = -1

    def step_of(self, code: Secret, now: datetime) -> int | None:
        """The time step whose code this is, unused and within the look-ahead (RFC 6238 section 5.2); else None."""
        generator = pyotp.TOTP(self.seed.text)
        current = int(now.timestamp()) // _STEP
        found = None
        for step in range(current - _LOOK_AHEAD, current + _LOOK_AHEAD + 1):
            same = hmac.compare_digest(generator.at(step * _STEP).encode(), code.octets)
            if same and step > self.last_step:
                found = step
        return found

    def take(self, step: int) -> None:
        """A right code: it and its elders are used up, and the count of wrong ones begins anew."""
        self.last_step = step
        self.failures = 0

    def miss(self) -> None:
        """A wrong code: the tenth in a row locks."""
        self.failures += 1
        if self.failures >= _MOST_FAILURES:
            self.status = "LOCKED"


@dataclass(frozen=True, slots=True)
class Result:
    """A reason code, and the credential that it is about when there is exactly one.

    Attributes:
        code: reason code, four hexadecimal digits.
        credential: the credential whose code was right, that is described, or that was activated.
        unchanged: an activation found the credential already active.
    """

    code: str
    credential: Credential | None = None
    unchanged: bool = False


_NOT_ACTIVE = frozenset({"NEW", "INACTIVE"})
_BARRED = {"DISABLED": "4993", "LOCKED": "4994"}


class Registry:
    """All credentials of one account; may be used by several threads."""

    def __init__(self, credentials: Iterable[Credential]) -> None:
        self._credentials = {credential.id: credential for credential in credentials}
        self._lock = threading.Lock()

    @classmethod
    def load(cls, path: Path) -> "Registry":
        """The credentials in a JSON file: a list of `{"id", "seed", "status", "misbehave"?}`.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is no such list.
        """
        entries = json.loads(path.read_bytes())
        if not isinstance(entries, list):
            msg = "the credentials are a JSON list"
            raise ValueError(msg)  # noqa: TRY004 - one kind of error for whatever the file says wrong
        return cls(map(_credential, entries))

    def misbehaviour(self, ids: Sequence[str]) -> Misbehaviour | None:
        """What to do wrong about the first of these credentials that asks for it."""
        known = (self._credentials[each] for each in ids if each in self._credentials)
        return next((each.misbehaviour for each in known if each.misbehaviour is not None), None)

    def validate(self, ids: Sequence[str], code: Secret, now: datetime) -> Result:
        """Is it the code of one of them? A wrong code counts against each one that could have been meant."""
        with self._lock:
            asked = [self._credentials.get(each) for each in ids]
            active = [each for each in asked if each is not None and each.status not in _NOT_ACTIVE]
            if len(active) < len(asked):
                return Result("4E03")
            usable = [each for each in active if each.status not in _BARRED]
            if not usable:
                return Result(_BARRED[active[0].status])
            for credential in usable:
                step = credential.step_of(code, now)
                if step is not None:
                    credential.take(step)
                    return Result("0000", credential)
            for credential in usable:
                credential.miss()
            return Result("49B5")

    def describe(self, id_: str) -> Result:
        """The credential itself."""
        with self._lock:
            credential = self._credentials.get(id_)
            return Result("4E03") if credential is None else Result("0000", credential)

    def activate(self, id_: str, codes: Sequence[Secret], now: datetime) -> Result:
        """Take a credential into use; of two codes the second must be the next one."""
        with self._lock:
            credential = self._credentials.get(id_)
            if credential is None:
                return Result("4E03")
            if credential.status in _BARRED:
                return Result(_BARRED[credential.status])
            step = credential.last_step
            if codes:
                found = credential.step_of(codes[0], now)
                if found is None or not _follow(credential, codes[1:], found):
                    credential.miss()
                    return Result("49B5")
                step = found + len(codes) - 1
            credential.take(step)
            unchanged = credential.status == "ENABLED"
            credential.status = "ENABLED"
            return Result("0000", credential, unchanged=unchanged)


def _follow(credential: Credential, codes: Sequence[Secret], step: int) -> bool:
    generator = pyotp.TOTP(credential.seed.text)
    return all(
        hmac.compare_digest(generator.at((step + ahead) * _STEP).encode(), code.octets)
        for ahead, code in enumerate(codes, start=1)
    )


def _credential(entry: object) -> Credential:
    match entry:
        case {"id": str(id_), "seed": str(seed), "status": str(status), **rest}:
            misbehave = rest.pop("misbehave", None)
            if rest or status not in STATES or not (misbehave is None or isinstance(misbehave, str)):
                msg = f"credential {id_}: unknown field or status"
                raise ValueError(msg)
            pyotp.TOTP(seed).at(0)  # raises for what is no base32, now rather than at the first code
            return Credential(id_, Secret(seed), status, Misbehaviour.read(misbehave) if misbehave else None)
        case _:
            msg = 'a credential is {"id": text, "seed": base32, "status": state}'
            raise ValueError(msg)
