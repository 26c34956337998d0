"""The codes that we send: drawing them, and knowing them again without keeping them. Pure."""

import hashlib
import hmac
from collections.abc import Callable

from schema.secret import Secret


def mint(length: int, below: Callable[[int], int]) -> Secret:
    """A code of `length` decimal digits, each value equally likely.

    Args:
        length: 6 to 10 digits; six are the least that NIST SP 800-63B section 3.1.3.1 (20 bits) allows.
        below: `below(n)` draws an integer in [0, n), unpredictably.
    """
    return Secret(f"{below(10**length):0{length}d}")


def digest(key: bytes, bound: bytes, code: Secret) -> bytes:
    """What is stored in place of a code: HMAC-SHA-256(server key, what it is bound to || code)."""
    return hmac.digest(key, bound + code.octets, hashlib.sha256)


def is_right(key: bytes, bound: bytes, typed: Secret, stored: bytes) -> bool:
    """Whether the typed code is the one whose digest is stored; see `plain` for what does not count."""
    code = plain(typed)
    return code.text.isascii() and hmac.compare_digest(digest(key, bound, code), stored)


def plain(typed: Secret) -> Secret:
    """A code as typed, without the spaces and dashes that people put into it."""
    return Secret(typed.text.translate(_NOTHING))


_NOTHING = dict.fromkeys(map(ord, " -\u00a0"))
