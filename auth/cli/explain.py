"""`dirfactor explain`: what would happen at a logon and why."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from auth.app import rules
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
from auth.clock import SYSTEM_CLOCK
from auth.config import read_config
from auth.embedded_state import FailuresFile
from auth.facts_reader import FactsReader
from auth.keys.ring_file import RingFile
from auth.nodes import Nodes
from auth.settings import Settings
from auth.why.instant import NotAnInstant, read_instant
from auth.why.report import Report, as_data, as_text, reported
from auth.why.whom import NobodyMeant, people_meant
from dirsync.replica import Replica
from schema.errors import Fault

_USER = Annotated[str, typer.Argument(help="Login name as a client would send it, DN or objectGUID.")]
_NODE = Annotated[str, typer.Option("--node", "-n", help="Access node; may be left out when there is just one.")]
_AT = Annotated[
    str, typer.Option("--at", help="Another instant: 2026-11-24T07:30, Mon 07:30, +2h. The directory is as now.")
]


def explain_command(
    user: _USER,
    node: _NODE = "",
    at: _AT = "",
    config: CONFIG_OPTION = DEFAULT_CONFIG,
    *,
    json: JSON_OPTION = False,
) -> None:
    """Print what would happen at a logon, and why: each policy, each token, each check.

    Exit status 1 when it would be refused.
    """
    with faults():
        report = _report(read_config(Path(config)), user, node, at)
    if json:
        print_json(as_data(report))
    else:
        out.print(as_text(report))
    if report.explanation.outcome != "accepted":
        raise typer.Exit(Exit.FOUND)


@contextmanager
def known_to(settings: Settings) -> Iterator[FactsReader]:
    """What the service knows. Reads replica and state, and writes nothing, so that anybody who may read them can ask.

    Raises:
        Fault: it cannot be read, or there has been no sync.
    """
    with closing(Replica(settings.service.replica_file, named=settings.named_policies)) as replica:
        demand_a_sync(replica)
        nodes = Nodes(settings.nodes, settings.policies, settings.secrets, replica)
        failures = FailuresFile(settings.service.state_file).failures
        yield FactsReader(replica, nodes, failures, rules(settings), RingFile(settings.service.ring_file).ids)


def _report(settings: Settings, user: str, node: str, at: str) -> Report:
    now = SYSTEM_CLOCK.now()
    try:
        asked_at = read_instant(at, now) if at else None
        with known_to(settings) as known:
            chosen = node or _only_node(known)
            return reported(known.facts(chosen, people_meant(known, chosen, user)), now, asked_at)
    except (NotAnInstant, NobodyMeant) as fault:
        raise UsageFault(fault.problem, remedy=fault.remedy) from fault


def _only_node(known: FactsReader) -> str:
    names = known.nodes.names()
    if not names:
        raise Fault("there is no access node", remedy="add a [node:NAME] section or a dirfactorAccessNode")
    if len(names) > 1:
        raise UsageFault(
            "the access node decides too, and none is named", remedy=f"add --node; there are {', '.join(names)}"
        )
    return names[0]
