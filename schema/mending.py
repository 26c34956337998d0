"""The commands that mend a malformed value: PowerShell for AD, LDIF for any directory; no secret is in them. Pure."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from schema.attributes import BY_NAME
from schema.errors import Malformed
from schema.ldif_text import line

_WORDS = "one of "
_LONGEST = 200  # a finding shows no more of a value
_NOT_SHOWN = {"***", "...", "two or more values"}
_OCTET = re.compile(r"\\x[0-9a-f]{2}")
# PowerShell takes each of these for the quote that ends a literal text
_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")


@dataclass(frozen=True, slots=True)
class Mending:
    """How to mend a value.

    Attributes:
        powershell: a line for PowerShell with the ActiveDirectory module.
        ldif: a change record for ldapmodify, with a newline at its end.
    """

    powershell: str
    ldif: str


def mending(dn: str, finding: Malformed) -> Mending | None:
    """The commands that put the word in its place that was meant, as far as that can be guessed, or else take it away.

    None where there are none: the sync cannot read the attribute, or the value, one of several, is not shown.
    """
    row = BY_NAME.get(finding.attribute.lower())
    several = row is not None and not row.single
    if finding.value == "no value" or (several and not _is_exact(finding.value)):
        return None
    name, words = finding.attribute, finding.expected.removeprefix(_WORDS).split(", ")
    close = difflib.get_close_matches(finding.value, words, n=1) if finding.expected.startswith(_WORDS) else []
    if several:
        powershell = f"-Remove @{{{name}={_quoted(finding.value)}}}"
        powershell += f" -Add @{{{name}={_quoted(close[0])}}}" if close else ""
        change = [f"delete: {name}", line(name, finding.value), "-"]
        change += [f"add: {name}", line(name, close[0]), "-"] if close else []
    elif close:
        powershell = f"-Replace @{{{name}={_quoted(close[0])}}}"
        change = [f"replace: {name}", line(name, close[0]), "-"]
    else:
        powershell = f"-Clear {name}"
        change = [f"delete: {name}", "-"]
    return Mending(f"Set-ADObject -Identity {_quoted(dn)} {powershell}", _record(dn, change))


def _record(dn: str, change: Iterable[str]) -> str:
    return "\n".join([line("dn", dn), "changetype: modify", *change]) + "\n"


def _is_exact(value: str) -> bool:
    """Whether the finding shows the value as it is."""
    whole = len(value) < _LONGEST and value not in _NOT_SHOWN
    return whole and value.isprintable() and not _OCTET.search(value)


def _quoted(text: str) -> str:
    return f"'{_QUOTES.sub(lambda quote: quote[0] * 2, text)}'"
