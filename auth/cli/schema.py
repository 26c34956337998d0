"""`dirfactor schema`: print the schema, compare it with a directory's, install it, verify it."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from auth.cli.access import with_access
from auth.cli.faults import Exit
from auth.cli.output import JSON_OPTION, out, print_json
from dirsync.admin import schema as schema_admin
from dirsync.admin.connection import AdminAccess
from dirsync.admin.plan import Plan, describe, render
from schema.__main__ import files

schema_app = typer.Typer(help="Print, compare, install and verify the directory's schema.", no_args_is_help=True)


class Dialect(StrEnum):
    """Which directory's schema, or how its tools show it."""

    ACTIVE_DIRECTORY = "active-directory"
    ACTIVE_DIRECTORY_DISPLAY = "active-directory-display"
    ACTIVE_DIRECTORY_DISPLAY_REMOVE = "active-directory-display-remove"
    OPENLDAP = "openldap"
    OPENLDAP_CLASSIC = "openldap-classic"
    DS389 = "389-ds"


_FILES = {
    Dialect.ACTIVE_DIRECTORY: "ldif/active-directory.ldif",
    Dialect.ACTIVE_DIRECTORY_DISPLAY: "ldif/active-directory-display.ldif",
    Dialect.ACTIVE_DIRECTORY_DISPLAY_REMOVE: "ldif/active-directory-display-remove.ldif",
    Dialect.OPENLDAP: "ldif/openldap.ldif",
    Dialect.OPENLDAP_CLASSIC: "ldif/openldap.schema",
    Dialect.DS389: "ldif/389-ds.ldif",
}


@schema_app.command("ldif")
def ldif_command(
    dialect: Annotated[Dialect, typer.Argument(help="Which directory's schema.")] = Dialect.ACTIVE_DIRECTORY,
) -> None:
    """Print the schema, for ldifde or ldapmodify."""
    sys.stdout.write(files()[_FILES[dialect]])


@schema_app.command("plan")
@with_access
def plan_command(access: AdminAccess, *, json: JSON_OPTION = False) -> None:
    """Print what `apply` would change; write nothing. Exit status 1 when there is something to change."""
    _show(schema_admin.plan(access), json=json)


@schema_app.command("verify")
@with_access
def verify_command(access: AdminAccess, *, json: JSON_OPTION = False) -> None:
    """Whether the directory has all of the schema, as it should be. Exit status 1 when not."""
    _show(schema_admin.verify(access), json=json)


@schema_app.command("apply")
@with_access
def apply_command(
    access: AdminAccess,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="The same as `plan`.")] = False,
) -> None:
    """Install the schema, or bring an older one up to date. A second run changes nothing. It cannot be undone."""
    plan = schema_admin.plan(access)
    if dry_run:
        _show(plan, json=False)
        return
    applied = schema_admin.apply(access, plan, lambda step: out.print(describe(step), markup=False))
    out.print(f"{len(applied.changes)} changes" if applied.changes else "nothing to do")


def _show(plan: Plan, *, json: bool) -> None:
    if json:
        conflicts = [{"name": item.name, "problem": item.problem} for item in plan.conflicts]
        steps = [describe(step) for step in plan.changes]
        print_json({"target": plan.target, "done": plan.done, "steps": steps, "conflicts": conflicts})
    else:
        out.print(render(plan), markup=False)
    if not plan.done:
        raise typer.Exit(Exit.FOUND)
