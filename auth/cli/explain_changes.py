"""`dirfactor explain --changes`: what a file of changes would do to everybody's logon, tried on a copy."""

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from auth.app import rules
from auth.cli.faults import Exit, UsageFault
from auth.cli.output import demand_a_sync, err, out, print_json
from auth.cli.progress import followed
from auth.clock import SYSTEM_CLOCK
from auth.facts_reader import FactsReader
from auth.keys.ring_file import RingFile
from auth.nodes import Nodes
from auth.settings import Settings
from auth.weakening import loss_under
from auth.why.impact import ANY_NODE, Impact, World, ambiguous, impacts, node_names, nodes_differ
from auth.why.logon import Effect
from dirsync.ldif.changes import Record, read_changes
from dirsync.replica import Replica
from dirsync.replica.concern import Side
from dirsync.replica.store import open_for_reading
from dirsync.replica.tripwire import Tripwire
from dirsync.trial.affected import affected
from dirsync.trial.attempt import Attempted, attempt
from dirsync.trial.copy import copied
from dirsync.trial.refusal import ChangesRefused
from schema.entry import EntryId
from schema.ldif_lines import BrokenLdif

_FIRST = 20
_ACCESS = {Effect.LOSES, Effect.AMBIGUOUS}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the changes would do.

    Attributes:
        attempted: what they come to in the directory.
        impacts: what they do to whom, the worst first.
        users: how many users there are, before or after.
        nodes: the access nodes that were looked at.
        version: version of the replica that they were tried on.
        age: its age in seconds.
        held: how many users lose something that the tripwire counts, where that is too many; else 0.
    """

    attempted: Attempted
    impacts: tuple[Impact, ...]
    users: int
    nodes: tuple[str, ...]
    version: int
    age: float
    held: int

    @property
    def takes_access(self) -> bool:
        """Whether anybody loses access, or a login name."""
        return any(item.effect in _ACCESS for item in self.impacts)


def changes_answer(settings: Settings, file: Path, node: str, at: datetime | None) -> Answer:
    """Try the changes.

    Args:
        settings: config.ini.
        file: LDIF with the changes.
        node: the access node to look at; empty for all.
        at: the instant of the logons; None for whenever the hours permit them.

    Raises:
        typer.Exit: the file cannot be followed, which has been said line by line.
        Fault: the replica cannot be read, or the copy not be written.
    """
    records = _records(file)
    now = SYSTEM_CLOCK.now()
    with tempfile.TemporaryDirectory(prefix="dirfactor-") as folder, ExitStack() as stack:
        one, two = Path(folder, "before"), Path(folder, "after")
        copied(settings.service.replica_file, one)
        copied(one, two)
        attempted = _attempted(settings, file, two, records)
        sides = [stack.enter_context(closing(Replica(copy, named=settings.named_policies))) for copy in (one, two)]
        before, after = (_world(settings, side) for side in sides)
        freshness = sides[0].freshness()
        nodes = node_names(before, after, node)
        if node and node not in before.nodes.keys() | after.nodes.keys():
            raise UsageFault(
                f"there is no access node {node}", remedy=f"there are {', '.join(node_names(before, after))}"
            )
        everybody = list(dict.fromkeys(user for side in sides for user in side.users()))
        users = everybody if nodes_differ(before, after, nodes) else _affected(one, two, attempted, everybody)
        shown = followed(users, "users", lambda: len(users))
        found = [*impacts(before, after, shown, nodes, at or now, exactly=at is not None)]
        found += ambiguous(before, after, attempted.touched)
        order = list(Effect)
        found.sort(key=lambda item: (order.index(item.effect), item.user))
        held = _held(settings, before, after, users, len(everybody))
        return Answer(attempted, tuple(found), len(everybody), nodes, freshness.version, freshness.age(now), held)


def print_answer(answer: Answer, limit: int | None, *, json: bool) -> None:
    """Print what the changes would do; of each effect the first users, all of them for 0."""
    if json:
        print_json(_as_data(answer, limit or None))
        return
    most = _FIRST if limit is None else limit or len(answer.impacts)
    concerned = len({item.user for item in answer.impacts})
    out.print(
        f"{len(answer.attempted.touched)} entries would be different; a logon of {concerned} of {answer.users:,} users"
        f" would come to something else at {', '.join(answer.nodes)}",
        markup=False,
    )
    out.print(f"tried on version {answer.version} of the directory, {answer.age:.0f} s old", markup=False)
    for effect in Effect:
        found = [item for item in answer.impacts if item.effect is effect]
        if found:
            _print_effect(effect, found, most, answer.nodes)
    for note in answer.attempted.notes[:most]:
        out.print(f"! {note}", style="yellow", markup=False)
    if answer.held:
        text = f"! the tripwire would hold this: {answer.held} users lose a factor; see `dirfactor sync held` then"
        out.print(text, style="yellow", markup=False)


def _print_effect(effect: Effect, found: Sequence[Impact], most: int, nodes: Sequence[str]) -> None:
    users = len({item.user for item in found})
    out.print()
    out.print(f"{effect}: {users:,}", style="bold red" if effect in _ACCESS else "bold", markup=False)
    for item in found[:most]:
        where = "" if not item.nodes or item.nodes == tuple(nodes) else f" at {', '.join(item.nodes)}"
        policy = f", policy {item.policy_before} -> {item.policy_after}" if _other_policy(item) else ""
        out.print(f"  {item.user}{where}\n      {item.before} -> {item.after}{policy}", markup=False)
    if len(found) > most:
        out.print(f"  and {len(found) - most:,} more (--limit 0)", markup=False)


def _other_policy(item: Impact) -> bool:
    return bool(item.policy_before and item.policy_after) and item.policy_before != item.policy_after


def _as_data(answer: Answer, limit: int | None) -> dict[str, Any]:
    return {
        "users": answer.users,
        "users_concerned": len({item.user for item in answer.impacts}),
        "access_nodes": [] if answer.nodes == (ANY_NODE,) else answer.nodes,
        "entries_touched": len(answer.attempted.touched),
        "counts": _counts(answer),
        "impacts": [{**asdict(item), "effect": item.effect.name.lower()} for item in answer.impacts[:limit]],
        "notes": answer.attempted.notes,
        "held_by_tripwire": answer.held,
        "directory_version": answer.version,
        "directory_age": answer.age,
    }


def _counts(answer: Answer) -> Mapping[str, int]:
    users = {(item.effect, item.user) for item in answer.impacts}
    counts = Counter(effect for effect, _ in users)
    return {effect.name.lower(): counts[effect] for effect in Effect}


def _records(file: Path) -> tuple[Record, ...]:
    try:
        octets = file.read_bytes()
    except OSError as error:
        raise UsageFault(f"{file} cannot be read: {error.strerror}", remedy="name an LDIF file with changes") from error
    try:
        records = tuple(read_changes(octets))
    except BrokenLdif as error:
        raise UsageFault(
            f"{file}, line {error.line}: {error.problem}", remedy="mend the line; nothing was tried"
        ) from error
    if not records:
        raise UsageFault(f"{file} has no change in it", remedy="name an LDIF file with changes")
    return records


def _attempted(settings: Settings, file: Path, copy: Path, records: Sequence[Record]) -> Attempted:
    try:
        return attempt(copy, followed(records, "changes", lambda: len(records)), settings.directories)
    except ChangesRefused as fault:
        for refusal in fault.refusals:
            err.print(f"{file}, line {refusal.line}: {refusal.problem}", style="red", markup=False)
            err.print(f"    {refusal.remedy}", markup=False)
        raise typer.Exit(Exit.USAGE) from None


def _world(settings: Settings, replica: Replica) -> World:
    demand_a_sync(replica)
    ring = RingFile(settings.service.ring_file)
    nodes = Nodes(settings.nodes, settings.policies, settings.secrets, replica, ring.ring)
    keys = ring.ids()
    return World(FactsReader(replica, nodes, rules(settings), lambda: keys))


def _affected(one: Path, two: Path, attempted: Attempted, everybody: Sequence[EntryId]) -> list[EntryId]:
    """Those of whom anything may be different, in the order in which all are."""
    with closing(open_for_reading(one)) as before, closing(open_for_reading(two)) as after:
        found = affected(Side(before), Side(after), attempted.touched)
    return [user for user in everybody if user in found]


def _held(settings: Settings, before: World, after: World, users: Sequence[EntryId], everybody: int) -> int:
    """How many users lose something that the tripwire counts, if it is more than it lets pass."""
    judge = loss_under(settings.policies.get("default"))
    people = ((before.person(user), after.person(user)) for user in users)
    losing = sum(1 for was, now in people if was and was != now and judge(was, now))
    tripwire = Tripwire(judge, settings.sync.tripwire_users)
    return losing if tripwire.users and losing > tripwire.limit(everybody) else 0
