"""Gives a role to an account in a running domain, or takes it away: look first, show the plan, then write."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dirsync.ad.controls import Part
from dirsync.admin import access_list
from dirsync.admin.account import find_sid
from dirsync.admin.connection import AdminAccess, connect
from dirsync.admin.deleted_objects import administrators
from dirsync.admin.operations import AdminConnection
from dirsync.admin.security import Secured, read_security, write_dacl, write_owner
from dirsync.errors import DirectoryRefused
from schema.access import Grant
from schema.delegation import Delegation
from schema.sid import Sid

_REMEDY = "use a member of Domain Admins, or somebody who may change the permissions of this entry"


@dataclass(frozen=True, slots=True)
class TakeOwnership:
    """Makes the administrators the owner of an entry, without which they could not change its permissions.

    Attributes:
        dn: the entry.
        owner: their group.
    """

    dn: str
    owner: Sid

    def __str__(self) -> str:
        return f"~ {self.dn}: the owner becomes {self.owner}"


@dataclass(frozen=True, slots=True)
class Add:
    """Adds grants to an entry's access control list.

    Attributes:
        dn: the entry.
        grants: what is added.
    """

    dn: str
    grants: tuple[Grant, ...]

    def __str__(self) -> str:
        return "\n".join(f"+ {self.dn}: {grant}" for grant in self.grants)


@dataclass(frozen=True, slots=True)
class Remove:
    """Removes grants from an entry's access control list.

    Attributes:
        dn: the entry.
        grants: what is removed.
    """

    dn: str
    grants: tuple[Grant, ...]

    def __str__(self) -> str:
        return "\n".join(f"- {self.dn}: {grant}" for grant in self.grants)


Step = TakeOwnership | Add | Remove


@dataclass(frozen=True, slots=True)
class Plan:
    """How an account gets a role, or loses it.

    Attributes:
        delegation: the role, the account and where.
        sid: the account.
        wanted: which step makes the difference: `Add`, or `Remove`.
        steps: what to write, in this order.
    """

    delegation: Delegation
    sid: Sid
    wanted: type[Add] | type[Remove]
    steps: tuple[Step, ...]

    @property
    def done(self) -> bool:
        """Whether there is nothing to write."""
        return not self.steps


def plan(access: AdminAccess, delegation: Delegation, wanted: type[Add] | type[Remove]) -> Plan:
    """What is to be written so that the account has the role, or what is its own of it no longer. Writes nothing.

    What the account has from elsewhere, by a group or from an entry above, counts for nothing here.

    Args:
        access: a domain controller, and an account that may read permissions.
        delegation: the role, the account and where.
        wanted: `Add` to give the role, `Remove` to take it away.

    Raises:
        DirectoryRefused: a wrong name or password, no such account or entry, or permissions that cannot be read.
        DirectoryUnavailable: the server cannot be reached or trusted.
        Fault: the base is no DN, or in no domain where the role needs one.
    """
    with connect(access) as connection:
        return _plan(connection, delegation, wanted)


def apply(access: AdminAccess, planned: Plan, on_step: Callable[[Step], None]) -> None:
    """Write a plan. Where all of it is in place already, nothing is written.

    The plan is made once more on the connection that writes it, so that only what a person has seen is written.

    Args:
        access: a domain controller, and an account that may change the permissions in question.
        planned: what `plan` returned.
        on_step: called after each step.

    Raises:
        DirectoryRefused: a change since the plan was made, or a right that is missing, before the first write.
        DirectoryUnavailable: the server cannot be reached or trusted.
    """
    with connect(access) as connection:
        present = _plan(connection, planned.delegation, planned.wanted)
        if present.done:
            return
        if present != planned:
            raise DirectoryRefused("the permissions have changed since the plan was made", remedy="make a new plan")
        _check_rights(connection, planned)
        for step in planned.steps:
            _write(connection, step, planned.sid)
            on_step(step)


def _plan(connection: AdminConnection, delegation: Delegation, wanted: type[Add] | type[Remove]) -> Plan:
    root = connection.search("", attributes=["defaultNamingContext"])
    domain = root[0].text("defaultNamingContext") if root else ""
    if not domain:
        raise DirectoryRefused(
            "the server is no Active Directory", remedy="use its own access rules to delegate, such as olcAccess"
        )
    sid = find_sid(connection, domain, delegation.account)
    grants: dict[str, tuple[Grant, ...]] = {}
    for dn, grant in delegation.grants:
        grants[dn] = (*grants.get(dn, ()), grant)
    steps = [step for dn, wished in grants.items() for step in _steps(connection, domain, dn, wished, sid, wanted)]
    return Plan(delegation, sid, wanted, tuple(steps))


def _steps(
    connection: AdminConnection,
    domain: str,
    dn: str,
    grants: tuple[Grant, ...],
    sid: Sid,
    wanted: type[Add] | type[Remove],
) -> Iterator[Step]:
    secured = read_security(connection, dn)
    if secured.dacl is None and not secured.writable & Part.OWNER:
        raise DirectoryRefused(f"{connection.who} may not read the permissions of {dn}", remedy=_REMEDY)
    left = grants
    if secured.dacl is not None:
        compare = access_list.missing if wanted is Add else access_list.present
        left = compare(secured.dacl, grants, sid)
    if left and not secured.writable & Part.DACL and secured.writable & Part.OWNER:
        yield TakeOwnership(dn, administrators(connection, domain))
    if left:
        yield wanted(dn, left)


def _check_rights(connection: AdminConnection, planned: Plan) -> None:
    owned = {step.dn for step in planned.steps if isinstance(step, TakeOwnership)}
    for step in planned.steps:
        if step.dn not in owned and not read_security(connection, step.dn).writable & Part.DACL:
            raise DirectoryRefused(
                f"{connection.who} may not change the permissions of {step.dn}; nothing was written", remedy=_REMEDY
            )


def _write(connection: AdminConnection, step: Step, sid: Sid) -> None:
    if isinstance(step, TakeOwnership):
        write_owner(connection, step.dn, step.owner)
        return
    secured: Secured = read_security(connection, step.dn)
    if secured.dacl is None:
        raise DirectoryRefused(f"{connection.who} still may not read the permissions of {step.dn}", remedy=_REMEDY)
    if isinstance(step, Add):
        # once more: before the ownership was taken, nobody could see what is there
        dacl = access_list.added(secured.dacl, access_list.missing(secured.dacl, step.grants, sid), sid)
    else:
        dacl = access_list.removed(secured.dacl, step.grants, sid)
    if dacl != secured.dacl:
        write_dacl(connection, secured, dacl)
