"""`make mutation`: how many of the mistakes that mutmut makes in a module are noticed by the tests about it."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from mutation.modules import MODULES

ROOT = Path(__file__).parents[2]
COPIED = ("auth", "dirsync", "schema", "tests", "ldif", "docs", "config.ini", "pyproject.toml", "README.md")
NOTICED = {"killed", "timeout", "suspicious", "segfault", "caught by type check"}
WANTED = 0.9
_CONFIG = """
[tool.mutmut]
source_paths = ["auth"]
only_mutate = [{module}]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-x", "-q", "--hypothesis-profile=mutation"]
pytest_add_cli_args_test_selection = {tests}
also_copy = ["dirsync", "schema", "ldif", "docs", "config.ini", "README.md"]
"""


class NotMeasured(Exception):
    """The mutants of a module were not all tried."""


@dataclass(frozen=True)
class Count:
    """What became of a module's mutants."""

    module: str
    fates: Counter[str]
    survivors: tuple[str, ...]

    @property
    def killed(self) -> int:
        return sum(number for fate, number in self.fates.items() if fate in NOTICED)

    @property
    def share(self) -> float:
        return self.killed / max(1, self.fates.total())


def main() -> int:
    """Exit status 0 when enough mutants are noticed in every module, 1 when not, or when one cannot be measured."""
    parser = argparse.ArgumentParser(prog="mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="only these, such as auth/standing.py")
    parser.add_argument("--show", action="store_true", help="print the survivors")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="by default one for each core")
    arguments = parser.parse_args()
    counts = []
    for module in arguments.modules or MODULES:
        try:
            counts.append(mutated(module, arguments.processes, show=arguments.show))
        except NotMeasured as fault:
            print(fault)
            counts.append(Count(module, Counter(), ()))
        print(line(counts[-1]), flush=True)
    whole = Count("all", sum((count.fates for count in counts), Counter()), ())
    print(line(whole))
    return 0 if all(count.share >= WANTED for count in counts) else 1


def line(count: Count) -> str:
    total = count.fates.total()
    verdict = "" if count.share >= WANTED else f"  less than {WANTED:.0%}"
    return f"{count.module:40} {count.killed:4} of {total:4} noticed  {count.share:6.1%}{verdict}"


def mutated(module: str, processes: int, *, show: bool) -> Count:
    """Mutate one module in a copy of the tree, and run its tests against each mutant."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as name:
        folder = Path(name)
        for item in COPIED:
            copy = shutil.copytree if (ROOT / item).is_dir() else shutil.copy
            copy(ROOT / item, folder / item)
        tests = json.dumps(list(MODULES[module]))
        with (folder / "pyproject.toml").open("a") as file:
            file.write(_CONFIG.format(module=json.dumps(module), tests=tests))
        ran = mutmut(folder, "run", "--max-children", str(processes))
        told = mutmut(folder, "results", "--all", "true").stdout
        fates = dict(line.strip().split(": ", 1) for line in told.splitlines() if ": " in line)
        if not fates or "not checked" in fates.values():
            msg = f"{module}: mutmut did not get to its end\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}"
            raise NotMeasured(msg)
        survivors = tuple(name for name, fate in fates.items() if fate not in NOTICED)
        if show:
            for survivor in survivors:
                print(fates[survivor], mutmut(folder, "show", survivor).stdout)
        return Count(module, Counter(fates.values()), survivors)


def mutmut(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode and words[0] != "run":
        raise NotMeasured(done.stdout + done.stderr)
    return done


if __name__ == "__main__":
    raise SystemExit(main())
