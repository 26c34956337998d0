# ruff: noqa: INP001 - bench is a folder of programs, no package
"""What the benchmarks leave, and README's section and plot made of it; nobody types a figure.

`bench/published.py` writes them, `--check` says whether they are what the results in docs/measured come to.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE)]

import msgspec
from machine import Machine
from plot import bars
from report import Spread, digits, show, show_json, table, times

DOORS = ("RADIUS", "HTTP", "LDAP")
"""Each has its results in docs/measured, called after it in small letters."""
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"
_PLOT = Path("docs/measured/logons.svg")


class Server(msgspec.Struct, frozen=True):
    """What one server came to with one kind of logon.

    Attributes:
        name: of the server and what it does.
        ours: whether it is dirfactor.
        per_second: logons a second.
        ours_times: how many times as many are ours; None for our own.
        p50_ms: median time of a logon.
        p99_ms: 99 of 100 logons took no longer.
        memory_mb: its own share of memory; None where that says nothing.
        cpu_us: processor time that it had for one logon.
    """

    name: str
    ours: bool
    per_second: Spread
    ours_times: float | None
    p50_ms: float
    p99_ms: float
    memory_mb: float | None
    cpu_us: Spread


class Wanted(msgspec.Struct, frozen=True):
    """A figure that we want to be so high at least, or so low at most.

    Attributes:
        what: the figure, with its unit.
        value: as measured.
        wish: as wanted.
        at_most: whether less is better.
    """

    what: str
    value: float
    wish: float
    at_most: bool = False

    @property
    def reached(self) -> bool:
        """Whether it is as wanted."""
        return self.value <= self.wish if self.at_most else self.value >= self.wish

    def row(self) -> tuple[str, ...]:
        """A row of the table of what is wanted."""
        sign = "≤" if self.at_most else "≥"
        # a share of a hundredth has no digit left in two decimals
        return (
            self.what,
            digits(self.value) if self.value >= 1 else f"{self.value:.3g}",
            f"{sign} {self.wish:.3g}",
            "yes" if self.reached else "no",
        )


class Results(msgspec.Struct, frozen=True):
    """One run at one door.

    Attributes:
        machine: what it ran on.
        conditions: how many people, how often.
        servers: what each came to.
        wanted: what is wanted of it.
    """

    machine: Machine
    conditions: str
    servers: tuple[Server, ...]
    wanted: tuple[Wanted, ...]


def told(results: Results, door: str, *, as_json: bool, to_publish: bool) -> None:
    """Print the results as Markdown or JSON, and publish them if that is wanted."""
    if as_json:
        show_json(results)
    else:
        show(_part(door, results))
    if to_publish:
        publish(_HERE.parent, door, results)


def results_file(root: Path, door: str) -> Path:
    """Where the results of a door are."""
    return root / "docs" / "measured" / f"{door.lower()}.json"


def publish(root: Path, door: str, results: Results) -> None:
    """Leave the results of a door, and write README's section and the plot of all that there are."""
    file = results_file(root, door)
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")
    for path, text in rendered(root):
        path.write_text(text)


def rendered(root: Path) -> Iterator[tuple[Path, str]]:
    """README and the plot, as the results have them be."""
    found = {door: _results(results_file(root, door)) for door in DOORS if results_file(root, door).exists()}
    readme = root / "README.md"
    before, begin, rest = readme.read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise SystemExit(f"README.md has no section between {_BEGIN} and {_END}")
    yield readme, f"{before}{begin}\n{_section(found)}\n{end}{after}"
    yield root / _PLOT, bars([(door, _bars(results)) for door, results in found.items()])


def _section(found: dict[str, Results]) -> str:
    plot = f"![logons a second, on a logarithmic scale]({_PLOT})"
    return "\n\n".join((plot, *(_part(door, results) for door, results in found.items())))


def _part(door: str, results: Results) -> str:
    head = (f"over {door}", "logons/s, median (range)", "dirfactor is", "p50 ms", "p99 ms", "CPU µs", "memory MB")
    rows = (
        (
            f"**{each.name}**" if each.ours else each.name,
            each.per_second.text(),
            times(each.ours_times),
            digits(each.p50_ms),
            digits(each.p99_ms),
            digits(each.cpu_us.median),
            "" if each.memory_mb is None else digits(each.memory_mb),
        )
        for each in results.servers
    )
    wishes = table((f"wanted over {door}", "measured", "wanted", "reached"), [each.row() for each in results.wanted])
    return "\n\n".join((f"{results.machine}; {results.conditions}:", table(head, rows), wishes))


def _bars(results: Results) -> list[tuple[str, float, bool]]:
    return [(each.name, each.per_second.median, each.ours) for each in results.servers]


def _results(file: Path) -> Results:
    return msgspec.json.decode(file.read_bytes(), type=Results)


def main() -> None:
    """Read the arguments, write or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 when something differs")
    parser.add_argument("--root", type=Path, default=_HERE.parent, help="folder of README.md and docs")
    given = parser.parse_args()
    different = [(path, text) for path, text in rendered(given.root) if not path.exists() or path.read_text() != text]
    if given.check and different:
        raise SystemExit("\n".join(f"{path} is not what docs/measured comes to" for path, _ in different))
    for path, text in different:
        path.write_text(text)
        show(f"wrote {path}")


if __name__ == "__main__":
    main()
