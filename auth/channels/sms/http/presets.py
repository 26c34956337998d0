"""The providers that need no description: what a section with `preset = NAME` says beneath its own keys."""

import configparser
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from auth.channels.sms.http.placeholders import placeholders

_TEXTS = ("url", "headers", "fields", "raw")
_ADDED = ("url", "host", "region", "account", "username", "password", "sender")


@dataclass(frozen=True, slots=True)
class Preset:
    """One provider.

    Attributes:
        name: as `preset` names it.
        title: what the provider calls the service.
        means: for each key that a section must add, what the provider calls it.
        options: key and text, as they would stand in the section.
    """

    name: str
    title: str
    means: Mapping[str, str]
    options: Mapping[str, str]


@cache
def presets() -> Mapping[str, Preset]:
    """All providers, by name, in the order of the data file."""
    data = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    data.read_string((files(__package__) / "presets.ini").read_text(encoding="utf-8"))
    return {name: _preset(name, dict(data[name])) for name in data.sections()}


def lacking(options: Mapping[str, str]) -> list[str]:
    """The keys without which a section cannot make its request, in the order of the documentation.

    Args:
        options: the section's keys, those of its preset included.
    """
    wanted = {"url", *placeholders(options.get(key, "") for key in _TEXTS)}
    if options.get("basic_auth", "no") == "yes":
        wanted |= {"username", "password"}
    wanted |= {"aws": {"username", "password"}, "azure": {"password"}}.get(options.get("signature", ""), set())
    return [key for key in _ADDED if key in wanted and key not in options]


def _preset(name: str, options: dict[str, str]) -> Preset:
    title = options.pop("title")
    lines = options.pop("means").strip().splitlines()
    means = {key: meaning for key, _, meaning in (line.partition(" = ") for line in lines)}
    return Preset(name, title, means, options)
