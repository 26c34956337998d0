# ruff: noqa: INP001 - bench is a folder of programs, no package
"""Logons by PIN and code with the state on a Valkey, beside the same with it in a file; one node, and three of them.

The nodes have one core; the load generator and the Valkey have the other, as they would be on other machines. One node
and three of them are measured once more where all have both cores.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent), str(_HERE.parent / "tests")]

import token_holders
from arguments import parser, to_publish, with_people, workplace
from code_load import BOTH_CORES, LOAD_CORE, SERVER_CORE, Case, compiled
from machine import this_machine
from processes import ours
from published import Results, Server, Wanted, told
from report import digits, progress, spread
from scale import MEASURED, Measured

from core.store_model import challenge
from rig.valkey import Valkey
from schema.secret import Secret
from shared.node import PlainNode, settings

NODES: Final = 3
CHALLENGES: Final = 5_000
EMBEDDED, SHARED, SEVERAL = "state in a file", "state on Valkey", f"{NODES} nodes, state on Valkey"
SHARED_SPREAD, SEVERAL_SPREAD = (f"{name}, all on both cores" for name in (SHARED, SEVERAL))
WANTED_OF_EMBEDDED: Final = 0.5
"""How much of the rate with a file we want with a Valkey."""
SYNC_CPU_US: Final = 71.8
"""Of a first sync of a million people from slapd, for each; docs/performance.md, by `make bench-sync`."""
WANTED_OF_ONE: Final = 1.0
"""How much of one node's rate we want of three on the same cores."""


class Place(msgspec.Struct, frozen=True):
    """Commands that bind to cores.

    Attributes:
        nodes: those that answer.
        beside: the load generator and the Valkey.
    """

    nodes: Sequence[str]
    beside: Sequence[str]


APART: Final = Place(SERVER_CORE, LOAD_CORE)
SPREAD: Final = Place(BOTH_CORES, BOTH_CORES)


class Cost(msgspec.Struct, frozen=True):
    """What a logon costs the Valkey.

    Attributes:
        microseconds: of its processor.
        commands: that it carries out, those within scripts included.
        octets: that come and go.
    """

    microseconds: float
    commands: float
    octets: float


class Held(msgspec.Struct, frozen=True):
    """What the Valkey holds in its memory.

    Attributes:
        person: octets for each person who has logged on.
        challenge: the same for each open challenge.
    """

    person: float
    challenge: float


class Part(Case):
    """A case whose people are one of several parts."""

    part = 0

    def write(self, file: Path) -> Path:
        """Of every `NODES` people one."""
        own = file.with_name(f"users-{self.part}")  # the parts are written at the same time
        whole = token_holders.write_load(own, self.people * NODES, self.kind, self.counter)
        whole.write_text("".join(whole.read_text().splitlines(keepends=True)[self.part :: NODES]))
        return whole


class Grown(msgspec.Struct, frozen=True):
    """What the files of a node have come to.

    Attributes:
        audit: octets for each logon.
        journal: the same.
        replica: octets for each person.
    """

    audit: float
    journal: float
    replica: float


def run(people: int, in_flight: int, rounds: int, seconds: float, folder: Path) -> tuple[Results, Cost, Grown, Held]:
    """Start all, and measure each case once a round. Raises Fault."""
    machine = this_machine()
    load = compiled(folder, "radload")
    with ExitStack() as stack:
        valkey, spread_valkey = (
            _valkey(stack, folder / f"valkey-{number}", at) for number, at in enumerate((APART, SPREAD))
        )
        (embedded,) = _nodes(stack, folder / "embedded", people, 1, None, APART)
        empty = _held(valkey)
        cases = {
            EMBEDDED: [embedded],
            SHARED: list(_nodes(stack, folder / "shared", people, 1, valkey, APART)),
            SEVERAL: list(_nodes(stack, folder / "several", people, NODES, valkey, APART)),
            SHARED_SPREAD: list(_nodes(stack, folder / "shared-spread", people, 1, spread_valkey, SPREAD)),
            SEVERAL_SPREAD: list(_nodes(stack, folder / "several-spread", people, NODES, spread_valkey, SPREAD)),
        }
        rates: dict[str, list[float]] = {name: [] for name in cases}
        costs: list[Cost] = []
        answered: Counter[str] = Counter()  # the warm-up among them: it stands in the files as well
        for number in range(rounds + 1):
            for name, group in cases.items():
                before = _spent(valkey)
                rate = _round(group, seconds, in_flight, load)
                replies = sum(case.rounds[-1][0].all_replies for case in group)
                answered[name] += replies
                progress(f"round {number}/{rounds}  {name}: {digits(rate)}/s")
                if number:  # the first is to warm up
                    rates[name].append(rate)
                    costs += [_cost(before, _spent(valkey), replies)] if name == SHARED else []
                else:
                    for case in group:
                        case.rounds.clear()
        person = (_held(valkey) - empty) / (2 * people)  # of one node, and of three
        held = Held(person, _challenge_octets(valkey, folder / "challenges"))
        figures = {name: [case.figures() for case in group] for name, group in cases.items()}
    rate = {name: spread(values) for name, values in rates.items()}
    servers = tuple(
        Server(
            name=f"dirfactor: {name}",
            ours=True,
            per_second=rate[name],
            ours_times=None,
            p50_ms=figures[name][0].p50_ms.median,
            p99_ms=figures[name][0].p99_ms.median,
            memory_mb=sum(each.memory_mb for each in figures[name]),
            cpu_us=figures[name][0].cpu_us,
        )
        for name in cases
    )
    wanted = (
        Wanted("as many logons as with a file", rate[SHARED].median / rate[EMBEDDED].median, WANTED_OF_EMBEDDED),
        *(
            Wanted(
                f"as many logons of {NODES} nodes as of one, {where}",
                rate[several].median / rate[one].median,
                WANTED_OF_ONE,
            )
            for where, several, one in (
                ("all of them on one core", SEVERAL, SHARED),
                ("all and the Valkey on two", SEVERAL_SPREAD, SHARED_SPREAD),
            )
        ),
    )
    conditions = f"{people:,} people, {in_flight} in flight at each node, {rounds} interleaved rounds"
    cost = Cost(*(spread(getattr(each, name) for each in costs).median for name in Cost.__struct_fields__))
    state = folder / "embedded" / "node-0" / "state"
    grown = Grown(
        _octets(state, "audit-*.jsonl") / answered[EMBEDDED],
        _octets(state, "journal.sqlite*") / answered[EMBEDDED],
        _octets(state, "replica.sqlite*") / (people + token_holders.TEXTED),
    )
    return Results(machine, conditions, servers, wanted), cost, grown, held


def _octets(folder: Path, pattern: str) -> int:
    return sum(file.stat().st_size for file in folder.glob(pattern))


def _valkey(stack: ExitStack, folder: Path, place: Place) -> Valkey:
    valkey = Valkey(folder)
    stack.callback(valkey.stop)
    valkey.process.command = [*place.beside, *valkey.process.command]
    valkey.start()
    return valkey


def _nodes(
    stack: ExitStack, folder: Path, people: int, count: int, valkey: Valkey | None, place: Place
) -> Iterator[Case]:
    """So many nodes of one company, ready; its keys on the Valkey begin with the folder's name."""
    folder.mkdir()
    keys: dict[str, bytes] = {}
    directory = ""
    for number in range(count):
        site, ports = folder / f"node-{number}", token_holders.Ports.free()
        site.mkdir()
        if number:
            (site / "directory.ldif").write_text(directory)
            (site / "state").mkdir(mode=0o700)
            for name, octets in keys.items():
                (site / "state" / name).write_bytes(octets)
                (site / "state" / name).chmod(0o600)
            config = token_holders.write_config(site, ports, "kind = ldif\nfile = directory.ldif", "dc=demo,dc=example")
        else:
            config = token_holders.write_site(site, people, ports)
            directory = (site / "directory.ldif").read_text()
        if valkey is not None:
            section = f"servers = {valkey.place}\ntls = no\nprefix = {folder.name}\nnode = node-{number}\n"
            config.write_text(f"{config.read_text()}\n[state]\n{section}")
        pid, _ = stack.enter_context(ours(config, place.nodes))
        if not number:
            keys = {name: (site / "state" / name).read_bytes() for name in ("server.key", "keys.ring")}
        case = (Part if count > 1 else Case)(
            f"node {number}", ports.radius, pid, people // count, "hotp", load_pin=place.beside
        )
        if isinstance(case, Part):
            case.part = number
        yield case


def _round(group: Sequence[Case], seconds: float, in_flight: int, load: Path) -> float:
    """All of a group at once; logons a second together."""
    with ThreadPoolExecutor(len(group)) as threads:
        for done in [threads.submit(case.load, seconds, in_flight, load) for case in group]:
            done.result()
    return sum(case.rounds[-1][0].all_replies / case.rounds[-1][0].wall_s for case in group)


def _info(valkey: Valkey) -> dict[str, str]:
    """What it says of itself."""
    return dict(line.split(":", 1) for line in valkey.cli("INFO", "everything").splitlines() if ":" in line)


def _spent(valkey: Valkey) -> Cost:
    """Since the Valkey began."""
    values = _info(valkey)
    calls = sum(
        int(value.split("calls=")[1].split(",")[0]) for name, value in values.items() if name.startswith("cmdstat_")
    )
    used = float(values["used_cpu_user"]) + float(values["used_cpu_sys"])
    octets = float(values["total_net_input_bytes"]) + float(values["total_net_output_bytes"])
    return Cost(used * 1e6, calls, octets)


def _held(valkey: Valkey) -> int:
    """Octets of its memory that are no client's."""
    values = _info(valkey)
    return int(values["used_memory"]) - int(values["mem_clients_normal"])


def _challenge_octets(valkey: Valkey, folder: Path) -> float:
    """Of its memory, for each open challenge."""
    folder.mkdir()
    node = PlainNode(settings(valkey, prefix="challenges", node="node"), folder)
    before = _held(valkey)
    for number in range(CHALLENGES):
        node.begin(Secret(f"state {number}"), challenge(number))
    octets = (_held(valkey) - before) / CHALLENGES
    node.close()
    return octets


def _cost(before: Cost, after: Cost, replies: int) -> Cost:
    pairs = ((getattr(before, name), getattr(after, name)) for name in Cost.__struct_fields__)
    return Cost(*((late - early) / replies for early, late in pairs))


def main() -> None:
    """Read the arguments, run, print."""
    given = to_publish(with_people(parser(__doc__, seconds=3.0), people=1998)).parse_args()
    with workplace() as folder:
        results, cost, grown, held = run(given.people, given.in_flight, given.rounds, given.seconds, folder)
    told(results, "nodes", as_json=given.json, to_publish=False)
    progress(
        f"a logon costs the Valkey {cost.microseconds:.0f} us of its processor, {cost.commands:.1f} commands, "
        f"{cost.octets:.0f} octets"
    )
    progress(
        f"it leaves {grown.audit:.0f} octets in the audit and {grown.journal:.0f} in the journal; "
        f"a person, {grown.replica:.0f} in the replica"
    )
    progress(f"the Valkey holds {held.person:.0f} octets for a person and {held.challenge:.0f} for an open challenge")
    if given.publish:
        alone, shared = results.servers[0], results.servers[1]
        known = Measured(
            alone_cpu_us=alone.cpu_us.median if alone.cpu_us else 0.0,
            shared_cpu_us=shared.cpu_us.median if shared.cpu_us else 0.0,
            valkey_cpu_us=cost.microseconds,
            valkey_commands=cost.commands,
            valkey_octets=cost.octets,
            valkey_person_octets=held.person,
            valkey_challenge_octets=held.challenge,
            node_mb=shared.memory_mb or 0.0,
            replica_octets=grown.replica,
            audit_octets=grown.audit,
            journal_octets=grown.journal,
            sync_cpu_us=SYNC_CPU_US,
        )
        MEASURED.write_bytes(msgspec.json.format(msgspec.json.encode(known), indent=2) + b"\n")


if __name__ == "__main__":
    main()
