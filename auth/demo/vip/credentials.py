"""One credential of the VIP simulator: real OATH codes, texted codes and temporary ones, counted, locked, used once."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

import pyotp

from auth.demo.vip.misbehaviour import Misbehaviour
from schema.secret import Secret

STATES = frozenset({"NEW", "ENABLED", "DISABLED", "LOCKED", "INACTIVE"})
TYPES = frozenset({"", "SMS", "Voice"})
LIFE = timedelta(days=1000)
_STEP = 30
_LOOK_AHEAD = 1
_SYNCHRONISATION = 20
_MOST_FAILURES = 10
_TEXTED_LIFE = timedelta(minutes=5)


class Finding(StrEnum):
    """What a code is; the value is the service's reason code."""

    RIGHT = "0000"
    DRIFTED = "4923"
    WRONG = "49B5"


@dataclass(slots=True)
class Credential:
    """One credential as the service keeps it.

    Attributes:
        id: its id; of a telephone, its number.
        seed: the OATH secret, base32.
        status: one of `STATES`.
        type: one of `TYPES`; a telephone shows no codes of its own.
        user: the VIP user whom it is bound to; empty for nobody.
        temporary: a temporary security code that stands in for its codes; None for none.
        expires: when it ends; None for long after everything else.
        misbehaviour: what the service does wrong when it is asked about this credential; None for nothing.
        failures: wrong codes since the last right one.
        last_step: the time step of the last code that was taken; that code and older ones are used up.
        offset: how many steps its clock is known to be ahead.
        texted: the code that was sent to it and when, until it is used.
    """

    id: str
    seed: Secret
    status: str
    type: str = ""
    user: str = ""
    temporary: Secret | None = None
    expires: datetime | None = None
    misbehaviour: Misbehaviour | None = None
    failures: int = 0
    last_step: int = -1
    offset: int = 0
    texted: tuple[Secret, datetime] | None = None

    @classmethod
    def read(cls, entry: object) -> Self:
        """A credential as the JSON file has it. Raises ValueError."""
        match entry:
            case {"id": str(id_), "seed": str(seed), "status": str(status), **rest}:
                given = {name: rest.pop(name, "") for name in ("type", "user", "temporary", "expires", "misbehave")}
                texts = {name: text for name, text in given.items() if isinstance(text, str)}
                if rest or texts.keys() != given.keys() or status not in STATES or texts["type"] not in TYPES:
                    msg = f"credential {id_}: unknown field, status or type"
                    raise ValueError(msg)
                pyotp.TOTP(seed).at(0)  # raises for what is no base32, now rather than at the first code
                return cls(
                    id_,
                    Secret(seed),
                    status,
                    type=texts["type"],
                    user=texts["user"],
                    temporary=Secret(texts["temporary"]) if texts["temporary"] else None,
                    expires=datetime.fromisoformat(texts["expires"]) if texts["expires"] else None,
                    misbehaviour=Misbehaviour.read(texts["misbehave"]) if texts["misbehave"] else None,
                )
            case _:
                msg = 'a credential is {"id": text, "seed": base32, "status": state}'
                raise ValueError(msg)

    def has_ended(self, now: datetime) -> bool:
        """Whether it is past its last day."""
        return self.expires is not None and self.expires <= now

    def is_temporary(self, code: Secret) -> bool:
        """Whether this is its temporary security code."""
        return self.temporary is not None and self.temporary.matches(code)

    def judge(self, code: Secret, now: datetime) -> Finding:
        """What a code is; a right one and its elders are used up, and the count of wrong ones begins anew."""
        if self.is_temporary(code):
            return Finding.RIGHT
        if self.type:
            return self._judge_texted(code, now)
        step = self._step_of(code, now)
        if step is None:
            return Finding.WRONG
        if abs(step - self._present(now)) > _LOOK_AHEAD:
            return Finding.DRIFTED
        self.take(step)
        return Finding.RIGHT

    def synchronise(self, codes: Sequence[Secret], now: datetime) -> Finding:
        """What codes in a row are, wherever in the window; right ones set its clock."""
        if self.type:
            return Finding.WRONG
        step = self._step_of(codes[0], now)
        if step is None or not self._follow(codes[1:], step):
            return Finding.WRONG
        last = step + len(codes) - 1
        self.take(last)
        self.offset += last - self._present(now)
        return Finding.RIGHT

    def holds(self, code: Secret, now: datetime) -> Finding:
        """What one code is, without using it up."""
        step = self._step_of(code, now)
        if step is None:
            return Finding.WRONG
        return Finding.RIGHT if abs(step - self._present(now)) <= _LOOK_AHEAD else Finding.DRIFTED

    def take(self, step: int) -> None:
        """A right code: it and its elders are used up, and the count of wrong ones begins anew."""
        self.last_step = step
        self.failures = 0

    def miss(self) -> None:
        """A wrong code: the tenth in a row locks."""
        self.failures += 1
        if self.failures >= _MOST_FAILURES:
            self.status = "LOCKED"

    def _judge_texted(self, code: Secret, now: datetime) -> Finding:
        if self.texted is None or now - self.texted[1] > _TEXTED_LIFE or not self.texted[0].matches(code):
            return Finding.WRONG
        self.texted = None
        self.failures = 0
        return Finding.RIGHT

    def _present(self, now: datetime) -> int:
        return int(now.timestamp()) // _STEP + self.offset

    def _step_of(self, code: Secret, now: datetime) -> int | None:
        """The time step whose code this is, unused and in the window (RFC 6238 section 5.2), the nearest; else None."""
        current = self._present(now)
        near = sorted(range(current - _SYNCHRONISATION, current + _SYNCHRONISATION + 1), key=lambda s: abs(s - current))
        return next((step for step in near if step > self.last_step and self._is_code(code, step)), None)

    def _follow(self, codes: Sequence[Secret], step: int) -> bool:
        return all(self._is_code(code, step + ahead) for ahead, code in enumerate(codes, start=1))

    def _is_code(self, code: Secret, step: int) -> bool:
        return hmac.compare_digest(pyotp.TOTP(self.seed.text).at(step * _STEP).encode(), code.octets)
