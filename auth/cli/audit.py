"""`dirfactor audit`: why a logon ended as it did, and whether the record of it is as it was written."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from auth.audit.files import AuditFiles, day_of
from auth.audit.keys import AuditKey, public_key
from auth.audit.proof.lines import Keys, Read
from auth.audit.proof.tampering import Found, Verdict
from auth.audit.proof.verify import verify
from auth.cli.audit_show import SINCE, instant, reading, show_command
from auth.cli.default_config import DEFAULT_CONFIG
from auth.cli.faults import Exit, UsageFault, faults
from auth.cli.output import CONFIG_OPTION, JSON_OPTION, out, print_json
from auth.cli.progress import followed
from auth.config import read_config
from auth.keys import private_file
from schema.errors import Fault

audit_app = typer.Typer(help="Why a logon ended as it did, and whether the audit is as written.", no_args_is_help=True)
audit_app.command("show")(show_command)

_PUBLIC_KEY = Annotated[
    str, typer.Option("--public-key", help="Prove it with this key (PEM), not with the service's own.", metavar="FILE")
]
_COPY = Annotated[
    str, typer.Option("--copy", help="A copy of the audit: FOLDER/audit.jsonl; needs --public-key.", metavar="FILE")
]


@audit_app.command("verify")
def verify_command(
    since: SINCE = "",
    public_key_file: _PUBLIC_KEY = "",
    copy: _COPY = "",
    config: CONFIG_OPTION = DEFAULT_CONFIG,
    *,
    json: JSON_OPTION = False,
) -> None:
    """Prove that the audit is as it was written, or name the first line that is not, and what was done.

    With the service's own key every line is proved by its seal; with the public key alone by the chain between signed
    checkpoints. Exit status 1 when something is not as it was written.
    """
    with faults(), reading():
        if copy and not public_key_file:
            raise UsageFault("a copy is proved with the public key", remedy="add --public-key FILE")
        files = AuditFiles(Path(copy), Path()) if copy else read_config(Path(config)).service.audit
        keys = Keys(public_key(Path(public_key_file))) if public_key_file else _own(files)
        at = instant(since)
        verdict = verify(files, keys, _watched, day_of(at) if at else "")
    if json:
        print_json(_as_data(verdict))
    else:
        out.print(_as_text(verdict), markup=False)
    if verdict.found:
        raise typer.Exit(Exit.FOUND)


@audit_app.command("public-key")
def public_key_command(config: CONFIG_OPTION = DEFAULT_CONFIG) -> None:
    """Print the key that proves the audit elsewhere; keep it where nobody can change it who can change the audit."""
    with faults():
        pem = _own(read_config(Path(config)).service.audit).public.pem
    out.print(pem, markup=False, end="")


def _own(files: AuditFiles) -> Keys:
    if not files.key.exists():
        raise Fault(f"{files.key} is not there", remedy="the first `dirfactor serve` makes it; or give --public-key")
    key = AuditKey(private_file.read(files.key))
    return Keys(key.public, key)


def _watched(lines: Iterable[Read], total: int) -> Iterable[Read]:
    return followed(lines, "lines", partial(int, total))


def _as_text(verdict: Verdict) -> str:
    notes = [f"{verdict.lines:,} lines proved"]
    if verdict.lines:
        notes.append(f"{verdict.first} to {verdict.last}, signed up to {verdict.signed}")
    if verdict.torn:
        notes.append(f"{verdict.torn} broken off by a crash, and closed")
    if verdict.dropped:
        notes.append(f"{verdict.dropped} not exported")
    proved = "; ".join(notes)
    return f"{_found_text(verdict.found)}\n{proved}" if verdict.found else f"as it was written: {proved}"


def _found_text(found: Found) -> str:
    where = f"{found.file} line {found.line}" if found.line else found.file
    number = f" (number {found.seq})" if found.seq else ""
    detail = f"\n    {found.detail}" if found.detail else ""
    return f"{where}{number}: {found.what}: {found.what.meaning}{detail}"


def _as_data(verdict: Verdict) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(verdict)
    return data
