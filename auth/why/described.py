"""A step in a few words, for what is kept and compared: whatever is in it, and addresses masked. Pure."""

import dataclasses
import re
from typing import Any

from auth.prompts import destination
from auth.steps import Part, Step
from auth.tokens import Usable
from auth.vip.credential import shown
from schema.grammar import ReplyRule

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def described(step: Step) -> str:
    """The step's name in words, and what it carries: `refuse: no-token`, `send code: sms to +43***67`."""
    name = " ".join(_WORDS.split(type(step).__name__)).lower()
    carried = [text for field in dataclasses.fields(step) if (text := _text(getattr(step, field.name)))]
    return f"{name}: {', '.join(carried)}" if carried else name


def _place(part: Part) -> str:
    """Where in a request: `the code field`, `the code field from 4 to 10`, `the password field to -6`."""
    start = f" from {part.start}" if part.start is not None else ""
    end = f" to {part.end}" if part.end is not None else ""
    return f"the {part.field} field{start}{end}"


def _text(value: Any) -> str:
    match value:
        case Usable():
            where = destination(value) or ", ".join(map(shown, value.credentials))
            return f"{value.kind} to {where}" if where else str(value.kind)
        case ReplyRule():
            return f"{value.name}={value.value}"
        case Part():
            return _place(value)
        case tuple():
            return ", ".join(map(_text, value))
        case None | Part():  # where in a field something stands tells how long what is beside it is
            return ""
        case _:
            return str(value)
