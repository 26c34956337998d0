"""The top of the command line: the commands an operator starts with."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from auth.cli.default_config import DEFAULT_CONFIG
from auth.cli.faults import Exit, faults
from auth.cli.later import later
from auth.cli.output import CONFIG_OPTION, out
from auth.clock import SYSTEM_ENTROPY
from auth.version import __version__

_LATER = {
    "audit": "auth.cli.audit:audit_app",
    "check": "auth.cli.check:check_app",
    "policy": "auth.cli.policy:policy_app",
    "schema": "auth.cli.schema:schema_app",
    "delegate": "auth.cli.delegate:delegate_app",
    "email": "auth.cli.email:email_app",
    "radius": "auth.cli.radius:radius_app",
    "state": "auth.cli.state:state_app",
    "sms": "auth.cli.sms:sms_app",
    "sync": "auth.cli.sync:sync_app",
    "token": "auth.cli.token:token_app",
    "user": "auth.cli.user:user_app",
    "vip": "auth.cli.vip:vip_app",
    "keys": "auth.cli.sealed.keys:keys_app",
    "node": "auth.cli.sealed.node:node_app",
    "doctor": "auth.cli.doctor:doctor_command",
    "explain": "auth.cli.explain:explain_command",
}
app = typer.Typer(
    name="dirfactor",
    cls=later(_LATER),
    help="A second factor for the directory you already run.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def top(*, version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    """A second factor for the directory you already run."""
    if version:
        out.print(__version__)
        raise typer.Exit


@app.command("serve")
def serve_command(config: CONFIG_OPTION = DEFAULT_CONFIG) -> None:
    """Run the service: both doors and the sync, until SIGTERM."""
    from auth.cli.serve import serve  # noqa: PLC0415 - the other commands do without the service

    raise typer.Exit(serve(Path(config)))


@app.command("api-key")
def api_key_command() -> None:
    """Draw an API key; its hash goes into dirfactorApiKeyHash of an access node, or api_key_hash of [admin:NAME]."""
    import hashlib  # noqa: PLC0415 - one command's business

    key = SYSTEM_ENTROPY.octets(32).hex()
    out.print(f"API key, shown this once: {key}")
    out.print(f"dirfactorApiKeyHash = {hashlib.sha256(key.encode()).hexdigest()}")


@app.command("demo")
def demo_command(
    *, keep: Annotated[bool, typer.Option("--keep", help="Keep the demo's folder, with its logs.")] = False
) -> None:
    """Run the real service on a small directory of its own and log people on, by SMS, e-mail and VIP."""
    from auth.demo.scenario import run_demo  # noqa: PLC0415 - only the demo needs its servers

    with faults():
        passed = asyncio.run(run_demo(out, keep=keep))
    raise typer.Exit(Exit.DONE if passed else Exit.FOUND)
