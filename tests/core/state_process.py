"""Processes that share a state file, run by test_embedded_state: `state_process.py race|kill|spend FILE`. Prints JSON.

It is a process of its own, with one thread, so that it can fork many children in a short time.
"""

import contextlib
import json
import os
import random
import select
import signal
import sys
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from auth.embedded_state import EmbeddedStore  # noqa: E402 - after the path
from auth.facts import Question  # noqa: E402 - after the path
from auth.state import Challenge, Limit  # noqa: E402 - after the path
from auth.turn import Turns  # noqa: E402 - after the path
from plain_store import PlainStore  # noqa: E402 - after the path
from schema.secret import Secret  # noqa: E402 - after the path

BOOT = "boot-1"
NODE = "vpn"
USER = b"u" * 16
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
RACERS, STATES, ROUNDS = 8, 60, 40


def state(number):
    return Secret(f"state-{number:06d}")


def challenge(number):
    return Challenge(
        id=number.to_bytes(16, "big"),
        user=USER,
        node=NODE,
        stage=1,
        question=Question.SMS,
        digest=b"d" * 32,
        expires_at=NOW + timedelta(minutes=5),
        attempts_left=3,
        correlation=f"login-{number}",
    )


def forked(work):
    """Run `work(say)` in a child; `say` writes one line for us. The child's pid and the end to read from."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return child, reader
    os.close(reader)
    status = 1
    with contextlib.suppress(BaseException):
        try:
            work(lambda line: os.write(writer, f"{line}\n".encode()))
            status = 0
        except BaseException:  # noqa: BLE001 - the child must never run our own code to its end
            os.write(writer, f"error {traceback.format_exc().splitlines()[-1]}\n".encode())
    os._exit(status)


def told(reader):
    """Every whole line until the child is gone."""
    octets = b""
    while more := os.read(reader, 65536):
        octets += more
    os.close(reader)
    return octets.decode().split("\n")[:-1]


def race(file):
    """Processes open a file that is not there yet, all at once, and then all want each state at once."""
    starts = [os.pipe() for _ in range(RACERS)]

    def racer(start):
        def work(say):
            os.read(start, 1)
            store = PlainStore(EmbeddedStore(file, BOOT, Turns()))
            say("opened")
            for number in range(STATES):
                os.read(start, 1)
                strange = store.attempt(state(number), "another node")
                found = store.attempt(state(number), NODE)
                say(f"{found.correlation if found else 'nothing'}{' and a stranger' if strange else ''}")

        return work

    children = [forked(racer(start)) for start, _ in starts]
    said = [os.fdopen(reader) for _, reader in children]

    def all_at_once():
        for _, writer in starts:
            os.write(writer, b".")
        return [lines.readline().strip() for lines in said]

    opened = all_at_once()
    store = PlainStore(EmbeddedStore(file, BOOT, Turns()))
    outcomes = []
    for number in range(STATES):
        store.begin(state(number), challenge(number))
        outcomes.append(all_at_once())
    for child, _ in children:
        os.waitpid(child, 0)
    return {"opened": opened, "outcomes": outcomes}


def kill(file):
    """One child after the other works through verbs and says what it has done; each is killed at a random moment."""
    dice = random.Random(20261124)
    rounds, begun, handed, struck = [], 0, [], 0
    waiting = set()
    for _ in range(ROUNDS):
        first, old = begun + 1, sorted(waiting)

        def work(say, first=first, old=old):
            store = PlainStore(EmbeddedStore(file, BOOT, Turns()))
            pending = list(old)
            for number in range(first, first + 10_000):
                store.begin(state(number), challenge(number))
                say(f"begun {number}")
                pending.append(number)
                if number % 2:
                    wanted = pending.pop(0)
                    say(f"wants {wanted}")
                    say(f"{'got' if store.attempt(state(wanted), NODE) else 'missed'} {wanted}")
                store.strike(USER, NOW + timedelta(seconds=number))
                say(f"struck {number}")
                store.strike(b"other user here.", NOW)
                store.withdraw(b"other user here.", NOW)
                store.count("key", NOW, 900, 10**9)

        child, reader = forked(work)
        octets, enough = b"", dice.randrange(0, 1500)
        while len(octets) < enough and (more := os.read(reader, 4096)):
            octets += more
        select.select([], [], [], dice.random() / 2000)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        lines = (octets.decode() + "\n".join([*told(reader), ""])).split("\n")[:-1]
        events = [line.split(" ", 1) for line in lines]
        numbers = {kind: [int(rest) for word, rest in events if word == kind] for kind in
                   ("begun", "wants", "got", "missed", "struck")}  # fmt: skip
        begun = max([*numbers["begun"], first - 1]) + 1  # the next one may have been begun and not said
        waiting |= set(numbers["begun"])
        waiting -= set(numbers["wants"])
        handed += numbers["got"]
        struck += len(numbers["struck"])
        store = PlainStore(EmbeddedStore(file, BOOT, Turns()))  # it opens
        rounds.append(
            {
                "events": len(events),
                "errors": [rest for word, rest in events if word == "error"],
                "missed": numbers["missed"],
                "struck": struck,
                "failures": len(store.failures(USER)),
                "strange": len(store.failures(b"other user here.")),
            }
        )
        store.close()
    store = PlainStore(EmbeddedStore(file, BOOT, Turns()))
    left = [number for number in range(begun + 2) if store.attempt(state(number), NODE) is not None]
    return {"rounds": rounds, "handed": handed, "waiting": sorted(waiting), "left": left}


def spend(file):
    """Processes want to send at once, each until it is refused ten times running; what each was allowed, by limit."""
    PlainStore(EmbeddedStore(file, BOOT, Turns())).close()
    start, begin = os.pipe()

    def sender(number):
        def work(say):
            store = PlainStore(EmbeddedStore(file, BOOT, Turns()))
            os.read(start, 1)
            refused = 0
            while refused < 10:
                own = Limit("own", f"own {number % 2}", 3_600, 60)
                limits = (own, Limit("all", "all", 86_400, 100), Limit("money", "money", 86_400, 1_000, 7 + number))
                reached = store.reserve(limits, NOW + timedelta(seconds=number))
                refused = refused + 1 if reached else 0
                say(reached.name if reached else f"sent {number % 2} {7 + number}")

        return work

    children = [forked(sender(number)) for number in range(RACERS)]
    os.write(begin, b"." * RACERS)
    return [line for _, reader in children for line in told(reader)]


if __name__ == "__main__":
    json.dump({"race": race, "kill": kill, "spend": spend}[sys.argv[1]](Path(sys.argv[2])), sys.stdout)
