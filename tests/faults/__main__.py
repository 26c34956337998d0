"""`make faults`: everything that the service needs fails in every way; how each logon ends, and how soon it goes on."""

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from faults.intruder import AT_REST, TURNS
from faults.kinds import KINDS
from faults.measured import note
from faults.plant import LDAP, SENTINELS, Plant, open_plant
from faults.table import ROWS, Row

MOST_SECONDS = 2.0


def main() -> int:
    """Exit status 0 when every cell is as the table says, and everything has come back in time.

    Only then docs/measured has how soon it did, and docs/faults.md the table with it.
    """
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--only", help="the rows of one thing")
    arguments = parser.parse_args()
    rows = [row for row in ROWS if arguments.only in {None, row.thing}]
    with tempfile.TemporaryDirectory(prefix="dirfactor-faults-", ignore_cleanup_errors=True) as folder:
        came_to = asyncio.run(run(Path(folder), rows))
    if came_to.wrong or came_to.late or came_to.holes:
        return 1
    note(came_to.back)
    return 0


@dataclass
class CameTo:
    """What the cells came to.

    Attributes:
        wrong: what is not as the table says.
        holes: intruders who were let in, or of whom it was not seen that they are turned away for what they show.
        intruders: how often one tried while something was the matter.
        late: rows after which logons did not go on in time; on a busy machine that may be the machine's.
        back: after how many seconds they went on, by thing and fault.
    """

    wrong: list[str] = field(default_factory=list)
    holes: list[str] = field(default_factory=list)
    intruders: int = 0
    late: list[str] = field(default_factory=list)
    back: dict[str, float] = field(default_factory=dict)


async def run(folder: Path, rows: list[Row]) -> CameTo:
    """Every row, and then whether all has come back."""
    came_to = CameTo()
    async with open_plant(folder) as everything:
        for thing in ("", LDAP, SENTINELS):
            for kind in KINDS:
                await everything.at(thing).recovered(kind)
        await _at_rest(everything, came_to)
        for number, row in enumerate(rows):
            plant = everything.at(row.thing)
            found = await _found(plant, row)
            await _intruded(plant, number, row.name, came_to)
            back = await _back(plant, row)
            await row.ends_with(plant)
            after = "" if back is None else f"  goes on after {back:4.1f} s"
            late = "" if back is None or back <= MOST_SECONDS else ", late"
            came_to.back |= {} if back is None else {row.name: back}
            cells = "  ".join(f"{kind} {reason}" for kind, reason in found.items())
            print(f"{row.thing:<24}{row.fault:<21}{cells}{after}{late}", flush=True)
            if late:
                came_to.late.append(row.name)
            came_to.wrong += [
                f"{row.name}: {kind} ends with {found[kind]}, not {row.ends.get(kind, 'accepted')}"
                for kind in KINDS
                if found[kind] != row.ends.get(kind, "accepted")
            ]
        await _at_rest(everything, came_to)
    print(f"{len(rows) * len(KINDS)} cells, {len(came_to.wrong)} of them wrong; {len(came_to.late)} rows late")
    print(f"{came_to.intruders} tries with a wrong factor or without it, {len(came_to.holes)} of them not turned away")
    late = (f"{name} is late: {came_to.back[name]:.1f} s" for name in came_to.late)
    for text in (*came_to.wrong, *late, *came_to.holes):
        print(f"  {text}")
    return came_to


async def _found(plant: Plant, row: Row) -> dict[str, str]:
    """How each kind of logon ends while something is the matter."""
    if not row.passes:
        await row.break_it(plant)
        return {kind: await plant.log_on(kind) for kind in KINDS}
    found: dict[str, str] = {}
    for kind in KINDS:
        await row.break_it(plant)
        found[kind] = await plant.log_on(kind)
        await plant.recovered(kind)
    return found


async def _back(plant: Plant, row: Row) -> float | None:
    """Seconds from the moment at which the thing is well again to the beginning of a logon that goes as it should.

    The longest of the kinds that were refused; None where none was. That one kind is tried after the other adds to it.
    """
    refused = [kind for kind in KINDS if row.ends.get(kind, "accepted") != "accepted"]
    begun = time.monotonic()
    await row.mend_it(plant)
    went_on = [await plant.recovered(kind) for kind in refused]
    for kind in KINDS:
        await plant.recovered(kind)
    return went_on[-1] - begun if went_on else None


async def _intruded(plant: Plant, turn: int, when: str, came_to: CameTo) -> None:
    """Those of a turn try, and nobody is let in."""
    for intruder, ends in (await plant.intruded(turn)).items():
        came_to.intruders += 1
        if "accepted" in ends:
            came_to.holes.append(f"{when}: {intruder.kind} with a {intruder.shown} factor: {', '.join(ends)}")


async def _at_rest(plant: Plant, came_to: CameTo) -> None:
    """All of them are turned away for what they show, and for nothing else: nobody is locked, for one."""
    for turn in range(TURNS):
        for intruder, ends in (await plant.intruded(turn)).items():
            if ends[-1] != AT_REST[intruder.kind, intruder.shown]:
                came_to.holes.append(f"nothing is the matter, and {intruder.uid} ends with {', '.join(ends)}")


if __name__ == "__main__":
    sys.exit(main())
