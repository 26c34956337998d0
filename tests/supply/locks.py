"""The locks: what they name, and whether it is what pyproject.toml wants."""

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS: dict[str, tuple[str, ...]] = {
    "run": ("shared",),
    "develop": ("test", "check"),
    "build": (),
    "bench": (),
    "mutation": (),
    "privacyidea": (),
    "supply": (),
}
"""Lock -> the extras of pyproject.toml that it covers, besides what everybody needs; none for a group of its name."""
BESIDE = ("build", "bench", "mutation")
"""Locks of what is installed beside that of `develop`."""
_PINNED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[A-Za-z0-9.!+_-]+)(?:\s*;\s*(?P<marker>[^\\]+?))?\s*\\?")
_DIGEST = re.compile(r"    --hash=sha256:(?P<digest>[0-9a-f]{64})(?: \\)?")
_VIA = re.compile(r"    # (?:via(?: (?P<only>.+))?|  (?P<one>.+))")
_ITSELF = re.compile(r"dirfactor(?: \(pyproject\.toml(?::[a-z]+)?\))?")
Asks = Callable[["Pinned"], frozenset[str] | None]


@dataclass(frozen=True)
class Pinned:
    """A package in a lock.

    Attributes:
        name: as all tools write it.
        version: the one.
        marker: where it is installed; empty for everywhere.
        digests: SHA-256 of its files, any of which is good.
        via: who wants it, as the lock says.
    """

    name: str
    version: Version
    marker: str
    digests: frozenset[str]
    via: frozenset[str]


def lock(name: str) -> dict[str, list[Pinned]]:
    """A lock's packages by their names; one may be there in several versions, for several Pythons."""
    found: dict[str, list[Pinned]] = {}
    for each in parsed(_text(name))[0]:
        found.setdefault(each.name, []).append(each)
    return found


def parsed(text: str) -> tuple[list[Pinned], list[str]]:
    """The packages of a lock, and its lines that are no part of one: pip would follow those as well."""
    pins, strange = [], []
    for block in re.split(r"\n(?=\S)", text.rstrip("\n")):
        first, *rest = block.splitlines() or [""]
        pinned = _PINNED.fullmatch(first)
        if not pinned:
            strange.append(first)
            continue
        via = [said["only"] or said["one"] for line in rest if (said := _VIA.fullmatch(line))]
        strange += [line for line in rest if not (_DIGEST.fullmatch(line) or _VIA.fullmatch(line))]
        pins.append(
            Pinned(
                canonicalize_name(pinned["name"]),
                Version(pinned["version"]),
                pinned["marker"] or "",
                frozenset(found["digest"] for line in rest if (found := _DIGEST.fullmatch(line))),
                frozenset(each for each in via if each and not each.startswith("-c ")),
            )
        )
    return pins, strange


def wanted(name: str) -> list[Requirement]:
    """What pyproject.toml wants of a lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = LOCKS[name]
    if not extras:
        return [Requirement(line) for line in project["dependency-groups"][name]]
    return _of_the_project(project["project"], extras)


def amiss(name: str) -> list[str]:
    """What is wrong with a lock."""
    return problems(_text(name), wanted(name), asks_here)


def problems(text: str, wanted_ones: Iterable[Requirement], asks: Asks) -> list[str]:
    """What is wrong with a lock's text.

    Args:
        text: the lock.
        wanted_ones: what is to be in it.
        asks: the names of what a package asks for by its own account; None where that is not known.
    """
    pins, strange = parsed(text)
    found = [f"{line!r} pins nothing" for line in strange]
    found += [f"{each.name} has no digest" for each in pins if not each.digests]
    names = [each.name for each in pins]
    found += [f"{each.name} is there twice" for each in pins if names.count(each.name) > 1 and not each.marker]
    for requirement in wanted_ones:
        versions = [each.version for each in pins if each.name == canonicalize_name(requirement.name)]
        if not versions:
            found.append(f"{requirement} is not there: make lock")
        elif not all(requirement.specifier.contains(each, prereleases=True) for each in versions):
            found.append(f"{requirement} is in a version that pyproject.toml does not allow: make lock")
    return found + [f"{each} is wanted by nobody: make lock" for each in _unwanted(pins, wanted_ones, asks)]


def asks_here(package: Pinned) -> frozenset[str] | None:
    """What it asks for, where this very version is installed."""
    try:
        installed = distribution(package.name)
    except PackageNotFoundError:
        return None
    if Version(installed.version) != package.version:
        return None
    return frozenset(canonicalize_name(Requirement(line).name) for line in installed.requires or ())


def _unwanted(pins: list[Pinned], wanted_ones: Iterable[Requirement], asks: Asks) -> list[str]:
    """Who says that it is wanted is held against what pyproject.toml, and the wanting package itself, say."""
    ours = {canonicalize_name(each.name) for each in wanted_ones}
    left = list(pins)
    reached: dict[str, list[Pinned]] = {}

    def asked_for(package: Pinned) -> bool:
        if any(_ITSELF.fullmatch(each) for each in package.via) and package.name in ours:
            return True
        wanters = [wanter for each in package.via for wanter in reached.get(canonicalize_name(each), ())]
        return any((names := asks(wanter)) is None or package.name in names for wanter in wanters)

    while more := [each for each in left if asked_for(each)]:
        for each in more:
            left.remove(each)
            reached.setdefault(each.name, []).append(each)
    return sorted({each.name for each in left})


def _of_the_project(project: dict, extras: Iterable[str]) -> list[Requirement]:
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    own = [Requirement(line) for line in lines]
    nested = [extra for each in own if each.name == project["name"] for extra in sorted(each.extras)]
    return [each for each in own if each.name != project["name"]] + (_of_the_project(project, nested) if nested else [])


def _text(name: str) -> str:
    return (ROOT / "packaging" / "lock" / f"{name}.txt").read_text()
