"""Reads what Kannel's fake SMS centre says it was given, and puts the parts of long texts together again."""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

# 2026-11-24 02:15:55 [14601] [0] DEBUG: Got message 2: <dirfactor +436640000001 text Ihr Code: 481516>
REPORT = re.compile(r"Got message \d+: <(.*)>$", re.MULTILINE)
# The centre's own form: sender, receiver, then one of
#   text CONTENT | ucs-2 URLENCODED | udh HEADER data URLENCODED
MESSAGE = re.compile(r"(?P<sender>\S+) (?P<receiver>\S+) (?P<kind>text|data|ucs-2|udh) (?P<content>.*)")
# User data header of a concatenated message (3GPP TS 23.040 section 9.2.3.24.1): reference, parts, number of this part.
CONCATENATION = re.compile(rb"\x05\x00\x03(.)(.)(.)", re.DOTALL)


@dataclass(frozen=True)
class Text:
    """A text as a telephone would show it."""

    sender: str
    receiver: str
    content: str


@dataclass
class _Long:
    """The parts of a long text that have arrived."""

    first: Text
    total: int
    parts: dict[int, bytes]


def received_texts(log: str) -> list[Text]:
    """The complete texts in the fake SMS centre's log, in the order of arrival.

    Raises:
        ValueError: a report that this reader does not know.
    """
    texts: list[Text] = []
    long: dict[bytes, _Long] = {}
    for report in REPORT.findall(log):
        found = MESSAGE.fullmatch(report)
        if found is None:
            # The centre's protocol ends a message at a line break, so further lines come as messages of their own.
            if not texts:
                raise ValueError(f"not a message: {report}")
            texts[-1] = Text(texts[-1].sender, texts[-1].receiver, f"{texts[-1].content}\n{report}")
            continue
        whole = _whole(found, long)
        if whole is not None:
            texts.append(whole)
    return texts


def _whole(found: re.Match[str], long: dict[bytes, _Long]) -> Text | None:
    """The text that a message completes; None while parts are missing."""
    sender, receiver, kind, content = found.group("sender", "receiver", "kind", "content")
    if kind == "text":
        return Text(sender, receiver, content)
    if kind != "udh":
        return Text(sender, receiver, _decoded(content))
    header, _, data = content.partition(" data ")
    position = CONCATENATION.fullmatch(unquote_to_bytes(header))
    if position is None:
        raise ValueError(f"not the header of a long text: {header}")
    reference, total, number = position.group(1), position.group(2)[0], position.group(3)[0]
    known = long.setdefault(reference, _Long(Text(sender, receiver, ""), total, {}))
    known.parts[number] = _octets(data)
    if len(known.parts) < known.total:
        return None
    del long[reference]
    return Text(sender, receiver, _characters(b"".join(known.parts[part] for part in sorted(known.parts))))


def _decoded(content: str) -> str:
    return _characters(_octets(content))


def _octets(content: str) -> bytes:
    return unquote_to_bytes(content.replace("+", " "))


def _characters(octets: bytes) -> str:
    # The centre does not say which of the two it is; every text of ours has a digit, whose UCS-2 has a zero octet.
    return octets.decode("utf-16-be" if b"\0" in octets else "utf-8")
