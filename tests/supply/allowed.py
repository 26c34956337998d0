"""What bandit's rules find, through the linter, and is let pass all the same: each place with its reason.

What is let pass is not searched for in the text, for the linter knows more ways of saying it than anybody would list:
it is asked what it would find if nobody had said anything.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

_MARK = re.compile(r"# noqa: (?P<rules>[A-Z]+[0-9]+(?:, [A-Z]+[0-9]+)*) - (?P<reason>\S.*)$")
"""The one form that has a reason."""
_RULES = re.compile(r"ALL|S[0-9]*")
_LISTS = ("ignore", "extend-ignore")
_BY_FILE = ("per-file-ignores", "extend-per-file-ignores")
_LEFT_OUT = ("exclude", "extend-exclude")


@dataclass(frozen=True)
class Allowed:
    """A rule that does not count somewhere.

    Attributes:
        where: file and line, or the pattern of files.
        rule: the rule, or what all that are let pass begin with.
        reason: empty where none is told.
    """

    where: str
    rule: str
    reason: str


@dataclass(frozen=True)
class _Found:
    file: str
    line: int
    rule: str


def allowed(root: Path) -> list[Allowed]:
    """All of them, in the code below a folder and in its pyproject.toml."""
    settings = list(_in_the_settings((root / "pyproject.toml").read_text()))
    marked = dict.fromkeys(_findings(root))
    unsaid = [
        Allowed(f"{each.file}:{each.line}", each.rule, "")
        for each in _findings(root, "--isolated")
        if each not in marked and not any(_covers(setting, each) for setting in settings)
    ]
    return [*(_at(root, each) for each in marked), *settings, *unsaid]


def _findings(root: Path, *options: str) -> list[_Found]:
    command = [sys.executable, "-m", "ruff", "check", "--select", "S", "--ignore-noqa", "--exit-zero",
               "--output-format", "json", *options]  # fmt: skip
    told = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    above = f"{root.resolve()}/"
    return [_Found(each["filename"].removeprefix(above), each["noqa_row"], each["code"]) for each in json.loads(told)]


def _at(root: Path, found: _Found) -> Allowed:
    line = (root / found.file).read_text().splitlines()[found.line - 1]
    mark = _MARK.search(line)
    told = mark["reason"].strip() if mark and found.rule in mark["rules"].split(", ") else ""
    return Allowed(f"{found.file}:{found.line}", found.rule, told)


def _in_the_settings(text: str) -> Iterator[Allowed]:
    """Also what an older place of a setting says, which the linter still heeds."""
    ruff = tomllib.loads(text)["tool"]["ruff"]
    for table in (ruff, ruff.get("lint", {})):
        for key in _LISTS:
            yield from _of_a_list(text, "everywhere", key, table.get(key, []))
        for key in _BY_FILE:
            for pattern, rules in table.get(key, {}).items():
                yield from _of_a_list(text, pattern, f'"{pattern}"', rules)
        for key in _LEFT_OUT:
            yield from (Allowed(pattern, "ALL", "") for pattern in table.get(key, []))


def _of_a_list(text: str, where: str, key: str, rules: list[str]) -> Iterator[Allowed]:
    yield from (Allowed(where, rule, _behind(text, key, rule)) for rule in rules if _RULES.fullmatch(rule))


def _behind(text: str, key: str, rule: str) -> str:
    """The comment behind a rule, in the line in which a list has it."""
    _, _, block = text.partition(f"\n{key} = [")
    for line in block.splitlines():
        items, _, comment = line.partition("#")
        if f'"{rule}"' in items:
            return comment.strip()
        if "]" in items:
            break
    return ""


def _covers(setting: Allowed, found: _Found) -> bool:
    return (setting.rule == "ALL" or found.rule.startswith(setting.rule)) and (
        setting.where == "everywhere" or fnmatch(found.file, setting.where)
    )
