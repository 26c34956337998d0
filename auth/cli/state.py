"""`dirfactor state`: the nodes that share their state, and letting one go that is gone for good."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from auth.cli.default_config import DEFAULT_CONFIG
from auth.cli.faults import Exit, UsageFault, faults
from auth.cli.output import CONFIG_OPTION, JSON_OPTION, out, print_json
from auth.clock import SYSTEM_CLOCK
from auth.config import read_config
from auth.shared.settings import SharedSettings

state_app = typer.Typer(help="Show the nodes that share the state of logins, and let one go that is gone for good.")

_NODE = Annotated[str, typer.Argument(help="Its name, as `dirfactor state nodes` prints it.", show_default=False)]


@state_app.command("nodes")
def nodes_command(config: CONFIG_OPTION = DEFAULT_CONFIG, *, json: JSON_OPTION = False) -> None:
    """Print who shares the state of [state], when each was last heard of, and for whom the others wait.

    Exit status 1 when somebody is waited for: the store had forgotten what it knew, and logons that need it are refused
    until this node has brought back what it knows.
    """
    from auth.shared.reader import SharedReader  # noqa: PLC0415 - it needs the client of Valkey

    with faults():
        reader = SharedReader(_section(config))
        members, awaited = reader.members(), reader.awaited()
    rows = [
        {"node": name, "heard_of": _instant(members.get(name)), "awaited": name in awaited}
        for name in sorted({*members, *awaited})
    ]
    if json:
        print_json(rows)
    for row in () if json else rows:
        waiting = ", waited for: start it, or let it go by `dirfactor state forget`" if row["awaited"] else ""
        out.print(f"{row['node']:<24} heard of {row['heard_of'] or 'never'}{waiting}", markup=False)
    if not rows and not json:
        out.print("no node has been there yet")
    if awaited:
        raise typer.Exit(Exit.FOUND)


@state_app.command("forget")
def forget_command(node: _NODE, config: CONFIG_OPTION = DEFAULT_CONFIG) -> None:
    """Wait for a node no more. Codes that only this node has seen are good again where the store has forgotten them.

    Let go only a node whose disk is lost; one that can be started brings back what it knows.
    """
    from auth.shared.reader import SharedReader  # noqa: PLC0415 - it needs the client of Valkey

    with faults():
        if not SharedReader(_section(config)).forget(node):
            raise UsageFault(f"there is no node {node}", remedy="dirfactor state nodes prints their names")
    out.print(f"{node} is waited for no more", markup=False)


def _section(config: str) -> SharedSettings:
    settings = read_config(Path(config))
    if settings.state is None:
        raise UsageFault("no state is shared", remedy="name a server in [state] of config.ini: docs/nodes.md")
    return settings.state


def _instant(microseconds: int | None) -> str | None:
    if microseconds is None:
        return None
    at = datetime.fromtimestamp(microseconds / 1e6, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%SZ}, {max(0, round((SYSTEM_CLOCK.now() - at).total_seconds()))} s ago"
