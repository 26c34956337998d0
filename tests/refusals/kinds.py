"""Somebody for each kind of refusal, and the attempt that meets with it."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from clients.house import House
from refusals.doors import Attempt, Line
from scenarios.company import Entry, password_of, person, phone, policy, policy_dn, texted

UNLIMITED = """
[spend]
per_user_hour = 0
per_user_day = 0
per_number_day = 0
per_prefix_day = 0
per_day = 0
alarm_after = 1000000
"""
"""What config.ini must have: each wrong code takes a text."""
MOST = 2_000
"""Wrong codes that there may be at each of two doors."""
_TYPISTS = MOST // 20  # each is wrong forty times: `auth.guessing.MOST_WRONG` in a day, and no text is sent any more
_FIRST, _LOCKED = 200, 300


def entries() -> list[Entry]:
    """The people, and their policies."""
    # every wrong code ends its login, and a thousand lock
    patient = {"dirfactorCodesPerWindow": "100", "dirfactorLogonAttempts": "10", "dirfactorViolationLimit": "100"}
    hasty = {"dirfactorLogonAttempts": "1", "dirfactorViolationLimit": "1"}
    return [
        policy("patient", dirfactorCodeAttempts="1", **patient),
        policy("hasty", dirfactorCodeAttempts="1", **hasty),
        *(texted(f"typist{at}", _FIRST + at, dirfactorPolicy=policy_dn("patient")) for at in range(_TYPISTS)),
        texted("locked", _LOCKED, dirfactorPolicy=policy_dn("hasty")),
        texted("disabled", 301, userAccountControl="514"),
        texted("forgetful", 302),
        person("tokenless", mobile=phone(303)),
    ]


@dataclass
class Refusals:
    """Makes an attempt of each kind, as often as it is wanted.

    Attributes:
        house: with these `entries` and `UNLIMITED`.
        line: by which codes are had.
    """

    house: House
    line: Line
    _typists: Iterator[int] = field(default_factory=lambda: itertools.cycle(range(_TYPISTS)))

    def lock(self) -> None:
        """Has `locked` type a wrong code, which is one too many."""
        self.line.say(self._wrong_code("locked", _LOCKED))
        assert self.line.hear().outcome == "refused"

    def kinds(self) -> dict[str, Callable[[], Attempt]]:
        """What makes the attempt that is refused, by the audit's reason for it."""
        return {
            "user-unknown": lambda: Attempt("nobody", password_of("nobody")),
            "password-wrong": lambda: Attempt("forgetful", "Teapot"),
            "no-token": lambda: Attempt("tokenless", password_of("tokenless")),
            "account-disabled": lambda: Attempt("disabled", password_of("disabled")),
            "violations-locked": lambda: Attempt("locked", password_of("locked")),
            "attempts-exhausted": self._next_wrong_code,
        }

    def _next_wrong_code(self) -> Attempt:
        at = next(self._typists)
        return self._wrong_code(f"typist{at}", _FIRST + at)

    def _wrong_code(self, user: str, number: int) -> Attempt:
        earlier = len(self.house.gateway.texts_to(phone(number)))
        self.line.say(Attempt(user, password_of(user)))
        challenge = self.line.hear()
        assert challenge.outcome == "challenged"
        code = int(self.house.gateway.wait_for_text(phone(number), earlier=earlier).code)
        return Attempt(user, f"{(code + 1) % 10**6:06}", challenge.state)
