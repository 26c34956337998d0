"""What is wrong with the template of a text, and what the text costs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auth.channels.minted import render
from auth.channels.sms.encoding import Encoding, encoded, encoding_of, parts
from auth.templates.finding import Finding, Weight
from schema.entry import Policy
from schema.words import SendMode

ATTRIBUTE = "dirfactorSmsTemplate"
_BOUND = re.compile(r"@(?P<domain>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+) #\{code\}")
_LINK = re.compile(r"https?://|\bwww\.|\b[A-Za-z0-9-]+\.(?:[A-Za-z]{2,6})(?:/|\b(?!\.))", re.IGNORECASE)
_PHONE = re.compile(r"\+?\d[\d ()/.-]{5,}\d")
_PLACE = re.compile(r"\{\w+\}")


@dataclass(frozen=True, slots=True)
class Measured:
    """How the text travels.

    Attributes:
        encoding: its alphabet.
        extension: characters that take two places in the GSM alphabet.
        forcing: characters that the GSM alphabet does not have, so that all of the text is UCS-2.
        parts: how many it is cut into, each of which is paid for.
        codes: how many codes stand in it.
    """

    encoding: Encoding
    extension: tuple[str, ...]
    forcing: tuple[str, ...]
    parts: int
    codes: int

    def __str__(self) -> str:
        alphabet = f"{self.encoding}{' with extension' if self.extension else ''}"
        return f"{alphabet}, {_counted(self.parts, 'part')} with {_counted(self.codes, 'code')}"


def measured(policy: Policy) -> Measured:
    """The policy's text with as many codes as it carries, of the length that they have."""
    ahead = policy.sms_mode is SendMode.AHEAD
    codes = policy.sms_codes_per_message if ahead else 1
    minutes = policy.ahead_lifetime * 60 if ahead else policy.code_lifetime // 60
    text = render(policy.sms_template, ["0" * policy.code_length] * codes, minutes)
    characters = tuple(dict.fromkeys(text))
    forcing = tuple(each for each in characters if encoding_of(each) is Encoding.UCS2)
    double = () if forcing else tuple(each for each in characters if len(encoded(each, Encoding.GSM)) > 1)
    return Measured(encoding_of(text), double, forcing, len(parts(text)), codes)


def sms_findings(policy: Policy) -> Iterator[Finding]:
    """Everything that can be said of the policy's text."""
    yield from _cost(measured(policy))
    *lines, last = policy.sms_template.rstrip().splitlines() or [""]
    bound = _BOUND.fullmatch(last)
    words = _PLACE.sub(" ", "\n".join(lines if bound else (*lines, last)))
    yield from _blocked(words)
    yield from _autofill(policy, bound is not None)


def _cost(text: Measured) -> Iterator[Finding]:
    if text.forcing:
        shown = " ".join(f"{each!r} (U+{ord(each):04X})" for each in text.forcing)
        yield Finding(
            ATTRIBUTE,
            Weight.WARNING if text.parts > 1 else Weight.HINT,
            f"is sent as UCS-2, 70 characters a part, because of {shown}",
            "write plain quotation marks and dashes; letters of another alphabet have their price",
        )
    if text.parts > 1:
        yield Finding(
            ATTRIBUTE,
            Weight.WARNING,
            f"makes a text of {text.parts} parts, each of which is paid for",
            "shorten it to 160 characters, or to 70 with letters that GSM-7 does not have",
        )


def _blocked(words: str) -> Iterator[Finding]:
    """What networks take for fraud."""
    if _LINK.search(words):
        yield Finding(
            ATTRIBUTE,
            Weight.WARNING,
            "has something like a link in it, for which providers block texts",
            "leave it out; a domain may only stand in a last line of the form `@vpn.example.org #{code}`",
        )
    if _PHONE.search(words):
        yield Finding(
            ATTRIBUTE,
            Weight.WARNING,
            "has something like a phone number in it, for which providers block texts",
            "leave it out, and tell people the helpdesk's number elsewhere",
        )


def _autofill(policy: Policy, bound: bool) -> Iterator[Finding]:  # noqa: FBT001 - the one thing that is known by then
    """Origin-bound one-time codes (WICG): phones fill the code in, and only at the domain of the last line."""
    ahead = policy.sms_mode is SendMode.AHEAD and policy.sms_codes_per_message > 1
    if bound and ahead:
        yield Finding(
            ATTRIBUTE, Weight.WARNING, "binds several codes to a domain, and phones fill in one", "drop its last line"
        )
    elif not bound and re.search(r"(?m)^@", policy.sms_template):
        yield Finding(
            ATTRIBUTE,
            Weight.WARNING,
            "has a line that begins with @ and does not bind the code to a domain",
            "write it as the last line, exactly: @vpn.example.org #{code}",
        )
    elif not bound and not ahead:
        yield Finding(
            ATTRIBUTE,
            Weight.HINT,
            "does not bind the code to a domain, so that a phone fills it in at any page",
            "when people log on at a web page, add a last line: @vpn.example.org #{code}",
        )


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
