"""`dirfactor user`: everything that decides about a person, and the helpdesk's unlock."""

from typing import Annotated

import typer

from auth.cli.administrator import DRY_RUN, Administrator, reads_directory, the_user, writes_directory
from auth.cli.output import JSON_OPTION, out, print_json
from auth.cli.sealed.pin import pin_command
from auth.cli.sealed.response import temporary_response_command
from auth.clock import SYSTEM_CLOCK
from auth.profile import Profile, as_data, as_text, violations_data, violations_line
from dirsync.admin.directory import AdminDirectory
from dirsync.admin.edit import Edit, as_ldif, instant, replaced
from dirsync.admin.found import Found
from schema.entry import User

user_app = typer.Typer(help="Show a user, and unlock one.", no_args_is_help=True)
user_app.command("pin")(pin_command)
user_app.command("temporary-response")(temporary_response_command)

_USER = Annotated[str, typer.Argument(help="Login name as a person types it, or DN.", metavar="USER")]
_UNLOCKED_AT = "dirfactorUnlockedAt"


@user_app.command("show")
@reads_directory
def show_command(administrator: Administrator, user: _USER, *, json: JSON_OPTION = False) -> None:
    """Print a user's entry, tokens, policies by level and violations, as directory and state file have them now."""
    with administrator.directory() as directory:
        profile = _profile(administrator, directory, the_user(directory, user))
    if json:
        print_json(as_data(profile))
    else:
        out.print(as_text(profile), markup=False)


@user_app.command("unlock")
@writes_directory
def unlock_command(
    administrator: Administrator, user: _USER, *, dry_run: DRY_RUN = False, json: JSON_OPTION = False
) -> None:
    """Have violations up to now no longer count; the lock is gone as soon as the sync has carried that over."""
    with administrator.directory() as directory:
        found = the_user(directory, user)
        before = _profile(administrator, directory, found)
        now = replaced(found, _UNLOCKED_AT, instant(before.now))
        edit = Edit(found.dn, (*directory.classes(found, "dirfactorUser"), *now))
        if not dry_run:
            directory.write(edit)
        who = directory.connection.who
    notes = _notes(before.user)
    if json:
        known = violations_data(before.standing, before.now)
        done = {"by": who, "at": before.now, "written": not dry_run}
        print_json({"dn": found.dn, "ldif": as_ldif(edit), **done, "before": known, "warnings": notes})
        return
    if dry_run:
        out.print(as_ldif(edit), markup=False, end="")
    else:
        out.print(f"{found.dn}: unlocked by {who} at {before.now:%Y-%m-%d %H:%M:%S} UTC", markup=False)
    out.print(f"before: {violations_line(before.standing, before.now)}", markup=False)
    for note in notes:
        out.print(f"! {note}", markup=False)


def _profile(administrator: Administrator, directory: AdminDirectory, found: Found) -> Profile:
    now = SYSTEM_CLOCK.now()
    entry = directory.parsed(found)
    user = entry if isinstance(entry, User) else User()
    ahead = administrator.outlook(directory, found, now)
    # without a config.ini nobody knows what has been typed
    where = ahead.standing if administrator.settings else None
    return Profile(found.dn, user, ahead, where, now)


def _notes(user: User) -> list[str]:
    if user.locked_at is None:
        return []
    since = f"{user.locked_at:%Y-%m-%d %H:%M} UTC"
    return [f"the directory itself has locked the account at {since}: Unlock-ADAccount opens that"]
