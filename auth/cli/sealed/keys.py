"""`dirfactor keys`: the key ring, and a new key in the place of an old one."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer

from auth.cli.administrator import Administrator, writes_directory
from auth.cli.default_config import DEFAULT_CONFIG
from auth.cli.faults import Exit, faults
from auth.cli.output import CONFIG_OPTION, JSON_OPTION, demand_a_sync, err, out, print_json
from auth.cli.progress import followed
from auth.cli.sealed.resealing import found_work, resealed
from auth.cli.sealed.ring import demand_settings
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.config import read_config
from auth.keys.ring import Ring
from auth.keys.ring_file import RingFile, drawn
from auth.memorised.pin import KEPT_PREFIX
from auth.rotation.usage import SEALED, Usage
from auth.settings import Settings
from auth.state_reader import state_reader
from dirsync.replica import Replica
from dirsync.view import Person
from schema.errors import Fault

keys_app = typer.Typer(help="The key ring: list its keys, rotate them, retire old ones.", no_args_is_help=True)


@keys_app.command("list")
def list_command(config: CONFIG_OPTION = DEFAULT_CONFIG, *, json: JSON_OPTION = False) -> None:
    """Print each key and what needs it. Exit status 1 when something needs a key that the ring does not have."""
    with faults():
        settings = read_config(Path(config))
        ring = RingFile(settings.service.ring_file).ring()
        with _replica(settings) as replica:
            usage = _usage(settings, replica)
    rows = [_row(ring, usage, key_id) for key_id in [*(key.id for key in ring.keys), *usage.missing(ring)]]
    if json:
        print_json({"keys": rows})
    else:
        for row in rows:
            out.print(_line(row), markup=False)
        if any(row["digests"] and not row["current"] for row in rows):
            out.print("PINs cannot be moved to another key: an old one stays until its PINs are set anew", markup=False)
    if usage.missing(ring):
        raise typer.Exit(Exit.FOUND)


@keys_app.command("rotate")
@writes_directory
def rotate_command(
    administrator: Administrator,
    *,
    resume: Annotated[bool, typer.Option("--resume", help="Draw no new key; go on sealing anew.")] = False,
    draw_only: Annotated[
        bool, typer.Option("--draw-only", help="Draw the new key and stop, so that the ring can be copied first.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sealed anew; write nothing.")] = False,
    json: JSON_OPTION = False,
) -> None:
    """Draw a new current key, and seal every seed and shared secret anew under it.

    What is to be done is read from the replica, so an account that may write the attributes but not read them is
    enough. Broken off, it goes on with --resume after the next sync. Old keys stay until `keys retire`.
    """
    settings = demand_settings(administrator)
    file = RingFile(settings.service.ring_file)
    ring = file.ring()
    with _replica(settings) as replica, administrator.directory() as directory:
        if not resume:
            key = drawn(SYSTEM_CLOCK, SYSTEM_ENTROPY)
            ring = ring.with_new(key) if dry_run else file.change(lambda before: before.with_new(key))
            err.print(f"copy {settings.service.ring_file} to each machine", markup=False)
        work = found_work(chain(_people(replica), replica.nodes()), directory.base, ring)
        only_said = dry_run or draw_only
        sealed, failed = (len(work.changes), work.failed) if only_said else resealed(directory, work)
    done = {"current": ring.current.id, "sealed": sealed, "failed": failed, "elsewhere": work.elsewhere}
    _say(done, only_said=only_said, json=json)
    if failed:
        raise typer.Exit(Exit.FOUND)


@keys_app.command("retire")
def retire_command(
    config: CONFIG_OPTION = DEFAULT_CONFIG,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which would go; write nothing.")] = False,
    json: JSON_OPTION = False,
) -> None:
    """Take the keys out of the ring that nothing needs any more. Exit status 1 when an old one has to stay."""
    with faults():
        settings = read_config(Path(config))
        file = RingFile(settings.service.ring_file)
        ring = file.ring()
        with _replica(settings) as replica:
            _demand_a_sync_after(settings, replica, ring)
            usage = _usage(settings, replica)
        gone = usage.unneeded(ring)
        if gone and not dry_run:
            file.change(lambda before: before.without(gone))
    stays = [_row(ring, usage, key.id) for key in ring.keys if key is not ring.current and key.id not in gone]
    if json:
        print_json({"retired": gone, "written": bool(gone) and not dry_run, "stay": stays})
    else:
        for key_id in gone:
            out.print(f"{key_id} " + ("would be taken out" if dry_run else "is taken out of the ring"), markup=False)
        for row in stays:
            out.print(f"stays: {_line(row)}", markup=False)
        if not gone and not stays:
            out.print("there is only the current key", markup=False)
    if stays:
        raise typer.Exit(Exit.FOUND)


@contextmanager
def _replica(settings: Settings) -> Iterator[Replica]:
    with closing(Replica(settings.service.replica_file)) as replica:
        demand_a_sync(replica)
        yield replica


def _people(replica: Replica) -> Iterator[Person]:
    users = replica.users()
    for entry in followed(users, "users", lambda: len(users)):
        person = replica.person(entry)
        if person is not None:
            yield person


def _usage(settings: Settings, replica: Replica) -> Usage:
    usage, now = Usage(), SYSTEM_CLOCK.now()
    for person in _people(replica):
        usage.add_user(person.user, now)
    usage.add_nodes(replica.nodes())
    usage.add_changed_pins(state_reader(settings).kept_under(KEPT_PREFIX))
    return usage


def _demand_a_sync_after(settings: Settings, replica: Replica, ring: Ring) -> None:
    """What the replica does not show of an older state is no reason to throw a key away."""
    for name in settings.directories:
        as_of = replica.freshness(name).as_of
        if as_of is None or as_of <= ring.current.made_at:
            raise Fault(
                f"the directory {name} was not synced since key {ring.current.id} was drawn".replace("  ", " "),
                remedy="run dirfactor sync, then this command again",
            )


def _say(done: dict[str, Any], *, only_said: bool, json: bool) -> None:
    if json:
        print_json({**done, "written": not only_said})
        return
    verb = "to be sealed anew" if only_said else f"sealed anew under key {done['current']}"
    out.print(f"{done['sealed']} entries {verb}", markup=False)
    if done["elsewhere"]:
        out.print(f"{done['elsewhere']} entries of other directories wait: name one with --directory", markup=False)
    for line in done["failed"]:
        out.print(f"! {line}", markup=False)
    if done["failed"]:
        out.print("run dirfactor sync, then dirfactor keys rotate --resume", markup=False)


def _row(ring: Ring, usage: Usage, key_id: str) -> dict[str, Any]:
    key = next((key for key in ring.keys if key.id == key_id), None)
    needed = usage.of(key_id)
    return {
        "id": key_id,
        "made_at": key.made_at if key else None,
        "current": key is ring.current,
        "missing": key is None,
        "needed_by": needed,
        "digests": sum(number for use, number in needed.items() if use not in SEALED),
    }


def _line(row: dict[str, Any]) -> str:
    made = "not in the ring" if row["missing"] else f"{row['made_at']:%Y-%m-%d %H:%M} UTC"
    needed = ", ".join(f"{use} {number}" for use, number in row["needed_by"].items()) or "nothing needs it"
    return f"{row['id']} {'current' if row['current'] else '       '} {made}  {needed}"
