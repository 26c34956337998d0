"""`dirfactor radius`: what access nodes send, and which of their settings could be stricter."""

from pathlib import Path
from typing import Any

import msgspec
import typer
from rich.table import Table

from auth.cli.default_config import DEFAULT_CONFIG
from auth.cli.faults import Exit, faults
from auth.cli.output import CONFIG_OPTION, JSON_OPTION, out, print_json
from auth.config import read_config
from auth.radius.habits import Advice, advice
from auth.radius.habits_file import read_all_habits
from dirsync.replica import Replica
from schema.words import NodeType

radius_app = typer.Typer(help="RADIUS clients: what they send.", no_args_is_help=True)


@radius_app.callback()
def top() -> None:
    """RADIUS clients: what they send."""


@radius_app.command("clients")
def clients_command(config: CONFIG_OPTION = DEFAULT_CONFIG, *, json: JSON_OPTION = False) -> None:
    """Print what each access node has sent in the last thirty days, and the setting that it could have.

    Nothing is set by itself: whoever could make a client look careful, or careless, would set it. Exit code 1 when a
    setting could be stricter.
    """
    with faults():
        settings = read_config(Path(config))
        habits = read_all_habits(settings.service.habits_file)
        replica = Replica(settings.service.replica_file, named=settings.named_policies)
        listed = [item.node for item in settings.nodes.values()] + [item.node for item in replica.nodes()]
        found = [
            advice(
                node.name,
                habits.get(node.name),
                requires=node.require_message_authenticator,
                limits=node.limit_proxy_state,
            )
            for node in listed
            if node.node_type is not NodeType.HTTP
        ]
        replica.close()
    if json:
        print_json([_plain(each) for each in found])
    else:
        out.print(_table(found))
        for each in found:
            if each.setting or each.why:
                out.print(f"{each.node}: {each.setting or 'leave it as it is'} ({each.why})", markup=False)
    raise typer.Exit(Exit.FOUND if any(each.setting for each in found) else Exit.DONE)


def _plain(found: Advice) -> dict[str, Any]:
    counts = {name: getattr(found.counts, name) for name in found.counts.__struct_fields__}
    return {**msgspec.structs.asdict(found), "counts": counts}


def _table(found: list[Advice]) -> Table:
    table = Table("access node", "since", "last", "days", "requests", "proven", "PAP", "CHAP", "EAP", "not answered")
    for each in found:
        counts = each.counts
        table.add_row(
            each.node,
            f"{each.since or ''}",
            f"{each.last or ''}",
            *(
                f"{number}"
                for number in (each.days, counts.packets, counts.proven, counts.pap, counts.chap, counts.eap)
            ),
            f"{counts.refused}",
        )
    return table
