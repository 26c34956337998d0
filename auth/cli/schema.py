"""`dirfactor schema`: print the schema, compare it with a directory's, install it, verify it."""

import functools
import getpass
import inspect
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from auth.cli.output import JSON_OPTION, Exit, faults, out, print_json
from dirsync.admin import schema as schema_admin
from dirsync.admin.connection import AdminAccess
from dirsync.admin.plan import Plan, describe, render
from schema.__main__ import files
from schema.errors import Fault
from schema.secret import Secret

schema_app = typer.Typer(help="Print, compare, install and verify the directory's schema.", no_args_is_help=True)

_URL = Annotated[list[str], typer.Option("--url", help="ldaps://SERVER, the schema master; ldapi:/// for OpenLDAP.")]
_BIND = Annotated[str, typer.Option("--bind", help="Administrator: user principal name or DN.")]
_PASSWORD = Annotated[
    Path | None, typer.Option("--password-file", help="File with the password; asked for when it is absent.")
]
_CA = Annotated[Path | None, typer.Option("--ca-file", help="PEM file of the authorities to trust.")]
_START_TLS = Annotated[bool, typer.Option("--start-tls", help="Upgrade ldap:// to TLS first.")]


class Dialect(StrEnum):
    """Which directory's schema."""

    ACTIVE_DIRECTORY = "active-directory"
    OPENLDAP = "openldap"
    OPENLDAP_CLASSIC = "openldap-classic"


_FILES = {
    Dialect.ACTIVE_DIRECTORY: "ldif/active-directory.ldif",
    Dialect.OPENLDAP: "ldif/openldap.ldif",
    Dialect.OPENLDAP_CLASSIC: "ldif/openldap.schema",
}


@schema_app.command("ldif")
def ldif_command(
    dialect: Annotated[Dialect, typer.Argument(help="Which directory's schema.")] = Dialect.ACTIVE_DIRECTORY,
) -> None:
    """Print the schema, for ldifde or ldapmodify."""
    sys.stdout.write(files()[_FILES[dialect]])


def _with_access(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of `_access` in place of its first argument; faults end it."""
    options = inspect.signature(_access).parameters
    own = list(inspect.signature(command).parameters.values())[1:]

    @functools.wraps(command)
    def run(**values: Any) -> None:
        with faults():
            command(_access(**{name: values.pop(name) for name in options}), **values)

    shown = inspect.Signature([*options.values(), *own])
    run.__signature__ = shown  # type: ignore[attr-defined] # typer makes the options of it
    run.__annotations__ = {item.name: item.annotation for item in shown.parameters.values()}
    return run


def _access(
    *, url: _URL, bind: _BIND = "", password_file: _PASSWORD = None, ca_file: _CA = None, start_tls: _START_TLS = False
) -> AdminAccess:
    password = _password(bind, password_file) if bind else None
    return AdminAccess(tuple(url), bind, password, ca_file, start_tls=start_tls)


@schema_app.command("plan")
@_with_access
def plan_command(access: AdminAccess, *, json: JSON_OPTION = False) -> None:
    """Print what `apply` would change; write nothing. Exit status 1 when there is something to change."""
    _show(schema_admin.plan(access), json=json)


@schema_app.command("verify")
@_with_access
def verify_command(access: AdminAccess, *, json: JSON_OPTION = False) -> None:
    """Whether the directory has all of the schema, as it should be. Exit status 1 when not."""
    _show(schema_admin.verify(access), json=json)


@schema_app.command("apply")
@_with_access
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


def _password(bind: str, file: Path | None) -> Secret:
    if file is None:
        return Secret(getpass.getpass(f"Password of {bind}: "))
    try:
        return Secret(file.read_text(encoding="utf-8").rstrip("\r\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise Fault(f"password file {file}: {error}", remedy="give a readable UTF-8 file") from error
