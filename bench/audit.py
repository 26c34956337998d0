# ruff: noqa: INP001 - bench is a folder of programs, no package
"""Lines a second that the audit takes and proves, next to a bare append of the same lines, in one run."""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from machine import this_machine
from report import digits, progress, show, spread, table, times

from auth.audit import AuditFiles, AuditKey, AuditLine, AuditTrail
from auth.audit.proof.lines import Keys
from auth.audit.proof.verify import verify

LINES, ROUNDS = 20_000, 5
NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def line(number: int) -> AuditLine:
    """A login by text as it is recorded."""
    return AuditLine(
        at=NOON,
        correlation=f"{number:016x}",
        outcome="challenged",
        reason="code-sent",
        door="radius",
        node="vpn",
        address="192.0.2.7",
        name="alice@example.org",
        user="CN=Alice Archer,OU=People,DC=example,DC=org",
        user_id="00112233445566778899aabbccddeeff",
        policy="CN=staff,OU=Policies,DC=example,DC=org",
        method="sms",
        destination="+43…01",
        gateway="kannel",
        message_id="8d3f41c2",
        directory_version=17,
        directory_age=1.3,
        milliseconds=21.2,
    )


def bare(folder: Path) -> Callable[[AuditLine], None]:
    """Appends the JSON, and nothing else."""
    file = os.open(folder / "bare.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    encoder = msgspec.json.Encoder()

    def write(each: AuditLine) -> None:
        os.write(file, encoder.encode(each) + b"\n")

    return write


def rate(work: Callable[[], object]) -> float:
    """Lines a second of processor time: what else the machine does counts less."""
    begun = time.process_time()
    work()
    return LINES / (time.process_time() - begun)


def main() -> None:
    """Print the table."""
    machine = this_machine()
    rates: dict[str, list[float]] = {"a bare append": [], "the audit": [], "its proof": []}
    key = AuditKey(bytes(32))
    lines = [line(number) for number in range(LINES)]
    for number in range(ROUNDS):
        progress(f"round {number + 1} of {ROUNDS}")
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            files = AuditFiles(folder / "audit.jsonl", folder / "audit.key")
            trail = AuditTrail(files, key, lambda: NOON)
            for what, write in (("a bare append", bare(folder)), ("the audit", trail.write)):
                rates[what].append(rate(lambda write=write: [write(each) for each in lines]))
            asyncio.run(trail.aclose())
            keys = Keys(key.public, key)
            rates["its proof"].append(rate(lambda files=files, keys=keys: verify(files, keys, lambda each, _: each)))
    spreads = {what: spread(found) for what, found in rates.items()}
    one = spreads["a bare append"].median
    show(f"Audit, lines a second on one core, {ROUNDS} rounds of {digits(LINES)}; {machine}")
    rows = [(what, found.text(), times(one / found.median)) for what, found in spreads.items()]
    show(table(("", "lines/s, median (range)", "time of one line"), rows))


if __name__ == "__main__":
    main()
