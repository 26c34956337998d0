"""Reads an ini file and knows on which line everything stands: configparser does not tell."""

import configparser
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in config.ini.

    Attributes:
        line: counted from 1; 0 for the file as a whole.
        where: section and key, such as `[radius] port`.
        problem: what is wrong.
        remedy: what to do.
    """

    line: int
    where: str
    problem: str
    remedy: str


class IniFile:
    """The sections of a file, and what is wrong with it so far.

    Args:
        file: read at once; that it cannot be read is the first problem.

    Attributes:
        problems: grows while the file is read and by `report`.
        sections: section -> key -> value, as far as the file could be understood.
    """

    def __init__(self, file: Path) -> None:
        self.problems: list[Problem] = []
        self.sections: Mapping[str, Mapping[str, str]] = {}
        self._lines: dict[tuple[str, str], int] = {}
        self._parse(file)

    def report(self, section: str, key: str, problem: str, remedy: str) -> None:
        """Add a problem with a section or one of its keys; an empty section means the whole file."""
        line = self._lines.get((section, key)) or self._lines.get((section, ""), 0)
        where = " ".join(part for part in (f"[{section}]" if section else "", key) if part) or "file"
        self.problems.append(Problem(line, where, problem, remedy))

    def _parse(self, file: Path) -> None:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            self.report("", "", f"is not UTF-8: octet {error.start + 1}", "save it as UTF-8")
            return
        except OSError as error:
            self.report("", "", f"cannot be read: {error.strerror}", "give an existing file that the service may read")
            return
        lines = text.split("\n")
        self._index(lines)
        self._take(lines)

    def _take(self, lines: list[str]) -> None:
        """Parse the lines. What stands twice is reported and left out, so that the rest is checked as well."""
        left_out = set()
        while True:
            parser = configparser.ConfigParser(interpolation=None, default_section="\0none", delimiters=("=",))
            parser.optionxform = str  # type: ignore[assignment,method-assign] # keys keep their case
            try:
                parser.read_string("\n".join(lines))
            except configparser.DuplicateSectionError as error:
                number = self._twice(error.lineno, f"[{error.section}]")
                left_out.add(_left_out(error.section, number))
                lines[number - 1] = f"[{_left_out(error.section, number)}]"
            except configparser.DuplicateOptionError as error:
                number = self._twice(error.lineno, f"[{error.section}] {error.option}")
                _blank(lines, number)
            except configparser.MissingSectionHeaderError as error:
                self._syntax(error.lineno, "stands before the first [section]")
                return
            except configparser.ParsingError as error:
                for number in [line for line, _ in error.errors] or [0]:
                    self._syntax(number, "is neither [section] nor `key = value`")
                break
            else:
                break
        for section in left_out:
            parser.remove_section(section)
        self.sections = {section: dict(parser[section]) for section in parser.sections()}

    def _twice(self, line: int | None, where: str) -> int:
        self.problems.append(Problem(line or 0, where, "stands here a second time", "write it once"))
        return line or 0

    def _syntax(self, line: int, problem: str) -> None:
        """Without the line itself, which may hold a secret that stands in the wrong place."""
        self.problems.append(Problem(line, "syntax", problem, "write [section] and below it `key = value` lines"))

    def _index(self, lines: Iterable[str]) -> None:
        """Remember on which line each section and key stands first: configparser does not tell."""
        section = ""
        for number, line in enumerate(lines, 1):
            if match := re.match(r"\[(.+)\]", line):
                section = _left_out(match[1], number) if (match[1], "") in self._lines else match[1]
                self._lines[section, ""] = number
            elif match := re.match(r"([^\s#;=][^=]*?)\s*=", line):
                self._lines.setdefault((section, match[1]), number)


def _left_out(section: str, line: int) -> str:
    """The name under which a section is kept apart that stands a second time."""
    return f"{section} {line}"


def _blank(lines: list[str], number: int) -> None:
    """Take out the key on a line, counted from 1, with the lines that continue its value."""
    lines[number - 1] = ""
    while number < len(lines) and (not lines[number] or lines[number][0].isspace()):
        lines[number] = ""
        number += 1
