"""What `dirfactor explain --json` and /v1/explain tell. Pure."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from auth.why.grounds import GroupGround, ReplyGround, TokenGround


class Looked(msgspec.Struct, frozen=True):
    """Something that was looked at on the way, and what was found."""

    check: str
    found: str


class CandidatePolicy(msgspec.Struct, frozen=True):
    """A policy that could have governed.

    Attributes:
        level: user, group, organizational unit, access node, server default or built-in default.
        holder: DN or name of what it is assigned to.
        policy: its name.
        won: whether it governs.
        why: why it does, or does not.
    """

    level: str
    holder: str
    policy: str
    won: bool
    why: str


class Violations(msgspec.Struct, frozen=True):
    """Where the user stands.

    Attributes:
        wrong_codes: those that still count.
        violations: whole violations among them.
        locked_until: the end of the lock; null when there is none.
        wrong_codes_to_lock: how many more lock; null when that is not known, or nothing is compared now.
        wrong_codes_today: those within a day, whatever was right in between; after sixty nothing is compared.
    """

    wrong_codes: int
    violations: int
    locked_until: datetime | None
    wrong_codes_to_lock: int | None
    wrong_codes_today: int


class Explained(msgspec.Struct, frozen=True):
    """What would happen at a logon, and why.

    Attributes:
        outcome: accepted, or `refused: ` and the reason code.
        remedy: what helps against a refusal.
        user: DN; null when nobody is meant, or several.
        user_id: objectGUID or entryUUID, as 32 hexadecimal digits.
        access_node: its name; `unknown` when there is none of the name.
        at: the instant that was asked about; null for the present.
        policy: the one that governs.
        trace: what was looked at, in order.
        candidates: the policies that could have governed.
        steps: what would be asked and done, in order.
        tokens: those that the policy knows, and those that the user has.
        groups: every group of the user, nearest first.
        violations: null without a user and a policy.
        reply_attributes: what an accept would carry.
        directory_version: of the replica.
        directory_age: seconds; null before the first sync.
        directory_age_limit: seconds of age at which logons are refused.
    """

    outcome: str
    remedy: str
    user: str | None
    user_id: str | None
    access_node: str
    at: datetime | None
    policy: str
    trace: Sequence[Looked]
    candidates: Sequence[CandidatePolicy]
    steps: Sequence[str]
    tokens: Sequence[TokenGround]
    groups: Sequence[GroupGround]
    violations: Violations | None
    reply_attributes: Sequence[ReplyGround]
    directory_version: int
    directory_age: float | None
    directory_age_limit: int
