"""Search filters (RFC 4515) that no value from outside can change the meaning of. Pure."""

from collections.abc import Iterable

# of an assertion value, whatever is not plainly a letter or digit is written as its octets
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


def equal(attribute: str, value: str) -> str:
    """The attribute has this value.

    Args:
        attribute: a name from our own tables, never one from outside.
        value: any text.
    """
    escaped = "".join(chr(octet) if octet in _PLAIN else f"\\{octet:02x}" for octet in value.encode())
    return f"({attribute}={escaped})"


def present(attribute: str) -> str:
    """The attribute has a value, whatever it is."""
    return f"({attribute}=*)"


def any_of(filters: Iterable[str]) -> str:
    """At least one of the filters holds."""
    return f"(|{''.join(filters)})"


def all_of(filters: Iterable[str]) -> str:
    """All of the filters hold."""
    return f"(&{''.join(filters)})"
