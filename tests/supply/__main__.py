"""`make supply-chain`: what the product is made of, and that it is that and nothing else."""

import json
import subprocess
import sys
import tempfile
from importlib.metadata import distribution
from pathlib import Path

from supply.allowed import allowed
from supply.locks import LOCKS, ROOT, amiss, lock
from supply.wheel import built, digest

_TOOLS = ROOT / ".cache" / "supply" / "bin"
_BILL = ROOT / "build" / "dirfactor.cdx.json"


def main() -> int:
    bad = [check() for check in (_locks, _advisories, _licences, _let_pass, _bill, _wheel)]
    print("\nall well" if not any(bad) else "\nnot well")
    return int(any(bad))


def _locks() -> bool:
    problems = []
    for name in LOCKS:
        pinned = lock(name)
        digests = sum(each.digests for group in pinned.values() for each in group)
        found = amiss(name)
        print(f"lock {name:<8} {len(pinned)} packages, {digests} digests, {len(found)} problems")
        problems += found
    for problem in problems:
        print(f"  {problem}")
    return bool(problems)


def _advisories() -> bool:
    """Asks for known vulnerabilities; that nobody could be asked is not that there are none."""
    command = [str(_TOOLS / "pip-audit"), "-r", str(ROOT / "packaging/lock/run.txt"), "--disable-pip",
               "--require-hashes", "-f", "json", "--progress-spinner", "off"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (json.JSONDecodeError, KeyError):
        print(f"advisories    could not be asked for: {done.stderr.strip().splitlines()[-1:]}")
        return False
    asked = [each for each in packages if "skip_reason" not in each]
    found = [each for each in asked if each["vulns"]]
    print(f"advisories    {len(asked)} of {len(packages)} packages were known to who was asked, {len(found)} have some")
    if not asked:
        print("              nobody here knows advisories: run this where the index of packages tells them")
    for each in found:
        print(f"  {each['name']} {each['version']}: {', '.join(vuln['id'] for vuln in each['vulns'])}")
    return bool(found)


def _licences() -> bool:
    names: dict[str, list[str]] = {}
    for name in lock("run"):
        try:
            about = distribution(name).metadata
        except Exception:  # noqa: BLE001 - of another platform
            names.setdefault("not installed here", []).append(name)
            continue
        told = about.get("License-Expression") or next(
            (line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or [] if line.startswith("License ::")),
            (about.get("License") or "not told").splitlines()[0][:40],
        )
        names.setdefault(told, []).append(name)
    for licence, packages in sorted(names.items(), key=lambda item: -len(item[1])):
        print(f"licence       {licence}: {', '.join(sorted(packages))}")
    return False


def _let_pass() -> bool:
    found = allowed()
    without = [each for each in found if not each.reason]
    print(
        f"bandit        its rules are the linter's; {len(found)} places are let pass, {len(without)} without a reason"
    )
    for each in found:
        print(f"  {each.rule:<5} {each.where}: {each.reason or 'NO REASON'}")
    return bool(without)


def _bill() -> bool:
    _BILL.parent.mkdir(exist_ok=True)
    command = [str(_TOOLS / "cyclonedx-py"), "requirements", str(ROOT / "packaging/lock/run.txt"),
               "--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible", "-o", str(_BILL)]  # fmt: skip
    subprocess.run(command, capture_output=True, check=True)
    bill = json.loads(_BILL.read_text())
    listed = {(each["name"].lower().replace("_", "-"), each["version"]) for each in bill["components"]}
    pinned = {(each.name, str(each.version)) for group in lock("run").values() for each in group}
    hashed = sum(any(ref.get("hashes") for ref in each.get("externalReferences", ())) or bool(each.get("hashes"))
                 for each in bill["components"])  # fmt: skip
    print(f"bill          {_BILL.relative_to(ROOT)}: {len(listed)} components, {hashed} with digests; "
          f"{'as locked' if listed == pinned else f'differs from the lock: {sorted(listed ^ pinned)}'}")  # fmt: skip
    return listed != pinned


def _wheel() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        one = built(Path(folder) / "one", umask=0o022, zone="Pacific/Auckland")
        other = built(Path(folder) / "deeper" / "two", umask=0o077, zone="America/Anchorage")
        same = one.read_bytes() == other.read_bytes()
        print(f"wheel         {one.name} sha256 {digest(one)}, built twice in different surroundings: "
              f"{'the same octets' if same else 'NOT the same'}")  # fmt: skip
    return not same


if __name__ == "__main__":
    sys.exit(main())
