"""The top of the command line: the commands an operator starts with."""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from auth.cli.audit import audit_app
from auth.cli.check import check_app
from auth.cli.delegate import delegate_app
from auth.cli.doctor import doctor_command
from auth.cli.email import email_app
from auth.cli.explain import explain_command
from auth.cli.output import CONFIG_OPTION, DEFAULT_CONFIG, Exit, faults, out
from auth.cli.policy import policy_app
from auth.cli.radius import radius_app
from auth.cli.schema import schema_app
from auth.cli.sealed.imports import import_command
from auth.cli.sealed.keys import keys_app
from auth.cli.sealed.node import node_app
from auth.cli.sealed.pin import pin_command
from auth.cli.sealed.response import temporary_response_command
from auth.cli.sms import sms_app
from auth.cli.sync import sync_app
from auth.cli.token import token_app
from auth.cli.user import user_app
from auth.cli.vip import vip_app
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.preflight import examined_config, needed_to_start
from auth.serving.host import serve_host
from auth.version import __version__

app = typer.Typer(
    name="dirfactor",
    help="A second factor for the directory you already run.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(audit_app, name="audit")
app.add_typer(check_app, name="check")
app.add_typer(policy_app, name="policy")
app.add_typer(schema_app, name="schema")
app.add_typer(delegate_app, name="delegate")
app.add_typer(email_app, name="email")
app.add_typer(radius_app, name="radius")
app.add_typer(sms_app, name="sms")
app.add_typer(token_app, name="token")
app.add_typer(sync_app, name="sync")
app.add_typer(user_app, name="user")
app.add_typer(vip_app, name="vip")
app.add_typer(keys_app, name="keys")
app.add_typer(node_app, name="node")
token_app.command("import")(import_command)
user_app.command("pin")(pin_command)
user_app.command("temporary-response")(temporary_response_command)
app.command("doctor")(doctor_command)
app.command("explain")(explain_command)


@app.callback(invoke_without_command=True)
def top(*, version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    """A second factor for the directory you already run."""
    if version:
        out.print(__version__)
        raise typer.Exit


@app.command("serve")
def serve_command(config: CONFIG_OPTION = DEFAULT_CONFIG) -> None:
    """Run the service: both doors and the sync, until SIGTERM."""
    with faults():
        settings = asyncio.run(examined_config(Path(config), needed_to_start, SYSTEM_CLOCK, SYSTEM_ENTROPY))
        start_logging(settings.service.log_level)
        status = serve_host(settings, SYSTEM_CLOCK, SYSTEM_ENTROPY)
    raise typer.Exit(status)


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


def start_logging(level: str) -> None:
    """Log lines on standard error, with UTC times; other libraries only when they warn."""
    logging.basicConfig(
        stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.WARNING
    )
    logging.getLogger("dirfactor").setLevel(level.upper())


def main() -> None:
    """The entry point."""
    app()
