"""`make attack`: what a day of guessing, locking out and pumping texts comes to, with policies as shipped."""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
from pathlib import Path

from attack.strategies import Attacker, Report
from auth.spend.settings import SpendSettings

LIKELY = 1e-4
PRICE = 0.08
_YES = {True: "yes", False: "no"}


def main() -> int:
    """Exit status 0 when every law held."""
    parser = argparse.ArgumentParser(prog="attack", description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0, help="of virtual time, for each strategy")
    parser.add_argument("--seed", type=int, help="of an earlier run; a new one when absent")
    parser.add_argument("--price", type=float, default=PRICE, help="of a text, as an example")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if arguments.seed is None else arguments.seed
    print(f"seed {seed}, {arguments.hours:g} hours of virtual time for each strategy\n", flush=True)
    logging.disable(logging.CRITICAL)  # the service tells of every refusal
    with tempfile.TemporaryDirectory(prefix="dirfactor-attack-") as folder:
        return asyncio.run(run(Attacker(Path(folder), arguments.hours, seed), arguments.price))


async def run(attacker: Attacker, price: float) -> int:
    """Print, and say whether all held."""
    broken = []
    print(f"{'guessing':<45}{'compared':>9}{'likely at most':>16}{'texts':>7}{'let in':>8}  locked meanwhile")
    for each in await attacker.reports():
        row = f"{each.name:<45}{each.comparisons:>9}{each.likely:>16.1e}{each.texts:>7}{each.let_in:>8}"
        print(f"{row}  {_YES[each.locked]}")
        broken += [f"{each.name}: {each.likely:.1e}"] if each.likely >= LIKELY else []
    right, expected = await attacker.calibrated()
    print(f"\nwith ten codes only {right} guesses were right, where {expected:.0f} should have been")
    if not expected / 3 < right < expected * 3:
        broken.append("guesses are not worth what they are counted for")
    print(f"\n{'locking out':<60}{'locked':>7}  served afterwards")
    outsiders, exposed = await attacker.locked_out()
    for each in (outsiders, exposed):
        print(f"{each.name:<60}{_YES[each.locked]:>7}  {_YES[bool(each.still_served)]} {', '.join(each.notes)}")
    if outsiders.locked or not outsiders.still_served:
        broken.append("somebody was locked out by name where a password is asked first")
    print(f"\n{'pumping texts':<45}{'texts':>9}{f'at {price:.2f} each':>16}")
    for each in await attacker.pumped():
        print(f"{each.name:<45}{each.texts:>9}{each.texts * price:>16.2f}")
        broken += [f"{each.name}: {each.texts}"] if each.texts > most_texts(each) else []
    for law in broken:
        print(f"BROKEN {law}")
    return int(bool(broken))


def most_texts(report: Report) -> int:
    """What [spend] allows in a day as it is shipped."""
    shipped = SpendSettings()
    return shipped.per_user_day if "one" in report.name else shipped.per_day


if __name__ == "__main__":
    sys.exit(main())
