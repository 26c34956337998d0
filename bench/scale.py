# ruff: noqa: INP001 - bench is a folder of programs, no package
"""What so many people and logons take: a model over figures that were measured. Its table is in docs/scale.md. Pure."""

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

_ROOT = Path(__file__).resolve().parents[1]
MEASURED: Final = _ROOT / "docs" / "measured" / "scale.json"
BUSY: Final = 0.6
"""What part of a core's time is planned for; the rest is for bursts and for what the model does not know."""
CORES: Final = 8
"""Of a node."""
SHARD_BUSY: Final = 0.5
"""What part of a Valkey primary's one core is planned for."""
SITUATIONS: Final = ((1_000, 1.0), (20_000, 20.0), (100_000, 100.0), (1_000_000, 1_000.0), (1_000_000, 10_000.0))
"""People, and logons by code a second at the busiest time."""
DAY_SHARE: Final = 0.1
"""What part of a day's seconds have as many logons as the busiest one."""
OPEN_SECONDS: Final = 600.0
"""For how long the Valkey holds a challenge that nobody answers: a code's lifetime as shipped, and five minutes."""


class Measured(msgspec.Struct, frozen=True):
    """What was measured, by one of the benchmarks.

    Attributes:
        alone_cpu_us: processor time of a logon by PIN and code with the state in a file.
        shared_cpu_us: the same with the state on Valkey.
        valkey_cpu_us: what it costs the Valkey.
        valkey_commands: commands that the Valkey carries out for it.
        valkey_octets: what comes and goes there.
        valkey_person_octets: of the Valkey's memory, for each person who has logged on.
        valkey_challenge_octets: the same, for each open challenge.
        node_mb: resident memory of a process that answers.
        replica_octets: of the replica's file, for each person.
        audit_octets: of the audit, for each logon.
        journal_octets: of the journal, for each logon.
        sync_cpu_us: processor time of a first sync, for each person.
    """

    alone_cpu_us: float
    shared_cpu_us: float
    valkey_cpu_us: float
    valkey_commands: float
    valkey_octets: float
    valkey_person_octets: float
    valkey_challenge_octets: float
    node_mb: float
    replica_octets: float
    audit_octets: float
    journal_octets: float
    sync_cpu_us: float


class Plan(msgspec.Struct, frozen=True):
    """What is needed.

    Attributes:
        cores: that answer, at `BUSY`.
        nodes: of `CORES`, one more than needed, so that one may fail; one where a single core is enough.
        memory_gb: of each node.
        replica_gb: on each node's disk.
        disk_gb_a_day: what audit and journal grow by, over all nodes.
        first_sync_minutes: processor time of a first sync at a node.
        shards: primaries of the Valkey cluster, at `SHARD_BUSY`; 0 where a node is alone.
        valkey_gb: memory of all primaries together, when everybody has logged on and a text is open for each logon.
        valkey_mbit: to and from the Valkey.
        valkey_commands: a second.
    """

    cores: float
    nodes: int
    memory_gb: float
    replica_gb: float
    disk_gb_a_day: float
    first_sync_minutes: float
    shards: int
    valkey_gb: float
    valkey_mbit: float
    valkey_commands: float


def plan(people: int, logons: float, measured: Measured) -> Plan:
    """What so many people need whose logons by PIN and code come at so many a second at most."""
    alone = logons * measured.alone_cpu_us / 1e6 / BUSY
    several = alone > 1
    cores = logons * measured.shared_cpu_us / 1e6 / BUSY if several else alone
    nodes = math.ceil(cores / CORES) + 1 if several else 1
    workers = min(CORES, max(1, math.ceil(cores / max(1, nodes - 1)))) if several else 1
    replica = people * measured.replica_octets / 1e9
    return Plan(
        cores=cores,
        nodes=nodes,
        memory_gb=workers * measured.node_mb / 1e3 + replica,
        replica_gb=replica,
        disk_gb_a_day=logons * DAY_SHARE * 86_400 * (measured.audit_octets + measured.journal_octets) / 1e9,
        first_sync_minutes=people * measured.sync_cpu_us / 60e6,
        shards=math.ceil(logons * measured.valkey_cpu_us / 1e6 / SHARD_BUSY) if several else 0,
        valkey_gb=_valkey_octets(people, logons, measured) / 1e9 if several else 0.0,
        valkey_mbit=logons * measured.valkey_octets * 8 / 1e6 if several else 0.0,
        valkey_commands=logons * measured.valkey_commands if several else 0.0,
    )


def _valkey_octets(people: int, logons: float, measured: Measured) -> float:
    """As if all logons were by text, and nobody answered before a challenge is forgotten."""
    return people * measured.valkey_person_octets + logons * OPEN_SECONDS * measured.valkey_challenge_octets


def measured() -> Measured:
    """As it was published last."""
    return msgspec.json.decode(MEASURED.read_bytes(), type=Measured)


def rows(known: Measured) -> Iterator[str]:
    """The table of docs/scale.md, line by line."""
    yield (
        "| people | logons/s | cores | nodes | memory of each | replica of each | audit and journal a day | first sync "
        "| Valkey primaries | their memory | to and from Valkey |"
    )
    yield "|---:" * 11 + "|"
    for people, logons in SITUATIONS:
        found = plan(people, logons, known)
        store = (
            f"{found.shards} | {found.valkey_gb:,.1f} GB | {found.valkey_mbit:,.0f} Mbit/s"
            if found.shards
            else "none | none | none"
        )
        yield (
            f"| {people:,} | {logons:,.0f} | {found.cores:,.1f} | {found.nodes} | {found.memory_gb:.1f} GB "
            f"| {found.replica_gb:.2f} GB | {found.disk_gb_a_day:,.1f} GB "
            f"| {found.first_sync_minutes:,.1f} min | {store} |"
        )


def main() -> None:
    """Print the table."""
    sys.stdout.write("\n".join(rows(measured())) + "\n")


if __name__ == "__main__":
    main()
