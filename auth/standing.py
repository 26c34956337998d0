"""Violations and the lock: from the failures of a user to whether they may try again. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from auth.guessing import MOST_WRONG
from schema.entry import Policy, User


class Standing(msgspec.Struct, frozen=True):
    """Where a user stands.

    Attributes:
        failures: wrong codes that still count.
        violations: whole violations among them (Defender's violation count).
        locked_until: the end of the lock; None when there is none.
        today: wrong codes within a day, whatever was right in between; see `auth.guessing`.
    """

    failures: int
    violations: int
    locked_until: datetime | None
    today: int = 0

    @property
    def too_many(self) -> bool:
        """Whether there were so many within a day that nothing is compared any more."""
        return self.today >= MOST_WRONG

    def locked(self, now: datetime) -> bool:
        """Whether the lock holds at `now`."""
        return self.locked_until is not None and now < self.locked_until

    def at(self, now: datetime) -> "Standing":
        """The same as the next wrong code would find it at `now`: of a lock that has run out nothing counts."""
        if self.locked_until is None or self.locked(now):
            return self
        return Standing(0, 0, None, self.today)


def standing(failures: Iterable[datetime], policy: Policy, unlocked_at: datetime | None, today: int = 0) -> Standing:
    """Count failures as Defender does: so many wrong codes make a violation, so many violations lock for a while.

    When a lock has run out, counting begins anew.

    Args:
        failures: instants of wrong codes, in any order.
        policy: says how many attempts make a violation, how many violations lock, and for how long.
        unlocked_at: failures up to this instant do not count (dirfactorUnlockedAt).
        today: wrong codes within a day, as they are counted.
    """
    limit = policy.logon_attempts * policy.violation_limit
    lock = timedelta(minutes=policy.lock_minutes)
    count = 0
    locked_until: datetime | None = None
    for failure in sorted(failures):
        if unlocked_at is not None and failure <= unlocked_at:
            continue
        if locked_until is not None and failure >= locked_until:
            count, locked_until = 0, None
        count += 1
        if count >= limit and locked_until is None:
            locked_until = failure + lock
    return Standing(count, count // policy.logon_attempts, locked_until, today)


def unlocked_at(user: User, now: datetime) -> datetime | None:
    """When a helpdesk unlocked the user; a time to come would let somebody guess until then, so it unlocks nothing."""
    return user.unlocked_at if user.unlocked_at is not None and user.unlocked_at <= now else None
