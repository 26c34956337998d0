"""Known vulnerabilities of what a lock names. That nobody could be asked is not that there are none."""

import json
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from supply.locks import Pinned

_PATIENCE = 600.0


@dataclass(frozen=True)
class Advice:
    """What was told.

    Attributes:
        asked: of whom it was told whether there are any.
        unasked: of whom it was not.
        found: packages and the names of their advisories.
        why: that nobody could be asked at all, in the tool's words.
    """

    asked: tuple[str, ...]
    unasked: tuple[str, ...]
    found: tuple[str, ...]
    why: str = ""


def asked_for(tool: Path, pins: Iterable[Pinned]) -> Advice:
    """Ask, about packages of other platforms too."""
    pins = list(pins)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
        wanted.write("".join(f"{each.name}=={each.version}\n" for each in pins))
        wanted.flush()
        command = [
            str(tool),
            "-r",
            wanted.name,
            "--disable-pip",
            "--no-deps",
            "-f",
            "json",
            "--progress-spinner",
            "off",
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            return told("", f"no answer within {_PATIENCE:g} s", pins)
    return told(done.stdout, done.stderr, pins)


def told(out: str, err: str, pins: Iterable[Pinned]) -> Advice:
    """What the tool's output says about these packages; of whom it says nothing, nothing is known."""
    try:
        packages = {canonicalize_name(each["name"]): each for each in json.loads(out)["dependencies"]}
        reasons = [each["skip_reason"] for each in packages.values() if "skip_reason" in each]
        known = {name: [vuln["id"] for vuln in each["vulns"]] for name, each in packages.items() if "vulns" in each}
    except (json.JSONDecodeError, KeyError, TypeError):
        known, reasons = {}, [line.strip() for line in err.splitlines() if line.strip()][-1:]
    names = sorted({each.name for each in pins})
    return Advice(
        asked=tuple(name for name in names if name in known),
        unasked=tuple(name for name in names if name not in known),
        found=tuple(f"{name}: {', '.join(known[name])}" for name in names if known.get(name)),
        why="" if known else (reasons or ["it was not told why"])[0],
    )
