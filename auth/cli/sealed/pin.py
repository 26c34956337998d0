"""`dirfactor user pin`: sets a PIN, or takes it away."""

from pathlib import Path
from typing import Annotated

import typer

from auth.cli.access import read_password
from auth.cli.administrator import DRY_RUN, Administrator, the_user, writes_directory
from auth.cli.faults import UsageFault
from auth.cli.output import JSON_OPTION
from auth.cli.sealed.ring import sealing_ring
from auth.cli.sealed.write import write
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.memorised.pin import pin_value
from auth.memorised.pin_rules import UnfitPin, demand_fit
from dirsync.admin.directory import entry_id
from dirsync.admin.edit import Replacement, instant
from schema.entry import Policy
from schema.secret import Secret

_PIN, _SET_AT = "dirfactorPin", "dirfactorPinSetAt"
_DRAWN_DIGITS = 6


@writes_directory
def pin_command(
    administrator: Administrator,
    user: Annotated[str, typer.Argument(help="Login name as a person types it, or DN.", metavar="USER")],
    *,
    generate: Annotated[bool, typer.Option("--generate", help="Draw the PIN, and print it this once.")] = False,
    pin_file: Annotated[
        Path | None, typer.Option("--pin-file", help="File with the PIN; asked for when it is absent.", metavar="FILE")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take the PIN away; also one that the user chose.")] = False,
    dry_run: DRY_RUN = False,
    json: JSON_OPTION = False,
) -> None:
    """Set a user's PIN, by the rules of their policy. Only a digest of it is written."""
    if sum((generate, pin_file is not None, clear)) > 1:
        raise UsageFault("--generate, --pin-file and --clear exclude each other", remedy="give one of them")
    ring = None if clear else sealing_ring(administrator, dry_run=dry_run)
    with administrator.directory() as directory:
        found = the_user(directory, user)
        if ring is None:
            nothing = (Replacement(_PIN), Replacement(_SET_AT))
            write(directory, found, nothing, "the PIN is taken away", {}, dry_run=dry_run, json=json)
            return
        now = SYSTEM_CLOCK.now()
        policy = administrator.outlook(directory, found, now).effective.policy or Policy(name="built-in")
        pin = _drawn(policy) if generate else _given(pin_file, policy)
        changes = (
            Replacement(_PIN, (pin_value(ring, entry_id(found), pin).encode(),)),
            Replacement(_SET_AT, (instant(now),)),
        )
        said = f"the PIN is {pin.text}, shown this once" if generate else "the PIN is set"
        shown = {"pin": pin.text} if generate else {}
        write(directory, found, changes, said, shown, dry_run=dry_run, json=json)


def _given(file: Path | None, policy: Policy) -> Secret:
    if file is not None:
        pin = read_password("", file)
    else:
        pin = Secret(typer.prompt("New PIN", hide_input=True, confirmation_prompt=True, err=True))
    try:
        demand_fit(pin, policy)
    except UnfitPin as unfit:
        raise UsageFault(unfit.problem, remedy=unfit.remedy) from unfit
    return pin


def _drawn(policy: Policy) -> Secret:
    """One that keeps the rules; of the first try nine in ten thousand do not."""
    length = max(policy.pin_minimum_length, min(_DRAWN_DIGITS, policy.pin_maximum_length))
    while True:
        pin = Secret(f"{SYSTEM_ENTROPY.below(10**length):0{length}d}")
        try:
            demand_fit(pin, policy)
        except UnfitPin as unfit:
            if policy.pin_minimum_length > policy.pin_maximum_length:
                raise UsageFault(unfit.problem, remedy=unfit.remedy) from unfit
            continue
        return pin
