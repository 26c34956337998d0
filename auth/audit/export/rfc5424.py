"""Lines as syslog messages with structured data (RFC 5424). Pure."""

from dataclasses import dataclass

from auth.audit.export.told import Signed, fields
from auth.audit.printable import printable
from auth.audit.reader import Written

# a number of our own, which IANA gives for the asking, replaces that for documentation (RFC 5612) when there is one
_ENTERPRISE = 32473
_INFORMATIONAL, _NOTICE, _WARNING = 6, 5, 4
_LONGEST_HOST, _LONGEST_PROCESS = 255, 128
_NIL = "-"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends.

    Attributes:
        host: name of this machine.
        process: our process id.
        facility: the facility's number (section 6.2.1).
    """

    host: str
    process: str
    facility: int


def severity(each: Written | Signed) -> int:
    """A refusal is a warning, a checkpoint a notice, all else informational."""
    if isinstance(each, Signed):
        return _NOTICE
    return _WARNING if each.outcome == "refused" else _INFORMATIONAL


def structured_message(each: Written | Signed, sender: Sender) -> bytes:
    """The message with all that is known in one element of structured data, and a word for people."""
    kind, text = _in_words(each)
    pairs = " ".join(f'{name}="{_value(value)}"' for name, value in fields(each).items())
    return f"{_header(each, sender, kind)} [{kind}@{_ENTERPRISE} {pairs}] {text}".encode()


def plain_message(each: Written | Signed, sender: Sender, text: str) -> bytes:
    """The message with a text of somebody else's form instead (section 6.4: UTF-8 is marked)."""
    kind, _ = _in_words(each)
    mark = "" if text.isascii() else "\ufeff"
    return f"{_header(each, sender, kind)} - {mark}{text}".encode()


def _header(each: Written | Signed, sender: Sender, kind: str) -> str:
    priority = sender.facility * 8 + severity(each)
    at = each.at if isinstance(each, Signed) else each.at.isoformat().replace("+00:00", "Z")
    host, process = _name(sender.host, _LONGEST_HOST), _name(sender.process, _LONGEST_PROCESS)
    return f"<{priority}>1 {at} {host} dirfactor {process} {kind}"


def _in_words(each: Written | Signed) -> tuple[str, str]:
    if isinstance(each, Signed):
        return "checkpoint", f"the audit is signed up to line {each.seq}"
    kind = "receipt" if each.outcome == "receipt" else "outcome"
    return kind, f"{each.outcome}: {each.reason}"


def _value(text: str) -> str:
    """Section 6.3.3."""
    shown = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return shown.replace("]", "\\]")


def _name(text: str, longest: int) -> str:
    """Printable ASCII without spaces, section 6."""
    return "".join(letter for letter in text if "!" <= letter <= "~")[:longest] or _NIL
