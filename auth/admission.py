"""Who may log on at all: the node is known, the user is found and a member of it, and the account is usable. Pure."""

from datetime import datetime

from auth.facts import Facts, NodeFacts
from auth.guessing import MOST_WRONG
from auth.reason import Reason
from auth.standing import standing, unlocked_at
from auth.steps import Refuse, Trace
from dirsync.view import Person
from schema.entry import Policy
from schema.hours import grid_permits


def admission(facts: Facts, trace: Trace) -> Refuse | tuple[NodeFacts, Person]:
    """Node known, user found, member of the node: what can be said before there is a policy."""
    if facts.node is None:
        trace.note("access node", "unknown")
        return Refuse(Reason.NODE_UNKNOWN)
    asking = facts.node.node
    if not asking.node_enabled or asking.malformed:
        findings = "; ".join(map(str, asking.malformed)) or "disabled (dirfactorNodeEnabled)"
        trace.note("access node", f"{asking.name} cannot be used: {findings}")
        return Refuse(Reason.NODE_UNKNOWN)
    trace.note("access node", asking.name)
    if len(facts.found) != 1:
        names = ", ".join(person.dn for person in facts.found)
        trace.note("user", f"{len(facts.found)} found: {names}" if names else "not found")
        if not facts.found and facts.freshness.as_of is None:
            trace.note("directory", "a whole one was never read, so who is in it is not known")
            return Refuse(Reason.REPLICA_STALE)
        return Refuse(Reason.USER_AMBIGUOUS if facts.found else Reason.USER_UNKNOWN)
    person = facts.found[0]
    trace.note("user", person.dn)
    members = facts.node.members
    via = next((group for group in person.groups if members is None or group.id in members), None)
    if members is not None and person.id not in members and via is None:
        trace.note("member of the node", "no")
        return Refuse(Reason.NOT_MEMBER)
    direct = members is None or person.id in members
    trace.note("member of the node", "yes" if direct or via is None else "yes, through " + " -> ".join(via.path))
    return facts.node, person


def account(facts: Facts, person: Person, policy: Policy, now: datetime, trace: Trace) -> Refuse | None:
    """Whether the account may log on at all."""
    user = person.user
    limit = policy.maximum_staleness or facts.expired_after
    where = standing(facts.failures, policy, unlocked_at(user, now), facts.wrong_today)
    not_begun = user.starts_at is not None and user.starts_at > now
    checks = (
        (facts.freshness.age(now) > limit, Reason.REPLICA_STALE),
        (bool(_malformed_values(person)), Reason.ENTRY_MALFORMED),
        (user.disabled or not_begun, Reason.ACCOUNT_DISABLED),
        (user.expires_at is not None and user.expires_at <= now, Reason.ACCOUNT_EXPIRED),
        (_locked_by_directory(person, now), Reason.ACCOUNT_LOCKED),
        (user.logon_grid is not None and not grid_permits(user.logon_grid, now), Reason.LOGON_HOURS),
        (policy.logon_hours is not None and not policy.logon_hours.permits(now), Reason.LOGON_HOURS),
        (where.locked(now) or where.too_many, Reason.VIOLATIONS_LOCKED),
    )
    for holds, reason in checks:
        if holds:
            trace.note("account", reason.meaning)
            for value in _malformed_values(person) if reason is Reason.ENTRY_MALFORMED else ():
                trace.note("malformed value", value)
            if reason is Reason.ACCOUNT_DISABLED and user.starts_at is not None and not_begun:
                trace.note("the account begins", f"{user.starts_at:%Y-%m-%d %H:%M:%S} UTC (pwdStartTime)")
            if reason is Reason.VIOLATIONS_LOCKED and where.too_many:
                trace.note("wrong codes within a day", f"{where.today}, and {MOST_WRONG} are the most")
            return Refuse(reason)
    trace.note("account", f"usable; directory data is {facts.freshness.age(now):.0f} s old")
    return None


def _malformed_values(person: Person) -> tuple[str, ...]:
    """What cannot be read of the user, and of the groups and containers that give them reply attributes."""
    entries = (
        (person.dn, person.user.malformed),
        *((item.dn, item.group.malformed) for item in person.groups),
        *((item.dn, item.container.malformed) for item in person.ancestors),
    )
    return tuple(f"{dn}: {finding}" for dn, findings in entries for finding in findings)


def _locked_by_directory(person: Person, now: datetime) -> bool:
    """AD's lock: from lockoutTime for the domain's lockoutDuration, or until it is undone (MS-ADTS 3.1.1.4.5)."""
    locked_at = person.user.locked_at
    if locked_at is None:
        return False
    durations = (item.container.lockout_seconds for item in person.ancestors)
    duration = next((seconds for seconds in durations if seconds is not None), 0)
    return duration <= 0 or (now - locked_at).total_seconds() < duration
