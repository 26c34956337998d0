"""The options by which a command reaches a directory as an administrator, the same for all such commands."""

import functools
import getpass
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from auth.cli.output import faults
from dirsync.admin.connection import AdminAccess
from schema.errors import Fault
from schema.secret import Secret

_URL = Annotated[list[str], typer.Option("--url", help="ldaps://SERVER of the directory; ldapi:/// for OpenLDAP.")]
_BIND = Annotated[str, typer.Option("--bind", help="Administrator: user principal name or DN.")]
_PASSWORD = Annotated[
    Path | None, typer.Option("--password-file", help="File with the password; asked for when it is absent.")
]
_CA = Annotated[Path | None, typer.Option("--ca-file", help="PEM file of the authorities to trust.")]
_START_TLS = Annotated[bool, typer.Option("--start-tls", help="Upgrade ldap:// to TLS first.")]


def with_access(command: Callable[..., None]) -> Callable[..., None]:
    """The command with these options in place of its first argument, an `AdminAccess`; faults end it."""
    options = inspect.signature(_access).parameters
    own = list(inspect.signature(command).parameters.values())[1:]

    @functools.wraps(command)
    def run(**values: Any) -> None:
        with faults():
            command(_access(**{name: values.pop(name) for name in options}), **values)

    # a command has its arguments by name, so they may stand in any order
    shown = inspect.Signature([item.replace(kind=item.KEYWORD_ONLY) for item in (*options.values(), *own)])
    run.__signature__ = shown  # type: ignore[attr-defined] # typer makes the options of it
    run.__annotations__ = {item.name: item.annotation for item in shown.parameters.values()}
    return run


def _access(
    *, url: _URL, bind: _BIND = "", password_file: _PASSWORD = None, ca_file: _CA = None, start_tls: _START_TLS = False
) -> AdminAccess:
    password = _password(bind, password_file) if bind else None
    return AdminAccess(tuple(url), bind, password, ca_file, start_tls=start_tls)


def _password(bind: str, file: Path | None) -> Secret:
    if file is None:
        return Secret(getpass.getpass(f"Password of {bind}: "))
    try:
        return Secret(file.read_text(encoding="utf-8").rstrip("\r\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise Fault(f"password file {file}: {error}", remedy="give a readable UTF-8 file") from error
