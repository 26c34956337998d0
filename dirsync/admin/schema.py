"""Brings our schema into a running directory: look first, show the plan, then write only what is missing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dirsync.admin import active_directory, ds389, openldap
from dirsync.admin.connection import AdminAccess, connect
from dirsync.admin.found import Found
from dirsync.admin.operations import AdminConnection, Operation, OperationRefused
from dirsync.admin.plan import Change, Plan, Redefine, Step, describe, render
from dirsync.errors import DirectoryRefused
from schema import ds389 as ds389_schema
from schema import openldap as openldap_schema
from schema.active_directory import Add, Extend, Reload, records
from schema.dn import fold, parent

_FOREST_MAKERS = (
    "use a member of both Schema Admins and Enterprise Admins; a new membership counts from the next logon on"
)
_OPENLDAP_MAKER = "use the administrator of cn=config, or root and ldapi:///"
_DS389_MAKER = "use cn=Directory Manager, or root and the instance's ldapi:// socket"
# What is read of the rootDSE.
_ROOT = (
    "schemaNamingContext",
    "configurationNamingContext",
    "rootDomainNamingContext",
    "dsServiceName",
    "dnsHostName",
    "configContext",
    "vendorName",
)
# LDAP result codes (RFC 4511 appendix A)
_REFERRAL = 10
_CHANGED_MEANWHILE = {16, 20, 51, 68}
_INSUFFICIENT_ACCESS = 50
_UNWILLING = 53


@dataclass(frozen=True, slots=True)
class Applied:
    """What `apply` has written.

    Attributes:
        changes: the steps that changed something, in order.
    """

    changes: tuple[Step, ...]


def plan(access: AdminAccess) -> Plan:
    """What is to be written so that the directory has our schema. Writes nothing.

    Args:
        access: Active Directory's schema master and any account of the forest, an OpenLDAP server and the
            administrator of its cn=config, or a 389 Directory Server.

    Raises:
        DirectoryRefused: the name or password is wrong, or it is no schema master and none of the other two.
        DirectoryUnavailable: the server cannot be reached or trusted.
    """
    with connect(access) as connection:
        return _plan(connection)


def verify(access: AdminAccess) -> Plan:
    """The plan again, to be asked `done`: whether the directory has all of our schema, as it should be.

    Raises:
        DirectoryRefused: as for `plan`.
        DirectoryUnavailable: as for `plan`.
    """
    return plan(access)


def apply(access: AdminAccess, wanted: Plan, on_step: Callable[[Step], None]) -> Applied:
    """Write a plan. Cannot be undone; where all of it is in place already, nothing is written.

    The plan is made once more on the connection that writes it, so that only what a person has seen is written.

    Args:
        access: Active Directory's schema master and a member of Schema Admins and Enterprise Admins, an OpenLDAP
            server and the administrator of its cn=config, or a 389 Directory Server and its cn=Directory Manager.
        wanted: what `plan` returned.
        on_step: called after each step.

    Raises:
        DirectoryRefused: a conflict, a change since the plan was made, a right that is missing, or schema changes
            that are switched off. Before the first write wherever that can be known; otherwise the problem says
            how many changes were made, and a further run continues.
        DirectoryUnavailable: the server cannot be reached or trusted.
    """
    with connect(access) as connection:
        if wanted.conflicts:
            raise DirectoryRefused(
                f"the schema cannot be extended:\n{render(wanted)}\n",
                remedy="find out what these objects belong to: they cannot be removed, and ours cannot be other",
            )
        present = _plan(connection)
        if present.done:
            return Applied(())
        if present != wanted:
            raise DirectoryRefused("the schema has changed since the plan was made", remedy="make a new plan")
        _check_rights(connection, wanted.steps)
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


def _plan(connection: AdminConnection) -> Plan:
    root = _read(connection, "", *_ROOT)
    if root.text("schemaNamingContext"):
        return _plan_forest(connection, root)
    if root.text("configContext"):
        return _plan_openldap(connection)
    if root.text("vendorName") == ds389.VENDOR:
        return ds389.make_plan(ds389_schema.definitions(), _read(connection, ds389.BASE, *ds389.ATTRIBUTES_READ))
    raise DirectoryRefused(
        "the server is neither Active Directory, nor an OpenLDAP with cn=config, nor a 389 Directory Server",
        remedy="load the output of `dirfactor schema ldif` with the server's own tools",
    )


def _plan_forest(connection: AdminConnection, root: Found) -> Plan:
    schema = root.text("schemaNamingContext")
    rights = f"CN=Extended-Rights,{root.text('configurationNamingContext')}"
    _check_master(connection, schema, root)
    read = active_directory.ATTRIBUTES_READ
    types = "(|(objectClass=attributeSchema)(objectClass=classSchema))"
    existing = [
        *connection.search(schema, types, scope="LEVEL", attributes=read),
        *connection.search(rights, "(objectClass=controlAccessRight)", scope="LEVEL", attributes=read),
    ]
    forest_root = root.text("rootDomainNamingContext")
    return active_directory.make_plan(forest_root, records(forest_root), existing)


def _check_master(connection: AdminConnection, schema: str, root: Found) -> None:
    owner = _read(connection, schema, "fSMORoleOwner").text("fSMORoleOwner")
    if not owner:
        raise DirectoryRefused(f"{connection.who} may not read the schema", remedy="use an account of the forest")
    if fold(owner) != fold(root.text("dsServiceName")):
        master = _read(connection, parent(owner), "dNSHostName").text("dNSHostName")
        raise DirectoryRefused(
            f"{root.text('dnsHostName')} is not the forest's schema master, {master or owner} is",
            remedy=f"use the URL ldaps://{master}" if master else "use the URL of the schema master",
        )


def _plan_openldap(connection: AdminConnection) -> Plan:
    base, read = openldap.BASE, openldap.ATTRIBUTES_READ
    existing = connection.search(base, "(objectClass=olcSchemaConfig)", scope="LEVEL", attributes=read)
    if not existing:
        raise DirectoryRefused(f"{connection.who} may not read {base}", remedy=_OPENLDAP_MAKER)
    return openldap.make_plan(openldap_schema.definitions(), existing)


def _check_rights(connection: AdminConnection, steps: Iterable[Step]) -> None:
    """Ask what the account may do before anything is written (MS-ADTS 3.1.1.4.5.5 and 3.1.1.4.5.7)."""
    wanted: dict[tuple[str, str], set[str]] = {}
    for step in steps:
        if not _is_forest(step):  # others have no such attributes, and refuse the first step before anything is changed
            return
        if isinstance(step, Add):
            object_class = str(dict(step.attributes)["objectClass"][0])
            wanted.setdefault((parent(step.dn), "allowedChildClassesEffective"), set()).add(object_class)
        elif not isinstance(step, Reload):
            wanted.setdefault((step.dn, "allowedAttributesEffective"), set()).add(step.attribute)
    for (dn, effective), names in wanted.items():
        answer = _read(connection, dn, effective).attributes.get(effective.lower(), ())
        denied = names - {value.decode() for value in answer}
        if denied:
            raise DirectoryRefused(
                f"{connection.who} may not write {', '.join(sorted(denied))} in {dn}; nothing was written",
                remedy=_FOREST_MAKERS,
            )


def _is_forest(step: Step) -> bool:
    return isinstance(step, Reload) or not step.dn.lower().endswith((openldap.BASE, ds389.BASE))


def _maker(step: Step) -> str:
    """Whom to be in order to write a step."""
    if isinstance(step, Reload) or _is_forest(step):
        return _FOREST_MAKERS
    return _DS389_MAKER if fold(step.dn) == ds389.BASE else _OPENLDAP_MAKER


def _write(connection: AdminConnection, step: Step) -> None:
    match step:
        case Add(dn, attributes):
            connection.add(dn, attributes)
        case Extend(dn, attribute, values):
            connection.modify(dn, attribute, (Operation.ADD, values))
        case Change(dn, attribute, before, after):
            # not a replacement: it is refused when somebody else was faster
            removed = ((Operation.DELETE, before),) if before else ()
            connection.modify(dn, attribute, *removed, (Operation.ADD, after))
        case Redefine(dn, attribute, _, after):
            connection.modify(dn, attribute, (Operation.ADD, [after]))
        case Reload():
            connection.modify("", "schemaUpdateNow", (Operation.ADD, ["1"]))


def _explained(refusal: OperationRefused, who: str, step: Step, written: int) -> DirectoryRefused:
    problem = f"{refusal.problem} (step: {describe(step).splitlines()[0]}; changes made before it: {written})"
    if refusal.code == _INSUFFICIENT_ACCESS:
        return DirectoryRefused(f"{who} may not change the schema: {problem}", remedy=_maker(step))
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
    if refusal.code in _CHANGED_MEANWHILE:
        return DirectoryRefused(
            f"somebody else is changing the schema: {problem}", remedy="wait until they are done, then make a new plan"
        )
    return DirectoryRefused(problem, remedy="mend what the server says, then run this again: it continues")


def _read(connection: AdminConnection, dn: str, *attributes: str) -> Found:
    return next(iter(connection.search(dn, attributes=attributes)), Found(dn, {}))
