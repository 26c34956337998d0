"""`dirfactor explain`: what would happen at a logon and why."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from auth.app import rules
from auth.cli.default_config import DEFAULT_CONFIG
from auth.cli.explain_changes import changes_answer, print_answer
from auth.cli.faults import Exit, UsageFault, faults
from auth.cli.output import CONFIG_OPTION, JSON_OPTION, demand_a_sync, out, print_json
from auth.clock import SYSTEM_CLOCK
from auth.config import read_config
from auth.facts import Facts
from auth.facts_reader import FactsReader
from auth.keys.ring_file import RingFile
from auth.nodes import Nodes
from auth.settings import Settings
from auth.state import StateReader
from auth.state_reader import state_reader
from auth.why import past
from auth.why.instant import NotAnInstant, read_instant
from auth.why.journal import read_events
from auth.why.packing import Kept
from auth.why.replay import replayed
from auth.why.report import Report, as_data, reported
from auth.why.report_text import as_text
from auth.why.whom import NobodyMeant, people_meant
from dirsync.replica import Replica
from schema.errors import Fault

_USER = Annotated[
    str, typer.Argument(help="Login name as a client would send it, DN or objectGUID.", show_default=False)
]
_EVENT = Annotated[
    str,
    typer.Option("--event", help="Decide a past outcome again: its correlation id, as the audit has it.", metavar="ID"),
]
_NODE = Annotated[str, typer.Option("--node", "-n", help="Access node; may be left out when there is just one.")]
_AT = Annotated[
    str, typer.Option("--at", help="Another instant: 2026-11-24T07:30, Mon 07:30, +2h. The directory is as now.")
]


_CHANGES = Annotated[
    Path | None,
    typer.Option("--changes", help="Say who would come to something else if this LDIF were applied.", metavar="FILE"),
]
_LIMIT = Annotated[
    int | None, typer.Option("--limit", min=0, help="With --changes: so many users of each effect; 0 for all.")
]


def explain_command(
    user: _USER = "",
    node: _NODE = "",
    at: _AT = "",
    event: _EVENT = "",
    changes: _CHANGES = None,
    limit: _LIMIT = None,
    config: CONFIG_OPTION = DEFAULT_CONFIG,
    *,
    json: JSON_OPTION = False,
) -> None:
    """Print what would happen at a logon of USER and why, what happened at a past one, or what a change will do.

    Exit status 1 when the logon would be refused, is decided otherwise today, or somebody would lose access.
    """
    with faults():
        settings = read_config(Path(config))
        if event:
            _demand(not (user or node or at or changes), "--event stands alone")
            found = _event(settings, event, json=json)
        elif changes:
            _demand(not user, "--changes is about everybody")
            answer = changes_answer(settings, changes, node, _instant(at, SYSTEM_CLOCK.now()))
            print_answer(answer, limit, json=json)
            found = answer.takes_access
        else:
            _demand(bool(user), "nobody is named")
            found = _user(settings, user, node, at, json=json)
    if found:
        raise typer.Exit(Exit.FOUND)


def _demand(holds: object, problem: str) -> None:
    if not holds:
        raise UsageFault(problem, remedy="dirfactor explain USER, or --event ID, or --changes FILE")


def _user(settings: Settings, user: str, node: str, at: str, *, json: bool) -> bool:
    report = _report(settings, user, node, at)
    if json:
        print_json(as_data(report))
    else:
        out.print(as_text(report))
    return report.explanation.outcome != "accepted"


def _event(settings: Settings, identity: str, *, json: bool) -> bool:
    events = read_events(settings.service.journal_file, identity)
    if not events:
        raise UsageFault(
            f"no event {identity} is kept",
            remedy="give a correlation id of the audit; [service] journal_days says for how long events are kept",
        )
    with known_to(settings) as (known, memory):
        now = SYSTEM_CLOCK.now()
        replays = [replayed(event, _today(known, memory, event, now), now) for event in events]
    if json:
        print_json([past.as_data(replay) for replay in replays])
    else:
        out.print(past.as_text(replays))
    return not all(replay.same for replay in replays)


def _today(known: FactsReader, memory: StateReader, event: Kept, now: datetime) -> Facts | None:
    """What is known now of whom the last decision was about."""
    if not event.moments:
        return None
    people = (known.directory.person(person.id) for person in event.moments[-1].facts.found)
    found = tuple(person for person in people if person)
    return known.facts(event.node, found, memory.recall(known.wanted(event.node, found, now), now))


@contextmanager
def known_to(settings: Settings) -> Iterator[tuple[FactsReader, StateReader]]:
    """What the service knows. Reads replica and state, and writes nothing, so that anybody who may read them can ask.

    Raises:
        Fault: it cannot be read, or there has been no sync.
    """
    with closing(Replica(settings.service.replica_file, named=settings.named_policies)) as replica:
        demand_a_sync(replica)
        ring = RingFile(settings.service.ring_file)
        nodes = Nodes(settings.nodes, settings.policies, settings.secrets, replica, ring.ring)
        yield FactsReader(replica, nodes, rules(settings), ring.ids), state_reader(settings)


def _report(settings: Settings, user: str, node: str, at: str) -> Report:
    now = SYSTEM_CLOCK.now()
    asked_at = _instant(at, now)
    try:
        with known_to(settings) as (known, memory):
            chosen = node or _only_node(known)
            found = people_meant(known, chosen, user)
            then = asked_at or now
            recalled = memory.recall(known.wanted(chosen, found, then), then)
            return reported(known.facts(chosen, found, recalled), now, asked_at)
    except NobodyMeant as fault:
        raise UsageFault(fault.problem, remedy=fault.remedy) from fault


def _instant(text: str, now: datetime) -> datetime | None:
    try:
        return read_instant(text, now) if text else None
    except NotAnInstant as fault:
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
