"""A step in a few words, for what is kept and compared: whatever is in it, and addresses masked. Pure."""

import re
from functools import cache
from typing import Any

from auth.prompts import destination
from auth.steps import Part, Step
from auth.tokens import Usable
from auth.vip.credential import shown
from schema.grammar import ReplyRule

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def described(step: Step) -> str:
    """The step's name in words, and what it carries: `refuse: no-token`, `send code: sms to +43***67`."""
    name = _name(type(step).__name__)
    carried = [text for field in step.__struct_fields__ if (text := _text(getattr(step, field)))]
    return f"{name}: {', '.join(carried)}" if carried else name


@cache
def _name(kind: str) -> str:
    return " ".join(_WORDS.split(kind)).lower()


def _place(part: Part) -> str:
    """Where in a request; not from which character to which, which would tell how long a PIN or password is."""
    whole = part.start is None and part.end is None
    return f"the {part.field} field" if whole else f"a part of the {part.field} field"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
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
        case None | 0:
            return ""
        case _:
            return str(value)
