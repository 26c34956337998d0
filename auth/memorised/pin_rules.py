"""What a new PIN must be like. Pure."""

import itertools
from datetime import datetime

from auth.codes import plain
from auth.keys.ring import Ring
from auth.memorised.pin import PinVerdict, pin_verdict
from schema.entry import EntryId, Policy, User
from schema.errors import Fault
from schema.secret import Secret

_STEPS_OF_A_RUN = ({0}, {1}, {9})  # one digit repeated, upwards, downwards; 0 follows 9


class UnfitPin(Fault):
    """A new PIN breaks a rule. The remedy may be shown to the person; neither text holds the PIN."""


def demand_fit(pin: Secret, policy: Policy) -> None:
    """See that a new PIN keeps the rules that need no knowledge of the old one.

    Raises:
        UnfitPin: it has something else than digits, too few or too many, one digit only, or is a plain run.
    """
    digits = plain(pin).text
    fewest, most = policy.pin_minimum_length, policy.pin_maximum_length
    if fewest > most:
        raise UnfitPin(
            f"the policy wants at least {fewest} and at most {most} digits: no PIN has that",
            remedy="have dirfactorPinMinimumLength and dirfactorPinMaximumLength of the policy set right",
        )
    wanted = f"choose {fewest} digits" if fewest == most else f"choose {fewest} to {most} digits"
    if not (digits.isascii() and digits.isdigit()):
        raise UnfitPin("a PIN has digits only", remedy=wanted)
    if not fewest <= len(digits) <= most:
        raise UnfitPin("the PIN is " + ("too short" if len(digits) < fewest else "too long"), remedy=wanted)
    steps = {(int(after) - int(before)) % 10 for before, after in itertools.pairwise(digits)}
    if steps in _STEPS_OF_A_RUN:
        raise UnfitPin(
            "the PIN is one digit repeated, or a plain run",
            remedy=f"{wanted} that are not like 1111, 1234 or 9876",
        )


def demand_another(
    user: User, entry: EntryId, pin: Secret, kept: bytes | None, ring: Ring, policy: Policy, now: datetime
) -> None:
    """See that a new PIN is not the old one; the arguments are those of `pin_verdict`.

    Raises:
        UnfitPin: it is.
        Fault: it cannot be told.
    """
    if pin_verdict(user, entry, pin, kept, ring, policy, now) in {PinVerdict.RIGHT, PinVerdict.EXPIRED}:
        raise UnfitPin("the new PIN is the old one", remedy="choose another one")
