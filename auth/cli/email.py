"""`dirfactor email`: whether mails go out, by sending one, on the way that codes take."""

import asyncio
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from auth.addresses import EmailAddress, email_address
from auth.channels.base import DeliveryFailed, Message
from auth.channels.mail.passage import Passage
from auth.channels.mail.settings import MailSettings
from auth.cli.default_config import DEFAULT_CONFIG
from auth.cli.faults import Exit, UsageFault, faults
from auth.cli.output import CONFIG_OPTION, JSON_OPTION, out, print_json
from auth.cli.section import sections_named
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.config import read_config
from auth.outbound import mail_gateway

email_app = typer.Typer(help="Try the mail servers.", no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a mail at one server.

    Attributes:
        name: the server's name in config.ini.
        seconds: how long it took.
        passage: how it went; None when it failed.
        failure: why it did; None when it went.
    """

    name: str
    seconds: float
    passage: Passage | None = None
    failure: DeliveryFailed | None = None


@email_app.command("test")
def email_test_command(
    address: Annotated[str, typer.Argument(help="Mail address that the test goes to.", metavar="ADDRESS")],
    server: Annotated[
        str, typer.Option("--server", "-s", help="[email:NAME] section to try; all of them without it.", metavar="NAME")
    ] = "",
    config: CONFIG_OPTION = DEFAULT_CONFIG,
    *,
    json: JSON_OPTION = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Connect, log in and name the recipient, but send nothing.")
    ] = False,
) -> None:
    """Send a test mail, without a code in it, and print how it went.

    Exit status 3 when a server does not take it.
    """
    with faults():
        to = email_address(address)
        if to is None:
            raise UsageFault(f"{address!r} is no mail address", remedy="give one such as you@example.org")
        settings = read_config(Path(config))
        trials = asyncio.run(
            _trials(to, sections_named(settings.email, "email", server, "the sample"), dry_run=dry_run)
        )
    if json:
        print_json([_data(trial, sent=not dry_run) for trial in trials])
    else:
        for trial in trials:
            out.print(_text(trial, to, sent=not dry_run), markup=False)
    if any(trial.failure for trial in trials):
        raise typer.Exit(Exit.FAILED)


async def _trials(to: EmailAddress, servers: dict[str, MailSettings], *, dry_run: bool) -> list[Trial]:
    """One after the other. Raises Fault: a section cannot work."""
    return [await _trial(to, name, section, dry_run=dry_run) for name, section in servers.items()]


async def _trial(to: EmailAddress, name: str, section: MailSettings, *, dry_run: bool) -> Trial:
    gateway = mail_gateway(name, section, SYSTEM_CLOCK, SYSTEM_ENTROPY)
    begun = SYSTEM_CLOCK.monotonic()
    try:
        passage = await (gateway.rehearse(to) if dry_run else gateway.hand_in(to, _message(name)))
    except DeliveryFailed as failure:
        return Trial(name, SYSTEM_CLOCK.monotonic() - begun, failure=failure)
    else:
        return Trial(name, SYSTEM_CLOCK.monotonic() - begun, passage)
    finally:
        await gateway.aclose()


def _message(name: str) -> Message:
    text = f"This is a test of [email:{name}] by `dirfactor email test`. Logon codes will come like this one."
    return Message("Test of logon mails", text)


def _data(trial: Trial, *, sent: bool) -> dict[str, Any]:
    failure = trial.failure
    nothing = Passage("", None, None)
    shown = {key: value or None for key, value in asdict(trial.passage or nothing).items()}
    return {
        "name": trial.name,
        "taken": sent and failure is None,
        "seconds": round(trial.seconds, 3),
        **shown,
        "problem": failure.problem if failure else None,
        "remedy": failure.remedy if failure else None,
        "permanent": bool(failure and failure.permanent),
        "unknown": bool(failure and failure.unknown),
    }


def _text(trial: Trial, to: EmailAddress, *, sent: bool) -> str:
    head = f"[email:{trial.name}]"
    passage = trial.passage
    if passage is None:
        failure = trial.failure
        return f"{head}: {failure.problem if failure else ''}\n    {failure.remedy if failure else ''}"
    said = f"has taken the mail for {to}" if sent else f"would take a mail for {to}; nothing was sent"
    rows = {
        "server": passage.server,
        "TLS": passage.tls or "none",
        "authentication": passage.authentication or "none",
        "message": passage.message_id,
        "queued as": passage.queue_id,
        "time": f"{trial.seconds:.2f} s",
    }
    return "\n".join([f"{head} {said}", *(f"    {label:15} {value}" for label, value in rows.items() if value)])
