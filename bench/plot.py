# ruff: noqa: INP001 - bench is a folder of programs, no package
"""Bars on a logarithmic scale as SVG, which every browser and GitHub shows in a README, on light and dark ground."""

import math
from collections.abc import Sequence
from html import escape

from report import digits

Bar = tuple[str, float, bool]
"""Its name, its length, and whether it is ours."""
_WIDTH, _NAMES, _FIGURES = 860, 390, 90
_ROW, _TITLE, _BAR = 24, 34, 14
_OURS, _OTHERS, _INK = "#d9541e", "#7d8ea3", "#808080"
_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
    'font-family="sans-serif" font-size="13" fill="{ink}">'
)


def bars(groups: Sequence[tuple[str, Sequence[Bar]]]) -> str:
    """Logons a second by door.

    Args:
        groups: title of each and its bars, of which none is 0.
    """
    values = [value for _, group in groups for _, value, _ in group]
    low = math.floor(math.log10(min(values))) if values else 0
    high = math.log10(max(values)) if values else 1
    scale = (_WIDTH - _NAMES - _FIGURES) / (high - low or 1)
    lines: list[str] = []
    top = 0
    for title, group in groups:
        lines.append(_text(8, top + 22, f"logons/s over {title}, logarithmic scale", weight="bold"))
        top += _TITLE
        for name, value, is_ours in sorted(group, key=lambda bar: -bar[1]):
            length = max(2.0, (math.log10(value) - low) * scale)
            colour = _OURS if is_ours else _OTHERS
            lines.append(_text(_NAMES - 8, top + _BAR - 2, name, anchor="end", weight="bold" if is_ours else "normal"))
            lines.append(f'<rect x="{_NAMES}" y="{top}" width="{length:.1f}" height="{_BAR}" fill="{colour}"/>')
            lines.append(_text(_NAMES + length + 6, top + _BAR - 2, digits(value)))
            top += _ROW
    head = _HEAD.format(width=_WIDTH, height=top + 8, ink=_INK)
    return "\n".join((head, *lines, "</svg>", ""))


def _text(x: float, y: float, words: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>'
