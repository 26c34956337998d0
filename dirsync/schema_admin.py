"""Brings our schema into a running Active Directory: look first, show the plan, then write only what is missing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dirsync.admin_connection import (
    AdminAccess,
    AdminConnection,
    Operation,
    OperationRefused,
    Scope,
    connect,
)
from dirsync.errors import DirectoryRefused
from dirsync.found import Found
from dirsync.schema_plan import ATTRIBUTES_READ, Plan, Step, describe, make_plan, object_class, render
from schema.active_directory import Add, Extend, Reload, records
from schema.dn import fold, parent

_MAKERS = "use a member of both Schema Admins and Enterprise Admins; a new membership counts from the next logon on"
_REFERRAL = 10
_INSUFFICIENT_ACCESS = 50
_BUSY = 51
_UNWILLING = 53
_EXISTS = {20, 68}


@dataclass(frozen=True, slots=True)
class Applied:
    """What `apply` has written.

    Attributes:
        steps: the changes, in order; reloads do not count.
    """

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class _Forest:
    """What the rootDSE says (MS-ADTS 3.1.1.3.2)."""

    root: str
    schema: str
    extended_rights: str
    server: str
    service: str


def plan(access: AdminAccess) -> Plan:
    """What is to be written so that the forest has our schema. Writes nothing.

    Args:
        access: the schema master and an account; any domain user may read a schema.

    Raises:
        DirectoryRefused: the name or password is wrong, it is no Active Directory, or not the schema master.
        DirectoryUnavailable: the server cannot be reached or trusted.
    """
    with connect(access) as connection:
        return _plan(connection, _forest(connection))


def verify(access: AdminAccess) -> Plan:
    """The plan again, to be asked `done`: whether the forest has all of our schema, as it should be.

    Raises:
        DirectoryRefused: as for `plan`.
        DirectoryUnavailable: as for `plan`.
    """
    return plan(access)


def apply(access: AdminAccess, wanted: Plan, on_step: Callable[[Step], None]) -> Applied:
    """Write a plan. Cannot be undone; applied to a forest that has all of it, it writes nothing.

    The plan is made once more on the connection that writes it, so that only what a person has seen is written.

    Args:
        access: the schema master and a member of Schema Admins and Enterprise Admins.
        wanted: what `plan` returned.
        on_step: called after each step.

    Raises:
        DirectoryRefused: a conflict, a change since the plan was made, a right that is missing, or schema changes
            that are switched off. Before the first write wherever that can be known; otherwise the problem says
            how many changes were made, and a further run continues.
        DirectoryUnavailable: the server cannot be reached or trusted.
    """
    with connect(access) as connection:
        forest = _forest(connection)
        if wanted.conflicts:
            raise DirectoryRefused(
                f"the schema cannot be extended:\n{render(wanted)}",
                remedy="find out what made these objects; they cannot be removed, only be renamed or switched off",
            )
        if _plan(connection, forest) != wanted:
            raise DirectoryRefused("the schema has changed since the plan was made", remedy="make a new plan")
        _check_rights(connection, forest, wanted.steps)
        written: list[Step] = []
        for step in wanted.steps:
            try:
                _write(connection, step)
            except OperationRefused as refusal:
                raise _explained(refusal, connection.who, step, len(written)) from refusal
            if not isinstance(step, Reload):
                written.append(step)
            on_step(step)
        return Applied(tuple(written))


def _forest(connection: AdminConnection) -> _Forest:
    root = next(iter(connection.search("")), Found("", {}))
    if not root.text("schemaNamingContext"):
        raise DirectoryRefused(
            "the server is no Active Directory",
            remedy="load ldif/openldap.ldif, or ldif/openldap.schema, into OpenLDAP",
        )
    forest = _Forest(
        root=root.text("rootDomainNamingContext"),
        schema=root.text("schemaNamingContext"),
        extended_rights=f"CN=Extended-Rights,{root.text('configurationNamingContext')}",
        server=root.text("dnsHostName"),
        service=root.text("dsServiceName"),
    )
    _check_master(connection, forest)
    return forest


def _check_master(connection: AdminConnection, forest: _Forest) -> None:
    owner = _only(connection.search(forest.schema, attributes=["fSMORoleOwner"])).text("fSMORoleOwner")
    if not owner:
        raise DirectoryRefused(
            f"{connection.who} may not read who is schema master", remedy="use an account of the forest"
        )
    if fold(owner) != fold(forest.service):
        master = _only(connection.search(parent(owner), attributes=["dNSHostName"])).text("dNSHostName")
        raise DirectoryRefused(
            f"{forest.server} is not the schema master, {master or owner} is",
            remedy=f"use the URL ldaps://{master}" if master else "use the URL of the schema master",
        )


def _plan(connection: AdminConnection, forest: _Forest) -> Plan:
    schema = connection.search(
        forest.schema,
        "(|(objectClass=attributeSchema)(objectClass=classSchema))",
        scope=Scope.LEVEL,
        attributes=ATTRIBUTES_READ,
    )
    rights = connection.search(
        forest.extended_rights, "(objectClass=controlAccessRight)", scope=Scope.LEVEL, attributes=ATTRIBUTES_READ
    )
    return make_plan(forest.root, records(forest.root), [*schema, *rights])


def _check_rights(connection: AdminConnection, forest: _Forest, steps: Iterable[Step]) -> None:
    """Ask what the account may do before anything is written (MS-ADTS 3.1.1.4.5.5 and 3.1.1.4.5.7)."""
    additions = [step for step in steps if isinstance(step, Add)]
    children = {(parent(step.dn), object_class(step)) for step in additions}
    changes = {(step.dn, step.attribute) for step in steps if not isinstance(step, (Add, Reload))}
    for what, effective in ((children, "allowedChildClassesEffective"), (changes, "allowedAttributesEffective")):
        for dn in sorted({dn for dn, _ in what}):
            found = _only(connection.search(dn, attributes=[effective])).attributes.get(effective.lower(), ())
            allowed = {value.decode().lower() for value in found}
            denied = sorted(name for there, name in what if there == dn and name.lower() not in allowed)
            if denied:
                raise DirectoryRefused(
                    f"{connection.who} may not write {', '.join(denied)} in {dn}; nothing was written", remedy=_MAKERS
                )


def _write(connection: AdminConnection, step: Step) -> None:
    if isinstance(step, Add):
        connection.add(step.dn, step.attributes)
    elif isinstance(step, Extend):
        connection.modify(step.dn, Operation.ADD, step.attribute, step.values)
    elif isinstance(step, Reload):
        connection.modify("", Operation.ADD, "schemaUpdateNow", ["1"])
    else:
        connection.modify(step.dn, Operation.REPLACE, step.attribute, step.after)


def _explained(refusal: OperationRefused, who: str, step: Step, written: int) -> DirectoryRefused:
    problem = f"{refusal.problem} (step: {describe(step).strip()}; {written} changes were made before)"
    if refusal.code == _INSUFFICIENT_ACCESS:
        return DirectoryRefused(f"{who} may not change the schema: {problem}", remedy=_MAKERS)
    if refusal.code == _UNWILLING and "updates are not allowed" in refusal.diagnostic:
        return DirectoryRefused(
            f"the server permits no changes of its schema: {problem}",
            remedy="set `dsdb:schema update allowed = yes` in its smb.conf, restart it, run this again, take it back",
        )
    if refusal.code in {_REFERRAL, _UNWILLING}:
        return DirectoryRefused(
            f"the server is not willing: {problem}",
            remedy="see that it is the schema master, that replication is sound, and that schema changes are permitted",
        )
    if refusal.code in _EXISTS or refusal.code == _BUSY:
        return DirectoryRefused(
            f"somebody else is changing the schema: {problem}", remedy="wait until they are done, then make a new plan"
        )
    return DirectoryRefused(problem, remedy="mend what the server says, then run this again: it continues")


def _only(entries: list[Found]) -> Found:
    return entries[0] if entries else Found("", {})
