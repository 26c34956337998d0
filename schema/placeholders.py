"""The words in braces that a message's template may have. Pure."""

import re
from collections.abc import Collection

IN_MESSAGES = ("code", "minutes")
_PLACE = re.compile(r"\{([A-Za-z_]\w*)\}")


def unknown_in(text: str, known: Collection[str] = IN_MESSAGES) -> tuple[str, ...]:
    """Words in braces that are not known, each once. Braces around anything else, as in a style sheet, are text."""
    return tuple(dict.fromkeys(word for word in _PLACE.findall(text) if word not in known))
