"""The bill of materials: everything that is installed, with the digests that are good."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from supply.locks import ROOT, Pinned


def written(tool: Path, file: Path, version: str) -> dict[str, Any]:
    """Write the bill of this version, as CycloneDX has it."""
    file.parent.mkdir(exist_ok=True)
    command = [str(tool), "requirements", str(ROOT / "packaging/lock/run.txt"), "--pyproject",
               str(ROOT / "pyproject.toml"), "--output-reproducible", "-o", str(file)]  # fmt: skip
    subprocess.run(command, capture_output=True, check=True)
    bill = json.loads(file.read_text())
    # pyproject.toml does not have it, and the tool does not ask for it
    bill["metadata"]["component"]["version"] = version
    file.write_text(json.dumps(bill, indent=2) + "\n")
    return bill


def differs(bill: dict[str, Any], pins: Iterable[Pinned]) -> list[str]:
    """In what the bill is not the lock: packages, versions, and the digests of each."""
    listed = {(canonicalize_name(each["name"]), each["version"]): digests(each) for each in bill["components"]}
    pinned: dict[tuple[str, str], frozenset[str]] = {(each.name, str(each.version)): each.digests for each in pins}
    found = [f"{name} {version} is not in the bill" for name, version in pinned.keys() - listed.keys()]
    found += [f"{name} {version} is not in the lock" for name, version in listed.keys() - pinned.keys()]
    for key in listed.keys() & pinned.keys():
        if listed[key] != pinned[key]:
            found.append(
                f"{key[0]} {key[1]} has {len(listed[key])} digests, and not the {len(pinned[key])} of the lock"
            )
    return sorted(found)


def digests(component: dict[str, Any]) -> frozenset[str]:
    """The SHA-256 sums of a component's files."""
    places = [component, *component.get("externalReferences", ())]
    return frozenset(
        each["content"] for place in places for each in place.get("hashes", ()) if each["alg"] == "SHA-256"
    )
