"""What a person reads at the client: one line in UTF-8 (RFC 2865 section 5.18), or in ASCII where a node wants that."""

import unicodedata

from auth.radius.attributes import prose
from auth.radius.node import NodeDoor


def line(message: str, node: NodeDoor) -> bytes:
    """A message as the node's clients show it: printable, at most 253 octets; empty when there is nothing to read."""
    # clients show it as it is, so it is one line
    plain = message if message.isprintable() else "".join(c if c.isprintable() else " " for c in message)
    return prose(_ascii(plain) if node.ascii_prompts else plain)


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", text).translate(_PLAIN))
    bare = "".join(character for character in plain if not unicodedata.combining(character))
    return bare.encode("ascii", "replace").decode("ascii")


# what Unicode's own decomposition leaves out, quotation marks, dashes and sharp s, or spells as nobody does in German
_PLAIN = {
    ord(character): spelled
    for character, spelled in {
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u2013": "-",
        "\u2014": "-",
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "Ä": "Ae",
        "Ö": "Oe",
        "Ü": "Ue",
        "ß": "ss",
    }.items()
}
