"""The locks: what they name, and whether it is what pyproject.toml wants."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = {"run": ("shared",), "develop": ("test", "check")}
"""Lock -> the extras of pyproject.toml that it covers, besides what everybody needs."""
_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?:\s*;\s*(?P<marker>[^\\]+))?\s*\\?$")
_DIGEST = re.compile(r"--hash=sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Pinned:
    """A package in a lock, and how many digests of its files are good."""

    name: str
    version: Version
    digests: int


def lock(name: str) -> dict[str, list[Pinned]]:
    """A lock's packages by their names; one may be there in several versions, for several Pythons."""
    found: dict[str, list[Pinned]] = {}
    for block in re.split(r"\n(?=\S)", (ROOT / "packaging" / "lock" / f"{name}.txt").read_text()):
        first, *rest = block.splitlines()
        pinned = _PINNED.match(first)
        assert pinned, f"{first!r} pins nothing"
        package = canonicalize_name(pinned["name"])
        digests = len(_DIGEST.findall("\n".join(rest)))
        found.setdefault(package, []).append(Pinned(package, Version(pinned["version"]), digests))
    return found


def wanted(extras: tuple[str, ...]) -> list[Requirement]:
    """What pyproject.toml asks for, with these extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    own = [Requirement(line) for line in lines]
    nested = [extra for each in own if each.name == project["name"] for extra in sorted(each.extras)]
    return [each for each in own if each.name != project["name"]] + (wanted(tuple(nested)) if nested else [])


def amiss(name: str) -> list[str]:
    """What is wrong with a lock."""
    pinned = lock(name)
    problems = [f"{each.name} has no digest" for group in pinned.values() for each in group if not each.digests]
    for requirement in wanted(LOCKS[name]):
        versions = pinned.get(canonicalize_name(requirement.name), [])
        if not any(requirement.specifier.contains(each.version, prereleases=True) for each in versions):
            problems.append(f"{requirement} is in no version that pyproject.toml allows: make lock")
    return problems
