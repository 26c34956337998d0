"""Distinguished names as text, by RFC 4514: taken apart, compared, and put under another base. Pure."""

import re
from collections.abc import Iterator

from schema.matching import prepared

_TYPE = r"[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*"
_ESCAPED = r'\\[ "#+,;<=>\\]|\\[0-9A-Fa-f]{2}'
_TEXT = rf'(?:[^\\"+,;<>\x00]|{_ESCAPED})*+'
# one attribute type and value; spaces around either are not part of it (RFC 2253 section 4 has readers accept them)
_PAIR = re.compile(rf" *+({_TYPE}) *+= *+(#(?:[0-9A-Fa-f]{{2}})++ *+|(?!#){_TEXT})(?P<end>[,+]|\Z)")
_ESCAPE = re.compile(r"((?:\\[0-9A-Fa-f]{2})+)|\\(.)", re.DOTALL)
# `=` may be written as it is (RFC 4514 section 2.4), but Samba takes no value in which it is
_SPECIAL = re.compile(r'[\\"+,;<=>]')
# what most names are made of: nothing to unescape, normalise or sort
_PLAIN = re.compile(r"(?:[a-z][a-z0-9-]*=[a-z0-9_.@/()-]+(?: [a-z0-9_.@/()-]+)*(?:,(?!\Z)|\Z))+")


def split(dn: str) -> tuple[str, str]:
    """The first RDN and the DN of the parent, both as they are written; the parent of a single RDN is empty.

    Raises:
        ValueError: the text is no DN, or it is the empty DN, which has no RDN.
    """
    for _, _, end, separator in _pairs(dn):
        if separator != "+":
            return dn[:end].lstrip(" "), dn[end + 1 :].lstrip(" ")
    msg = "the empty DN has no parent"
    raise ValueError(msg)


def parent(dn: str) -> str:
    """The DN of the entry above, as it is written; empty for a single RDN.

    Raises:
        ValueError: the text is no DN, or it is the empty DN.
    """
    return split(dn)[1]


def fold(dn: str) -> str:
    """The form in which DNs are compared: equal for two DNs exactly when they name the same entry.

    Types in lower case, values prepared as caseIgnoreMatch does (RFC 4517 section 4.2.11, RFC 4518): mapped to one
    case, normalised to NFKC, runs of space squeezed and those at the ends dropped. Escapes are undone and only the
    needed ones set again, `=` among them; the pairs of a multi-valued RDN are sorted. The result is a DN.

    Raises:
        ValueError: the text is no DN.
    """
    if dn.isascii() and _PLAIN.fullmatch(lower := dn.lower()):
        return lower
    rdns: list[str] = []
    rdn: list[str] = []
    for kind, value, _, separator in _pairs(dn):
        rdn.append(f"{kind.lower()}={_fold_value(value)}")
        if separator != "+":
            rdns.append("+".join(sorted(rdn)))
            rdn = []
    return ",".join(rdns)


def is_below(dn: str, base: str) -> bool:
    """Whether the entry stands below `base`, at any depth; no entry is below itself.

    Raises:
        ValueError: one of the texts is no DN.
    """
    name, above = fold(dn), fold(base)
    # `=` inside a value is always escaped, so a comma that is part of a value cannot begin a match
    return name.endswith(f",{above}") if above else bool(name)


def rebase(dn: str, base: str, onto: str) -> str:
    """The DN that an entry below `base` has after `base` has become `onto`; its own RDNs stay as they are written.

    Raises:
        ValueError: one of the texts is no DN, or `dn` is not below `base`.
    """
    if not is_below(dn, base):
        msg = "not below the base"
        raise ValueError(msg)
    depth = _depth(dn) - _depth(base)
    ends = [end for _, _, end, separator in _pairs(dn) if separator != "+"]
    return join(dn[: ends[depth - 1]].lstrip(" "), onto)


def join(rdn: str, above: str) -> str:
    """The DN of the entry `rdn` below `above`."""
    return f"{rdn},{above}" if above else rdn


def rdn(kind: str, value: str) -> str:
    """The RDN of an attribute type and a value, with what has a meaning in a DN escaped (RFC 4514 section 2.4)."""
    ends = {0, len(value) - 1}
    return f"{kind}=" + "".join(_escaped(character, at_end=at in ends) for at, character in enumerate(value))


def _escaped(character: str, *, at_end: bool) -> str:
    if not character.isprintable() and character.isascii():
        return f"\\{ord(character):02x}"
    return f"\\{character}" if _SPECIAL.match(character) or (at_end and character in " #") else character


def _depth(dn: str) -> int:
    return sum(1 for *_, separator in _pairs(dn) if separator != "+")


def _pairs(dn: str) -> Iterator[tuple[str, str, int, str]]:
    """Type and value as written, where the value ends, and what follows it: `,` or `+`, or nothing."""
    position = 0
    while dn:
        match = _PAIR.match(dn, position)
        if match is None:
            msg = f"no DN: {dn!r}"
            raise ValueError(msg)
        yield match[1], match[2], match.start("end"), match["end"]
        if not match["end"]:
            return
        position = match.end()


def _fold_value(value: str) -> str:
    if value.startswith("#"):  # BER in hex: nothing is known about its case
        return value.strip(" ").lower()
    text = prepared(_ESCAPE.sub(_unescape, value))
    text = _SPECIAL.sub(r"\\\g<0>", text).replace("\x00", r"\00")
    return f"\\{text}" if text.startswith("#") else text


def _unescape(match: re.Match[str]) -> str:
    return bytes.fromhex(match[1].replace("\\", "")).decode() if match[1] else match[2]
