"""`dirfactor delegate`: print a role for other tools, or give it to an account and take it away."""

import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from auth.cli.access import with_access
from auth.cli.faults import Exit, UsageFault, faults
from auth.cli.output import JSON_OPTION, out, print_json
from dirsync.admin import delegation as admin
from dirsync.admin.connection import AdminAccess
from schema.delegation import Delegation, as_dsacls, as_powershell, as_sddl, sddl
from schema.errors import Fault
from schema.roles import ROLES, RoleName

delegate_app = typer.Typer(
    help="Give a role to an account in Active Directory: "
    + "; ".join(f"{role.name}: {role.purpose}" for role in ROLES),
    no_args_is_help=True,
)

_ROLES = {role.name: role for role in ROLES}


class Format(StrEnum):
    """Which tool the text is for."""

    DSACLS = "dsacls"
    POWERSHELL = "powershell"
    SDDL = "sddl"


_TEXTS = {Format.DSACLS: as_dsacls, Format.POWERSHELL: as_powershell, Format.SDDL: as_sddl}

_ROLE = Annotated[RoleName, typer.Argument(help="The role.")]
_TO = Annotated[
    str, typer.Option("--to", help=r"Group or user: EXAMPLE\name, user principal name or SID.", metavar="ACCOUNT")
]
_BASE = Annotated[str, typer.Option("--base", help="Domain or organizational unit that it is for.", metavar="DN")]
_DRY_RUN = Annotated[bool, typer.Option("--dry-run", help="Write nothing: only print what would change.")]


@delegate_app.command("show")
def show_command(
    role: _ROLE,
    to: _TO,
    base: _BASE = "DC=example,DC=org",
    text_format: Annotated[Format, typer.Option("--format", help="Which tool it is for.")] = Format.DSACLS,
) -> None:
    """Print the commands that give a role to an account; no directory is asked."""
    with faults():
        try:
            text = _TEXTS[text_format](Delegation(_ROLES[role], to, base))
        except Fault as fault:
            raise UsageFault(fault.problem, remedy=fault.remedy) from fault
        sys.stdout.write(text)


@delegate_app.command("plan")
@with_access
def plan_command(access: AdminAccess, role: _ROLE, to: _TO, base: _BASE, *, json: JSON_OPTION = False) -> None:
    """Print what `apply` would change; write nothing. Exit status 1 when there is something to change."""
    _show(admin.plan(access, Delegation(_ROLES[role], to, base), admin.Add), json=json)


@delegate_app.command("apply")
@with_access
def apply_command(
    access: AdminAccess, role: _ROLE, to: _TO, base: _BASE, *, dry_run: _DRY_RUN = False, json: JSON_OPTION = False
) -> None:
    """Give a role to an account. A second run changes nothing."""
    _carry_out(access, admin.plan(access, Delegation(_ROLES[role], to, base), admin.Add), dry_run=dry_run, json=json)


@delegate_app.command("remove")
@with_access
def remove_command(
    access: AdminAccess, role: _ROLE, to: _TO, base: _BASE, *, dry_run: _DRY_RUN = False, json: JSON_OPTION = False
) -> None:
    """Take a role away from an account, and with it what another role of the account has in common with it."""
    _carry_out(access, admin.plan(access, Delegation(_ROLES[role], to, base), admin.Remove), dry_run=dry_run, json=json)


def _carry_out(access: AdminAccess, plan: admin.Plan, *, dry_run: bool, json: bool) -> None:
    if dry_run:
        _show(plan, json=json)
        return
    admin.apply(access, plan, lambda step: None if json else out.print(str(step), markup=False))
    if json:
        print_json(_data(plan))
    elif plan.done:
        out.print("nothing to do")


def _show(plan: admin.Plan, *, json: bool) -> None:
    if json:
        print_json(_data(plan))
    else:
        out.print("\n".join(map(str, plan.steps)) or "nothing to do", markup=False)
    if not plan.done:
        raise typer.Exit(Exit.FOUND)


def _data(plan: admin.Plan) -> Mapping[str, Any]:
    return {
        "role": plan.delegation.role.name,
        "account": str(plan.sid),
        "done": plan.done,
        "steps": [_step(step, plan) for step in plan.steps],
    }


def _step(step: admin.Step, plan: admin.Plan) -> Mapping[str, Any]:
    match step:
        case admin.TakeOwnership(dn, owner):
            return {"dn": dn, "owner": str(owner)}
        case admin.Add(dn, grants):
            return {"dn": dn, "add": [sddl(grant, plan.sid) for grant in grants]}
        case admin.Remove(dn, grants):
            return {"dn": dn, "remove": [sddl(grant, plan.sid) for grant in grants]}
