"""`dirfactor sms`: the presets, what a section comes to, and whether texts go out, on the way that codes take."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from auth.addresses import PhoneNumber, masked, phone_number
from auth.channels.base import DeliveryFailed, Message, Receipt
from auth.channels.sms.encoding import encoding_of, parts
from auth.channels.sms.http.presets import Preset, presets
from auth.channels.sms.outline import outline
from auth.channels.sms.sections import SmsSettings
from auth.cli.default_config import DEFAULT_CONFIG
from auth.cli.faults import Exit, UsageFault, faults
from auth.cli.output import CONFIG_OPTION, JSON_OPTION, out, print_json
from auth.cli.section import sections_named
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.config import read_config
from auth.numbers import why_no_number
from auth.outbound import text_channel
from auth.settings import Settings

sms_app = typer.Typer(help="Try the SMS gateways.", no_args_is_help=True)
_TEXT = "This is a test by dirfactor. Logon codes will come like this."


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a text.

    Attributes:
        gateway: the one that took it.
        message_id: what it knows the text by.
        seconds: how long it took, gateways that failed before included.
        encoding: the text's alphabet.
        parts: how many are paid for.
        problem, remedy: why nobody took it; None when somebody did.
        permanent: the number was refused.
        unknown: somebody may have taken it.
    """

    gateway: str | None
    message_id: str | None
    seconds: float
    encoding: str
    parts: int
    problem: str | None = None
    remedy: str | None = None
    permanent: bool = False
    unknown: bool = False


@sms_app.command("presets")
def sms_presets_command(*, json: JSON_OPTION = False) -> None:
    """Print the providers that a [sms:NAME] section only has to name, and what it must say besides."""
    if json:
        print_json([asdict(preset) for preset in presets().values()])
        return
    for preset in presets().values():
        out.print(_preset(preset), markup=False)


@sms_app.command("show")
def sms_show_command(
    name: Annotated[str, typer.Argument(help="[sms:NAME] section.", metavar="NAME")],
    config: CONFIG_OPTION = DEFAULT_CONFIG,
    *,
    json: JSON_OPTION = False,
) -> None:
    """Print a section with all that its preset and the defaults add to it; secrets are hidden."""
    with faults():
        section = sections_named(read_config(Path(config)).sms, "sms", name, "docs/sms.md")[name]
    shown = {key: _shown(getattr(section, key)) for key in section.__struct_fields__}
    if json:
        print_json({"name": name, **shown})
        return
    lines = [f"{key} = {_in_ini(value)}" for key, value in shown.items() if value not in (None, "", [])]
    out.print("\n".join([f"[sms:{name}]", *lines]), markup=False)


@sms_app.command("test")
def sms_test_command(
    number: Annotated[str, typer.Argument(help="Phone number that the test goes to.", metavar="NUMBER")],
    gateway: Annotated[
        str,
        typer.Option(
            "--gateway", "-g", help="[sms:NAME] section to try; all, in their order, without it.", metavar="NAME"
        ),
    ] = "",
    text: Annotated[str, typer.Option("--text", "-t", help="What the text says.")] = _TEXT,
    config: CONFIG_OPTION = DEFAULT_CONFIG,
    *,
    json: JSON_OPTION = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what each gateway would be told, and send nothing.")
    ] = False,
) -> None:
    """Send a text, by the way that codes take, and print how it went. Exit status 3 when nobody took it."""
    with faults():
        settings = read_config(Path(config))
        to = phone_number(number, settings.service.region)
        if to is None:
            problem, remedy = why_no_number(number, settings.service.region)
            raise UsageFault(f"{masked(number.strip())} {problem}", remedy=remedy)
        chosen = sections_named(settings.sms, "sms", gateway, "docs/sms.md")
        if dry_run:
            _print_outlines(chosen, to, text, json=json)
            return
        trial = asyncio.run(_trial(replace(settings, sms=chosen), to, text))
    if json:
        print_json(asdict(trial))
    else:
        out.print(_text(trial, to), markup=False)
    if trial.problem:
        raise typer.Exit(Exit.FAILED)


async def _trial(settings: Settings, to: PhoneNumber, text: str) -> Trial:
    """Raises Fault: a section cannot work."""
    async with AsyncExitStack() as stack:
        channel = text_channel(settings, SYSTEM_CLOCK, SYSTEM_ENTROPY, stack, lambda _: None)
        begun = SYSTEM_CLOCK.monotonic()
        receipt, failure = Receipt(""), None
        try:
            receipt = await channel.deliver(
                to, Message("", text), gateways=(), deadline_seconds=settings.service.delivery_seconds
            )
        except DeliveryFailed as failed:
            failure = failed
        seconds = round(SYSTEM_CLOCK.monotonic() - begun, 3)
    return Trial(
        gateway=receipt.gateway or None,
        message_id=receipt.message_id,
        seconds=seconds,
        encoding=encoding_of(text),
        parts=len(parts(text)),
        problem=failure.problem if failure else None,
        remedy=failure.remedy if failure else None,
        permanent=bool(failure and failure.permanent),
        unknown=bool(failure and failure.unknown),
    )


def _print_outlines(chosen: dict[str, SmsSettings], to: PhoneNumber, text: str, *, json: bool) -> None:
    travels = {"encoding": encoding_of(text), "parts": len(parts(text))}
    told = {name: outline(section, to, text) for name, section in chosen.items()}
    if json:
        print_json([{"gateway": name, **travels, "request": request} for name, request in told.items()])
        return
    for name, request in told.items():
        head = f"[sms:{name}] would be told, of {_travels(text)}:"
        out.print("\n".join([head, *(f"    {line}".rstrip() for line in request.splitlines())]), markup=False)


def _text(trial: Trial, to: PhoneNumber) -> str:
    if trial.problem:
        return f"nobody has taken the text for {masked(to)}: {trial.problem}\n    {trial.remedy}"
    rows = {
        "message": trial.message_id or "the gateway gives no id",
        "encoding": f"{trial.encoding}, {_counted(trial.parts)}",
        "time": f"{trial.seconds:.2f} s",
    }
    head = f"[sms:{trial.gateway}] has taken the text for {masked(to)}"
    return "\n".join([head, *(f"    {label:9} {value}" for label, value in rows.items())])


def _travels(text: str) -> str:
    return f"{_counted(len(parts(text)))} in {encoding_of(text)}"


def _counted(number: int) -> str:
    return f"{number} part{'' if number == 1 else 's'}"


def _preset(preset: Preset) -> str:
    needs = (f"    {key} = {meaning}" for key, meaning in preset.means.items())
    return "\n".join([f"{preset.name}: {preset.title}", *needs])


def _shown(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _in_ini(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    lines = value if isinstance(value, list) else str(value).splitlines()
    return lines[0] if len(lines) == 1 else "".join(f"\n    {line}" for line in lines)
