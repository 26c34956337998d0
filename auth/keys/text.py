"""How a sealed or digested value is written in an attribute: one line of ASCII, with colons between its parts. Pure.

`df1:PURPOSE:KEY:HEADER...:BODY`: everything in front of the body is clear, and the body vouches for it.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

import msgspec

from schema.errors import Fault

_VERSION = "df1"
_PART = re.compile(r"[A-Za-z0-9._-]{1,64}")
_FIXED = 3  # version, purpose and key


class Purpose(StrEnum):
    """What a value is for; one that was made for something else is never taken."""

    SEED = "seed"
    SHARED_SECRET = "node"  # noqa: S105 - the name of a purpose
    PIN = "pin"
    CHANGED_PIN = "changed-pin"
    TEMPORARY_RESPONSE = "response"


class NotOurs(Fault):
    """A value is not in the form that dirfactor writes."""


class Written(msgspec.Struct, frozen=True):
    """A value, taken apart.

    Attributes:
        key_id: under which key it was made.
        header: what is clear in it.
        clear: everything in front of the body, which the body vouches for.
        body: what is sealed, or the digest.
    """

    key_id: str
    header: tuple[str, ...]
    clear: str
    body: bytes


def clear_part(purpose: Purpose, key_id: str, header: Iterable[str]) -> str:
    """Everything in front of the body.

    Raises:
        ValueError: a part of the header is not letters, digits, dots, dashes and underscores, 1 to 64 of them.
    """
    parts = (key_id, *header)
    if not all(_PART.fullmatch(part) for part in parts):
        msg = "a part of a header has characters that cannot stand there"
        raise ValueError(msg)
    return ":".join((_VERSION, purpose, *parts))


def written(clear: str, body: bytes) -> str:
    """The whole value."""
    return f"{clear}:{base64.urlsafe_b64encode(body).decode().rstrip('=')}"


@lru_cache(maxsize=4096)  # of what stands in the directory anyway: nothing that is sealed is opened here
def taken_apart(purpose: Purpose, text: str, header_parts: int) -> Written:
    """The parts of a value.

    Args:
        purpose: what it must be for.
        text: the value.
        header_parts: how many parts its header has.

    Raises:
        NotOurs: it is something else.
    """
    parts = text.split(":")
    well_formed = len(parts) == _FIXED + header_parts + 1 and all(_PART.fullmatch(part) for part in parts[:-1])
    if not well_formed or parts[:2] != [_VERSION, purpose]:
        raise _not_ours(purpose)
    try:
        body = base64.b64decode(parts[-1] + "=" * (-len(parts[-1]) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise _not_ours(purpose) from error
    return Written(parts[2], tuple(parts[3:-1]), ":".join(parts[:-1]), body)


def key_named_in(text: str) -> str | None:
    """The id of the key that a value of ours was made under, whatever it is for; None for what is not ours."""
    parts = text.split(":")
    return parts[2] if len(parts) > _FIXED and parts[0] == _VERSION else None


def _not_ours(purpose: Purpose) -> NotOurs:
    return NotOurs(
        f"the value for purpose {purpose} is not one that dirfactor wrote",
        remedy="write it with the dirfactor command that sets it, not by hand",
    )
