"""`make supply-chain`: what the product is made of, and that it is that and nothing else.

Status 0: all well. 1: not well. 3: well as far as it could be looked at, but advisories were not asked for.
"""

import sys
import tempfile
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from auth.version import __version__
from supply.advisories import asked_for
from supply.allowed import allowed
from supply.bill import differs, digests, written
from supply.installed import installed_here, strangers
from supply.locks import BESIDE, LOCKS, ROOT, Pinned, amiss, lock
from supply.verdict import Verdict, verdict
from supply.wheel import ELSEWHERE, HERE, built, digest

_TOOLS = ROOT / ".cache" / "supply" / "bin"
_BILL = ROOT / "build" / "dirfactor.cdx.json"
_ASKED_ABOUT = ("run", "build", "develop")


def main() -> int:
    looks: tuple[Callable[[], Verdict], ...] = (_locks, _installed, _advisories, _licences, _let_pass, _bill, _wheel)
    found = [look() for look in looks]
    said, status = verdict(found)
    print(f"\n{said}")
    return status


def _locks() -> Verdict:
    problems = []
    for name in LOCKS:
        pins, found = list(_pins(name)), amiss(name)
        print(
            f"lock          {name}: {len(pins)} packages, {sum(len(each.digests) for each in pins)} digests, "
            f"{len(found)} problems"
        )
        problems += found
    return _shown(problems)


def _installed() -> Verdict:
    here = installed_here()
    problems = strangers(here, (pin for name in ("develop", *BESIDE) for pin in _pins(name)))
    print(f"installed     {len(here)} packages in {sys.prefix}, {len(problems)} of them not as locked")
    return _shown(problems)


def _advisories() -> Verdict:
    problems, unasked = [], []
    for name in _ASKED_ABOUT:
        advice = asked_for(_TOOLS / "pip-audit", _pins(name))
        if advice.why:
            print(f"advisories    {name}: NOT ASKED FOR: {advice.why}")
        else:
            print(f"advisories    {name}: {len(advice.asked)} packages asked about, {len(advice.found)} have some")
            print("".join(f"  {each}: not known to who was asked\n" for each in advice.unasked), end="")
        problems += advice.found
        unasked += advice.unasked
    return Verdict(_shown(problems).problems, tuple(dict.fromkeys(unasked)))


def _licences() -> Verdict:
    names: dict[str, list[str]] = {}
    for name in lock("run"):
        try:
            about = distribution(name).metadata
        except PackageNotFoundError:
            names.setdefault("not told: of another platform, and not installed here", []).append(name)
            continue
        told = about.get("License-Expression") or next(
            (line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or [] if line.startswith("License ::")),
            (about.get("License") or "not told").splitlines()[0][:40],
        )
        names.setdefault(told, []).append(name)
    for licence, packages in sorted(names.items(), key=lambda item: -len(item[1])):
        print(f"licence       {licence}: {', '.join(sorted(packages))}")
    return Verdict()


def _let_pass() -> Verdict:
    found = allowed(ROOT)
    without = [f"{each.rule} {each.where} is let pass without a reason" for each in found if not each.reason]
    print(
        f"bandit        its rules are the linter's; {len(found)} places are let pass, {len(without)} without a reason"
    )
    for each in found:
        print(f"  {each.rule:<5} {each.where}: {each.reason or 'NO REASON'}")
    return Verdict(tuple(without))


def _bill() -> Verdict:
    bill = written(_TOOLS / "cyclonedx-py", _BILL, __version__)
    components = bill["components"]
    problems = differs(bill, _pins("run"))
    print(
        f"bill          {_BILL.relative_to(ROOT)}: {len(components)} components, "
        f"{sum(len(digests(each)) for each in components)} digests; {'as locked' if not problems else 'NOT as locked'}"
    )
    return _shown(problems)


def _wheel() -> Verdict:
    with tempfile.TemporaryDirectory() as folder:
        one, other = (built(Path(folder), surroundings) for surroundings in (HERE, ELSEWHERE))
        same = one.read_bytes() == other.read_bytes()
        print(
            f"wheel         {one.name} of the last commit, sha256 {digest(one)}: built twice, "
            "in other folders, at other times, with other rights, zones and hashes: "
            f"{'the same octets' if same else 'NOT the same'}"
        )
    return Verdict() if same else Verdict(("the wheel depends on where it is built",))


def _pins(name: str) -> Iterable[Pinned]:
    return (each for group in lock(name).values() for each in group)


def _shown(problems: Iterable[str]) -> Verdict:
    problems = tuple(problems)
    for problem in problems:
        print(f"  {problem}")
    return Verdict(problems)


if __name__ == "__main__":
    sys.exit(main())
