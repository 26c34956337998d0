"""Writes attribute lines of LDIF (RFC 2849). They are never folded: a DN must stay findable in one piece."""

import base64


def line(attribute: str, value: str | bytes) -> str:
    """One attribute with one value: as text where LDIF's SAFE-STRING allows it, else in base64; without a newline.

    Args:
        attribute: the attribute's name.
        value: octets, or text that becomes UTF-8.
    """
    if isinstance(value, str):
        if _is_safe(value):
            return f"{attribute}: {value}"
        value = value.encode()
    return f"{attribute}:: {base64.b64encode(value).decode()}"


def comment(text: str) -> str:
    """Each line of the text as a comment line, with a newline after the last."""
    return "".join(f"# {row}".rstrip() + "\n" for row in text.splitlines())


def _is_safe(text: str) -> bool:
    return text.isascii() and text.isprintable() and text[:1] not in {" ", ":", "<"} and text[-1:] != " "
