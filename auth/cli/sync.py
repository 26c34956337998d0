"""`dirfactor sync`: carry the directory's changes over once, and decide about changes that the tripwire holds."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from auth.app import make_state_directory, surroundings, syncing
from auth.cli.default_config import DEFAULT_CONFIG
from auth.cli.faults import Exit, faults
from auth.cli.output import CONFIG_OPTION, JSON_OPTION, err, out, print_json
from auth.cli.progress import followed
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.config import read_config
from auth.settings import Settings
from dirsync.authorship import Authorship
from dirsync.change import Change
from dirsync.directory import source
from dirsync.replica import Applied
from dirsync.replica.concern import Cause
from dirsync.replica.holding import HeldBatch, held_batches, release
from dirsync.scheduler import SyncScheduler
from schema.errors import Fault

sync_app = typer.Typer(help="Carry the directory's changes into the replica; show and release what is held.")

_DIRECTORY = Annotated[
    str, typer.Option("--directory", "-d", help="NAME of [directory:NAME]; without it, [directory].")
]
_ALL = Annotated[bool, typer.Option("--all", help="Print every user, not the first twenty.")]
_FULL = Annotated[bool, typer.Option("--full", help="Read everything, and repair what differs; else what has changed.")]
_FIRST = 20
_CAUSES = 5
_NOBODY = "somebody whom only the domain's security log names (event 5136)"


@sync_app.callback(invoke_without_command=True)
def sync_command(
    context: typer.Context, config: CONFIG_OPTION = DEFAULT_CONFIG, *, full: _FULL = False, json: JSON_OPTION = False
) -> None:
    """Carry the directory's changes into the replica once, and say what changed."""
    if context.invoked_subcommand is not None:
        return
    with faults():
        settings = read_config(Path(config))
        make_state_directory(settings.service.state_directory)
        with syncing(settings, SYSTEM_CLOCK, SYSTEM_ENTROPY, _shown) as syncs:
            once = SyncScheduler.reconcile if full else SyncScheduler.run_once
            applied, failed = _each(syncs, once)
        figures = {
            name: {"added": each.added, "changed": each.changed, "removed": each.removed, "version": each.version}
            for name, each in applied.items()
        }
        if json and figures:
            print_json(figures[""] if figures.keys() == {""} else figures)
        for name, numbers in () if json else figures.items():
            out.print(_prefix(name) + ", ".join(f"{what} {number}" for what, number in numbers.items()), markup=False)
        for fault in failed:
            raise fault


@sync_app.command("held")
def held_command(config: CONFIG_OPTION = DEFAULT_CONFIG, *, show_all: _ALL = False, json: JSON_OPTION = False) -> None:
    """Print which changes are held, what they would take from whom, and who made them when, as far as that is known.

    Exit status 1 when there are any.
    """
    with faults():
        settings = read_config(Path(config))
        held = held_batches(settings.service.replica_file)
        authors = {batch.directory: _authors(settings, batch) for batch in held}
    if json:
        print_json([_as_data(batch, authors[batch.directory]) for batch in held])
    for batch in () if json else held:
        _print(batch, authors[batch.directory], len(batch.losses) if show_all else _FIRST)
    if not held and not json:
        out.print("nothing is held")
    if held:
        raise typer.Exit(Exit.FOUND)


@sync_app.command("release")
def release_command(
    config: CONFIG_OPTION = DEFAULT_CONFIG, directory: _DIRECTORY = "", *, json: JSON_OPTION = False
) -> None:
    """Have the changes that are held taken in: those that `held` shows, and none that came since."""
    with faults():
        batch = release(read_config(Path(config)).service.replica_file, directory)
    if json:
        print_json(_as_data(batch, {}))
    else:
        text = "released: the running service takes it in within a second, `dirfactor sync` without one"
        out.print(f"{_prefix(directory)}{len(batch.losses)} users {text}", markup=False)


def _each(
    syncs: Mapping[str, SyncScheduler], once: Callable[[SyncScheduler], Applied]
) -> tuple[dict[str, Applied], list[Fault]]:
    """Do it for every directory, whatever becomes of the others."""
    applied: dict[str, Applied] = {}
    failed: list[Fault] = []
    for name, sync in syncs.items():
        try:
            applied[name] = once(sync)
        except Fault as fault:
            failed.append(Fault(f"{_prefix(name)}{fault.problem}", remedy=fault.remedy))
    return applied, failed


def _authors(settings: Settings, batch: HeldBatch) -> dict[Cause, Authorship]:
    """Who made the changes that most users lose something by; nothing of it while the directory does not answer."""
    authors: dict[Cause, Authorship] = {}
    causes = Counter(loss.cause for loss in batch.losses)
    try:
        following = source(settings.directories[batch.directory], surroundings(SYSTEM_CLOCK, SYSTEM_ENTROPY))
        with closing(following):
            for cause, _ in causes.most_common(_CAUSES):
                authorship = following.changed_when(cause.entry, cause.attribute)
                if authorship:
                    authors[cause] = authorship
    except Fault as fault:
        err.print(f"who made the changes is not known: {fault.problem}", markup=False)
    return authors


def _shown(changes: Iterator[Change], size: int | None) -> Iterator[Change]:
    return followed(changes, "entries", lambda: size)


def _print(batch: HeldBatch, authors: Mapping[Cause, Authorship], most: int) -> None:
    state = "released, not yet taken in" if batch.released else "held"
    since = f"{batch.since:%Y-%m-%d %H:%M:%S} UTC"
    out.print(f"{_prefix(batch.directory)}{state} since {since}: {len(batch.losses)} users", markup=False)
    for loss in batch.losses[:most]:
        out.print(f"    {loss.dn}: {loss.what}", markup=False)
    if len(batch.losses) > most:
        out.print(f"    and {len(batch.losses) - most} more (--all)")
    causes = Counter(loss.cause for loss in batch.losses)
    for cause, users in causes.most_common(_CAUSES):
        said = _said(authors[cause]) if cause in authors else ""
        out.print(f"  by {cause.attribute} of {cause.dn or 'a new entry'}: {users} users{said}", markup=False)
    if len(causes) > _CAUSES:
        out.print(f"  and by {len(causes) - _CAUSES} more changes")


def _said(authorship: Authorship) -> str:
    where = f" at {authorship.where}" if authorship.where else ""
    return f", changed {authorship.when:%Y-%m-%d %H:%M:%S} UTC{where} by {authorship.who or _NOBODY}"


def _as_data(batch: HeldBatch, authors: Mapping[Cause, Authorship]) -> dict[str, Any]:
    return {
        "directory": batch.directory,
        "since": batch.since.isoformat(),
        "released": batch.released,
        "losses": [
            {"dn": loss.dn, "what": loss.what, "entry": loss.cause.dn, "attribute": loss.cause.attribute}
            for loss in batch.losses
        ],
        "authors": [
            {
                "entry": cause.dn,
                "attribute": cause.attribute,
                "who": authorship.who,
                "when": authorship.when.isoformat(),
                "where": authorship.where,
            }
            for cause, authorship in authors.items()
        ],
    }


def _prefix(directory: str) -> str:
    return f"{directory}: " if directory else ""
