"""Configuration files of FreeRADIUS: sections in braces, one setting a line. What is not asked for stays as it is."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from rig.process import ServerFailure

Place = tuple[str, ...]
"""The names of the sections from the outside in, and that of the setting."""
_SETTING = re.compile(r"\s*([\w&:.-]+)\s*(=|:=)\s*(.*?)\s*$")


def settings_of(text: str) -> dict[Place, str]:
    """What a file sets, each with what it is set to."""
    found = {}
    for path, line in _lines(text):
        if setting := _SETTING.match(_bare(line)):
            found[*path, setting[1]] = setting[3]
    return found


def change(file: Path, settings: Mapping[Place, str]) -> None:
    """Set what is set there already, or put it first in its section.

    Raises:
        ServerFailure: there is no such section, or it has the setting twice.
    """
    text = file.read_text()
    for wanted, value in settings.items():
        text = _changed(text, wanted, value)
    file.write_text(text)


def leave_out(file: Path, section: str) -> None:
    """Take every section of a name out, wherever it is."""
    kept = [line for path, line in _lines(file.read_text()) if section not in path]
    file.write_text("".join(kept))


def _changed(text: str, wanted: Place, value: str) -> str:
    lines, number, begun = [], 0, None
    for path, line in _lines(text):
        setting = _SETTING.match(_bare(line))
        if path == wanted[:-1] and setting and setting[1] == wanted[-1]:
            number += 1
            lines.append(f"{setting[1]} {setting[2]} {value}\n")
        else:
            lines.append(line)
        if path == wanted[:-1] and begun is None:
            begun = len(lines)
    if not number and begun is not None:
        lines.insert(begun, f"{wanted[-1]} = {value}\n")
    if number > 1 or begun is None:
        raise ServerFailure(f"{' / '.join(wanted)} is there {number} times")
    return "".join(lines)


def _lines(text: str) -> Iterator[tuple[Place, str]]:
    """Each line with the sections that it is in; the lines that begin and end a section are in it."""
    path: Place = ()
    for line in text.splitlines(keepends=True):
        bare = _bare(line)
        if bare.endswith("{"):
            path = (*path, " ".join(bare[:-1].split()))
        yield path, line
        if bare == "}":
            path = path[:-1]


def _bare(line: str) -> str:
    return re.sub(r"(^|\s)#.*", "", line).strip()
