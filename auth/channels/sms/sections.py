"""What a [sms:NAME] section is read as: the structure of its driver, and beneath it what its preset says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from auth.channels.sms.command.settings import CommandSettings
from auth.channels.sms.driver import Driver
from auth.channels.sms.http.presets import lacking, presets
from auth.channels.sms.http.settings import HttpSmsSettings
from auth.channels.sms.smpp.settings import SmppSettings
from schema import grammar

SmsSettings = HttpSmsSettings | SmppSettings | CommandSettings


class Finding(NamedTuple):
    """What is wrong with one key of a section."""

    key: str
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How a section is read.

    Attributes:
        structure: what it becomes; None when it does not say what it is, so that nothing else can be found in it.
        beneath: what its preset says where the section itself says nothing.
        findings: what is wrong already.
    """

    structure: type[SmsSettings] | None
    beneath: Mapping[str, str]
    findings: tuple[Finding, ...] = ()


def reading(options: Mapping[str, str]) -> Reading:
    """How a section with these keys is read."""
    word = options.get("driver", Driver.HTTP).strip()
    try:
        driver = grammar.word(Driver).read(word)
    except ValueError as error:
        return Reading(None, {}, (Finding("driver", f"{error}", f"give {grammar.word(Driver).expected}"),))
    if driver is Driver.SMPP:
        return Reading(SmppSettings, {})
    if driver is Driver.COMMAND:
        return Reading(CommandSettings, {})
    return _http(options)


def _http(options: Mapping[str, str]) -> Reading:
    name = options.get("preset", "").strip().lower()
    if not name:
        return Reading(HttpSmsSettings, {})
    preset = presets().get(name)
    if preset is None:
        known = ", ".join(presets())
        return Reading(None, {}, (Finding("preset", f"there is no preset {name}", f"known are {known}"),))
    # a url is missed by the structure itself
    missing = [key for key in lacking({**preset.options, **options}) if key != "url"]
    return Reading(
        HttpSmsSettings,
        preset.options,
        tuple(
            Finding(key, f"is missing, and {preset.title} needs it", f"add `{key} = ...`: {preset.means.get(key, key)}")
            for key in missing
        ),
    )
