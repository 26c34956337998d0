"""Judges PINs: whether one stands in front of what was typed, and whether a new one will do; keeps the new one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from auth.facts import PinShown
from auth.keys.ring import Ring
from auth.memorised.pin import PinVerdict, kept_key, make_kept, pin_verdict
from auth.memorised.pin_rules import UnfitPin, demand_another, demand_fit
from auth.memorised.pin_typed import Reading, first_right, readings, twice_the_same
from auth.state import Store
from dirsync.view import Person
from schema.entry import Policy
from schema.secret import Secret


@dataclass(frozen=True, slots=True)
class PinJudge:
    """Knows the PIN that counts.

    Args:
        store: has the PINs that people have changed.
        ring: gives the key ring; raises Fault when there is none.
    """

    store: Store
    ring: Callable[[], Ring]

    def read(
        self,
        person: Person,
        policy: Policy,
        typed: Secret,
        code_lengths: tuple[int, ...],
        kept: bytes | None,
        now: datetime,
    ) -> tuple[PinShown, Reading] | None:
        """What the PIN in front of what was typed is, and how it was read; None when no right PIN stands there.

        Args:
            person: whose PIN.
            policy: says when a PIN expires and what a new one must be like.
            typed: PIN, code, and perhaps a new PIN twice.
            code_lengths: how long the code may be; none when the PIN stands by itself.
            kept: what the store keeps under `kept_key`; None when it keeps nothing.
            now: the instant (aware).

        Raises:
            Fault: it cannot be told.
        """
        verdicts: dict[str, PinVerdict] = {}

        def right(pin: Secret) -> bool:
            verdicts[pin.text] = self.verdict(person, policy, pin, kept, now)
            return verdicts[pin.text] in {PinVerdict.RIGHT, PinVerdict.EXPIRED}

        reading = first_right(readings(typed, code_lengths), right)
        if reading is None:
            return None
        if reading.new is not None:
            return self._fit(person, policy, reading.new, kept, now), reading
        expired = verdicts[reading.pin.text] is PinVerdict.EXPIRED
        return PinShown.EXPIRED if expired else PinShown.RIGHT, reading

    def new(self, person: Person, policy: Policy, typed: Secret, kept: bytes | None, now: datetime) -> PinShown:
        """Whether a new PIN, to be typed twice, will do: CHANGED or UNFIT. Raises Fault when it cannot be told."""
        pin = twice_the_same(typed)
        if pin is None:
            return PinShown.UNFIT
        return self._fit(person, policy, pin, kept, now)

    async def keep(self, person: Person, pin: Secret, now: datetime) -> None:
        """Put a new PIN in the place of the old one. Raises Fault when that cannot be done."""
        await self.store.keep(kept_key(person.id), make_kept(self.ring(), person.id, pin, now))

    def verdict(self, person: Person, policy: Policy, typed: Secret, kept: bytes | None, now: datetime) -> PinVerdict:
        """Whether this is the PIN, and nothing but it. Raises Fault when it cannot be told."""
        return pin_verdict(person.user, person.id, typed, kept, self.ring(), policy, now)

    def _fit(self, person: Person, policy: Policy, pin: Secret, kept: bytes | None, now: datetime) -> PinShown:
        try:
            demand_fit(pin, policy)
            demand_another(person.user, person.id, pin, kept, self.ring(), policy, now)
        except UnfitPin:
            return PinShown.UNFIT
        return PinShown.CHANGED
