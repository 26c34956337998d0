"""The options by which a command reaches a directory as an administrator, the same for all such commands."""

import functools
import getpass
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from auth.cli.faults import faults
from dirsync.admin.connection import AdminAccess
from schema.errors import Fault
from schema.secret import Secret

URL = Annotated[list[str], typer.Option("--url", help="ldaps://SERVER of the directory; ldapi:/// for OpenLDAP.")]
BIND = Annotated[str, typer.Option("--bind", help="Administrator: user principal name or DN.")]
PASSWORD_FILE = Annotated[
    Path | None, typer.Option("--password-file", help="File with the password; asked for when it is absent.")
]
CA_FILE = Annotated[Path | None, typer.Option("--ca-file", help="PEM file of the authorities to trust.")]
START_TLS = Annotated[bool, typer.Option("--start-tls", help="Upgrade ldap:// to TLS first.")]


def with_options(read: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes commands: the options of `read` stand in place of a command's first argument, which is what it returns.

    Faults of both end the command.
    """
    options = inspect.signature(read).parameters

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(command).parameters.values())[1:]

        @functools.wraps(command)
        def run(**values: Any) -> None:
            with faults():
                command(read(**{name: values.pop(name) for name in options}), **values)

        # all by name: arguments of the command may stand beside the options of all
        parameters = [item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for item in (*own, *options.values())]
        shown = inspect.Signature(parameters)
        run.__signature__ = shown  # type: ignore[attr-defined] # typer makes the options of it
        run.__annotations__ = {item.name: item.annotation for item in shown.parameters.values()}
        return run

    return decorate


def _access(
    *,
    url: URL,
    bind: BIND = "",
    password_file: PASSWORD_FILE = None,
    ca_file: CA_FILE = None,
    start_tls: START_TLS = False,
) -> AdminAccess:
    password = read_password(bind, password_file) if bind else None
    return AdminAccess(tuple(url), bind, password, ca_file, start_tls=start_tls)


def read_password(bind: str, file: Path | None) -> Secret:
    """The administrator's password, from a file or the terminal.

    Raises:
        Fault: the file cannot be read.
    """
    if file is None:
        return Secret(getpass.getpass(f"Password of {bind}: "))
    try:
        return Secret(file.read_text(encoding="utf-8").rstrip("\r\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise Fault(f"password file {file}: {error}", remedy="give a readable UTF-8 file") from error


with_access = with_options(_access)
"""An administrator's command: these options stand in place of its first argument, an `AdminAccess`."""
