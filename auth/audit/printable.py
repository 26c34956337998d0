"""Text for a log or terminal of somebody else: what a person typed must not look like a line of its own. Pure."""

_CONTROLS = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}
_CONTROLS |= dict.fromkeys((*range(0x80, 0xA0), 0x2028, 0x2029, *range(0xD800, 0xE000)), 0xFFFD)


def printable(text: str) -> str:
    """The text with a picture in the place of each control character (U+2400 and on), so that it stays on one line."""
    return text if text.isprintable() else text.translate(_CONTROLS)
