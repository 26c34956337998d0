"""What is really installed here, held against the locks."""

from collections.abc import Iterable, Mapping
from importlib.metadata import distributions

from packaging.utils import canonicalize_name
from packaging.version import Version

from supply.locks import Pinned

_OURS = {"dirfactor": "the project itself", "pip": "what installs, of the system's Python"}


def installed_here() -> dict[str, Version]:
    """The packages of the environment that this runs in."""
    return {canonicalize_name(each.metadata["Name"]): Version(each.version) for each in distributions()}


def strangers(here: Mapping[str, Version], pins: Iterable[Pinned]) -> list[str]:
    """Those that no lock names, or names in another version."""
    locked: dict[str, set[Version]] = {}
    for each in pins:
        locked.setdefault(each.name, set()).add(each.version)
    found = []
    for name, version in sorted(here.items()):
        if name in _OURS or version in locked.get(name, ()):
            continue
        said = f"locked is {', '.join(map(str, sorted(locked[name])))}" if name in locked else "no lock names it"
        found.append(f"{name} {version} is installed here, and {said}")
    return found
