"""`dirfactor node secret`: the RADIUS shared secret of an access node that stands in the directory."""

from pathlib import Path
from typing import Annotated

import typer

from auth.cli.access import read_password
from auth.cli.administrator import DRY_RUN, Administrator, writes_directory
from auth.cli.faults import UsageFault
from auth.cli.output import JSON_OPTION
from auth.cli.sealed.ring import sealing_ring
from auth.cli.sealed.write import write
from auth.clock import SYSTEM_ENTROPY
from auth.doctor.strength import shared_secrets
from auth.keys.sealing import NONCE_OCTETS
from auth.keys.shared_secret import sealed_shared_secret
from dirsync.admin.directory import entry_id
from dirsync.admin.edit import Replacement
from dirsync.admin.nodes import named_node
from schema.secret import Secret

node_app = typer.Typer(help="Access nodes of the directory.", no_args_is_help=True)
_ATTRIBUTE = "dirfactorSharedSecret"
_DRAWN_OCTETS = 24


@node_app.callback()
def nodes() -> None:
    """Access nodes of the directory."""


@node_app.command("secret")
@writes_directory
def secret_command(
    administrator: Administrator,
    node: Annotated[str, typer.Argument(help="Name or DN of the access node.", metavar="NODE")],
    *,
    generate: Annotated[bool, typer.Option("--generate", help="Draw it, and print it this once.")] = False,
    secret_file: Annotated[
        Path | None, typer.Option("--secret-file", help="File with it; asked for when it is absent.", metavar="FILE")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take it away.")] = False,
    dry_run: DRY_RUN = False,
    json: JSON_OPTION = False,
) -> None:
    """Set the RADIUS shared secret of an access node, sealed; it goes before dirfactorSharedSecretName."""
    if sum((generate, secret_file is not None, clear)) > 1:
        raise UsageFault("--generate, --secret-file and --clear exclude each other", remedy="give one of them")
    ring = None if clear else sealing_ring(administrator, dry_run=dry_run)
    with administrator.directory() as directory:
        found = named_node(directory, node)
        if ring is None:
            gone = (Replacement(_ATTRIBUTE),)
            write(directory, found, gone, "the shared secret is taken away", {}, "", dry_run=dry_run, json=json)
            return
        secret = Secret(SYSTEM_ENTROPY.octets(_DRAWN_OCTETS).hex()) if generate else _given(secret_file, node)
        value = sealed_shared_secret(ring, entry_id(found), secret, SYSTEM_ENTROPY.octets(NONCE_OCTETS))
        said = f"the shared secret is {secret.text}, shown this once" if generate else "the shared secret is set"
        shown = {"secret": secret.text} if generate else {}
        write(
            directory, found, (Replacement(_ATTRIBUTE, (value.encode(),)),), said, shown, "", dry_run=dry_run, json=json
        )


def _given(file: Path | None, node: str) -> Secret:
    if file is not None:
        secret = read_password("", file)
    else:
        secret = Secret(typer.prompt("Shared secret", hide_input=True, confirmation_prompt=True, err=True))
    for weakness in shared_secrets({node: secret}):
        raise UsageFault(weakness.detail, remedy="let one be drawn with --generate")
    return secret
