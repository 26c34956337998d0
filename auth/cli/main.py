"""The top of the command line: the commands an operator starts with."""

import asyncio
import logging
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from auth.app import rules, serve
from auth.cli.check import check_app
from auth.cli.delegate import delegate_app
from auth.cli.doctor import doctor_command
from auth.cli.email import email_app
from auth.cli.output import (
    CONFIG_OPTION,
    DEFAULT_CONFIG,
    JSON_OPTION,
    Exit,
    UsageFault,
    demand_a_sync,
    faults,
    out,
    print_json,
)
from auth.cli.policy import policy_app
from auth.cli.schema import schema_app
from auth.cli.sync import sync_app
from auth.cli.token import token_app
from auth.cli.user import user_app
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.config import read_config
from auth.embedded_state import FailuresFile
from auth.facts_reader import FactsReader
from auth.keys.ring_file import RingFile
from auth.nodes import Nodes
from auth.preflight import examined_config, needed_to_serve
from auth.settings import Settings
from auth.version import __version__
from auth.why.explain import Explanation, explain
from auth.why.report import as_data, as_text
from dirsync.replica import Replica
from schema.errors import Fault

app = typer.Typer(
    name="dirfactor",
    help="A second factor for the directory you already run.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(check_app, name="check")
app.add_typer(policy_app, name="policy")
app.add_typer(schema_app, name="schema")
app.add_typer(delegate_app, name="delegate")
app.add_typer(email_app, name="email")
app.add_typer(token_app, name="token")
app.add_typer(sync_app, name="sync")
app.add_typer(user_app, name="user")
app.command("doctor")(doctor_command)


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
        settings = asyncio.run(examined_config(Path(config), needed_to_serve, SYSTEM_CLOCK, SYSTEM_ENTROPY))
        start_logging(settings.service.log_level)
        uvloop.run(serve(settings, SYSTEM_CLOCK, SYSTEM_ENTROPY))


@app.command("explain")
def explain_command(
    user: Annotated[str, typer.Argument(help="Login name, as a client would send it.")],
    node: Annotated[
        str, typer.Option("--node", "-n", help="Access node; may be left out when there is just one.")
    ] = "",
    config: CONFIG_OPTION = DEFAULT_CONFIG,
    *,
    json: JSON_OPTION = False,
) -> None:
    """Print what would happen at a logon now, and why: each policy, each token, each check."""
    with faults():
        settings = read_config(Path(config))
        explanation = _explain(settings, user, node)
    if json:
        print_json(as_data(explanation))
    else:
        out.print(as_text(explanation), markup=False)
    if explanation.outcome != "accepted":
        raise typer.Exit(Exit.FOUND)


def _explain(settings: Settings, user: str, node: str) -> Explanation:
    """Reads replica and state, and writes nothing, so that anybody who may read them can ask."""
    with closing(Replica(settings.service.replica_file, named=settings.named_policies)) as replica:
        demand_a_sync(replica)
        nodes = Nodes(settings.nodes, settings.policies, settings.secrets, replica)
        failures = FailuresFile(settings.service.state_file).failures
        known = FactsReader(replica, nodes, failures, rules(settings), RingFile(settings.service.ring_file).ids)
        names = nodes.names()
        if not node and not names:
            raise Fault("there is no access node", remedy="add a [node:NAME] section or a dirfactorAccessNode")
        if not node and len(names) > 1:
            raise UsageFault(
                "the access node decides too, and none is named", remedy=f"add --node; there are {', '.join(names)}"
            )
        chosen = node or names[0]
        return explain(known.facts(chosen, known.people(chosen, user)), SYSTEM_CLOCK.now())


@app.command("api-key")
def api_key_command() -> None:
    """Draw an API key for an application; its hash goes into dirfactorApiKeyHash of the access node."""
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
