"""How a secret may stand somewhere."""

import base64
import json
from collections.abc import Callable, Mapping
from html import escape
from urllib.parse import quote

SHORTEST = 8
"""Octets of a form that are looked for; what is shorter stands somewhere by chance."""


def forms(secret: str) -> dict[str, bytes]:
    """Plain, in hexadecimal, Base64 and Base32 at each offset, as in URLs, JSON, XML and UTF-16.

    Of an encoding at an offset only that part which does not depend on what stands around it; forms that are equal to
    one before, or shorter than `SHORTEST`, are left out.
    """
    octets = secret.encode()
    found = {
        "plain": octets,
        "hex": octets.hex().encode(),
        "HEX": octets.hex().upper().encode(),
        "URL": quote(secret, safe="").encode(),
        "JSON": json.dumps(secret)[1:-1].encode(),
        "XML": escape(secret).encode(),
        "UTF-16": secret.encode("utf-16-le"),
    }
    for offset in range(3):
        found[f"Base64, {offset} before"] = _inner(base64.b64encode, octets, offset, group=3, letters=4)
        found[f"Base64 of URLs, {offset} before"] = _inner(base64.urlsafe_b64encode, octets, offset, group=3, letters=4)
    for offset in range(5):
        found[f"Base32, {offset} before"] = _inner(base64.b32encode, octets, offset, group=5, letters=8)
    first = {encoded: form for form, encoded in reversed(found.items()) if len(encoded) >= SHORTEST}
    return {form: encoded for encoded, form in reversed(first.items())}


def _inner(encode: Callable[[bytes], bytes], octets: bytes, offset: int, *, group: int, letters: int) -> bytes:
    """An encoding in groups without the group at either end that is shared with what stands before and behind."""
    whole = bytes(offset) + octets
    encoded = encode(whole)
    return encoded[letters if offset else 0 : -letters if len(whole) % group else None]


def shown_in(octets: bytes, secrets: Mapping[str, str]) -> list[str]:
    """Which secrets stand there, by their names, and how."""
    return [
        f"{what}, {form}"
        for what, secret in secrets.items()
        for form, encoded in forms(secret).items()
        if encoded in octets
    ]
