"""`dirfactor user temporary-response`: what the helpdesk gives somebody who has no token at hand."""

from datetime import timedelta
from typing import Annotated

import typer

from auth.cli.administrator import DRY_RUN, Administrator, the_user, writes_directory
from auth.cli.faults import UsageFault
from auth.cli.output import JSON_OPTION
from auth.cli.sealed.ring import sealing_ring
from auth.cli.sealed.write import write
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.memorised.temporary_response import TemporaryResponse, drawn_response, response_value
from auth.outlook import Outlook
from dirsync.admin.directory import entry_id
from dirsync.admin.edit import Replacement
from schema.entry import Policy

_RESPONSE = "dirfactorTemporaryResponse"


@writes_directory
def temporary_response_command(
    administrator: Administrator,
    user: Annotated[str, typer.Argument(help="Login name as a person types it, or DN.", metavar="USER")],
    *,
    minutes: Annotated[
        int | None,
        typer.Option("--minutes", min=1, help="How long it is good; as long as the policy allows if absent."),
    ] = None,
    multiple: Annotated[bool, typer.Option("--multiple", help="It may be used more than once.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Take the temporary response away.")] = False,
    dry_run: DRY_RUN = False,
    json: JSON_OPTION = False,
) -> None:
    """Draw a temporary response and print it this once. Only a digest of it is written; the user's policy limits it."""
    ring = None if clear else sealing_ring(administrator, dry_run=dry_run)
    with administrator.directory() as directory:
        found = the_user(directory, user)
        if ring is None:
            nothing = (Replacement(_RESPONSE),)
            write(directory, found, nothing, "the temporary response is taken away", {}, dry_run=dry_run, json=json)
            return
        now = SYSTEM_CLOCK.now()
        policy = _allowing(administrator.outlook(directory, found, now))
        life = timedelta(minutes=_life(minutes, policy))
        about = TemporaryResponse(now, now + life, _repeatedly(policy, multiple=multiple))
        response = drawn_response(SYSTEM_ENTROPY.below)
        value = response_value(ring, entry_id(found), response, about).encode()
        uses = "as often as wanted" if about.multiple else "once"
        said = f"{response.text} instead of a code, good {uses} until {about.expires_at:%Y-%m-%d %H:%M} UTC"
        shown = {"response": response.text, "expires_at": about.expires_at, "multiple": about.multiple}
        write(directory, found, (Replacement(_RESPONSE, (value,)),), said, shown, dry_run=dry_run, json=json)


def _allowing(ahead: Outlook) -> Policy:
    policy = ahead.effective.policy
    if policy is None:
        raise UsageFault(
            f"no policy can govern: {ahead.effective.name}", remedy="run dirfactor user show, which says why"
        )
    if not policy.temporary_response_allowed:
        raise UsageFault(
            f"the policy {ahead.effective.name} allows no temporary response",
            remedy="have dirfactorTemporaryResponseAllowed set in it, or assign another policy",
        )
    return policy


def _life(wanted: int | None, policy: Policy) -> int:
    longest = policy.temporary_response_minutes
    if wanted is not None and wanted > longest:
        raise UsageFault(
            f"the policy allows {longest} minutes at most",
            remedy=f"give --minutes {longest} or fewer, or have dirfactorTemporaryResponseMinutes changed",
        )
    return wanted or longest


def _repeatedly(policy: Policy, *, multiple: bool) -> bool:
    if multiple and not policy.temporary_response_multiple_use:
        raise UsageFault(
            "the policy allows one use only",
            remedy="leave --multiple out, or have dirfactorTemporaryResponseMultipleUse set",
        )
    return multiple
