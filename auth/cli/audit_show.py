"""`dirfactor audit show`: the helpdesk's answer to "why could she not log on"."""

import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from auth.audit.files import AuditFiles
from auth.audit.follow import following
from auth.audit.told.search import Whom, login_of, logins, whom
from auth.audit.told.wanted import Wanted
from auth.audit.told.words import as_data, as_text, known_reason, step_line
from auth.cli.default_config import DEFAULT_CONFIG
from auth.cli.faults import Exit, UsageFault, faults
from auth.cli.output import CONFIG_OPTION, JSON_OPTION, out, print_json
from auth.clock import SYSTEM_CLOCK
from auth.config import read_config
from auth.settings import Settings
from auth.why.instant import NotAnInstant, read_instant
from dirsync.replica import Replica
from schema.errors import Fault

SINCE = Annotated[str, typer.Option("--since", help="From then on: 2026-11-24, 2026-11-24T07:30, -2h, -30d.")]
_USER = Annotated[str, typer.Option("--user", "-u", help="Login name, DN or objectGUID.")]
_EVENT = Annotated[str, typer.Option("--event", help="The login that has this correlation id.", metavar="ID")]
_NODE = Annotated[str, typer.Option("--node", "-n", help="Access node.")]
_REASON = Annotated[str, typer.Option("--reason", help="Reason code that one of the steps came to.")]
_LIMIT = Annotated[int, typer.Option("--limit", help="So many logins at most.", min=1)]


def show_command(
    user: _USER = "",
    since: SINCE = "",
    event: _EVENT = "",
    node: _NODE = "",
    reason: _REASON = "",
    limit: _LIMIT = 20,
    config: CONFIG_OPTION = DEFAULT_CONFIG,
    *,
    refused: Annotated[bool, typer.Option("--refused", help="Only logins that came to a refusal.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Outcomes as they come, until interrupted.")] = False,
    json: JSON_OPTION = False,
) -> None:
    """Print logins, the newest first: each with its steps, what the reason means, and what helps.

    Exit status 1 when there is none.
    """
    with faults(), reading():
        settings = read_config(Path(config))
        files = settings.service.audit
        if reason and known_reason(reason) is None:
            raise UsageFault(f"there is no reason {reason}", remedy="see docs/reasons.md")
        names, ids = _whom(settings, user)
        wanted = Wanted(names, ids, login_of(files, event), node, reason, refused, instant(since))
        if follow:
            _follow(files, wanted, json=json)
            return
        found = list(islice(logins(files, wanted), limit))
    if json:
        print_json([as_data(story) for story in found])
    else:
        out.print("\n\n".join(map(as_text, found)) or "no such login", markup=False)
    if not found:
        raise typer.Exit(Exit.FOUND)


def instant(text: str) -> datetime | None:
    """What --since means; None when it was not given. Raises UsageFault."""
    try:
        return read_instant(text, SYSTEM_CLOCK.now()) if text else None
    except NotAnInstant as fault:
        raise UsageFault(fault.problem, remedy="write 2026-11-24, 2026-11-24T07:30, -2h or -30d") from fault


@contextmanager
def reading() -> Iterator[None]:
    """Turn what keeps a file from being read into a fault."""
    try:
        yield
    except OSError as error:
        raise Fault(
            f"the audit cannot be read: {error.filename}: {error.strerror}",
            remedy="run this as the service's user, or let your group read the audit",
        ) from error


def _whom(settings: Settings, user: str) -> Whom:
    """As `whom`; as typed alone when there is no replica that can be read."""
    try:
        with closing(Replica(settings.service.replica_file, named=settings.named_policies)) as replica:
            return whom(user, replica)
    except Fault:
        return whom(user, None)


def _follow(files: AuditFiles, wanted: Wanted, *, json: bool) -> None:
    try:
        for step in filter(wanted.takes_step, following(files, time.sleep)):
            text = msgspec.json.encode(step).decode() if json else step_line(step)
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
    except KeyboardInterrupt:
        return
