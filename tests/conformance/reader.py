"""Looks for people in a replica until a line comes on standard input; tells as JSON how often, and whom it missed."""

import contextlib
import json
import select
import sys
import time
from pathlib import Path

from dirsync.replica import Replica
from schema.errors import Fault

PAUSE_SECONDS = 0.005  # so that the machine has something left for the others


def look(replica: Replica, login: str) -> str | None:
    """What is wrong with what the replica says about somebody."""
    try:
        found = replica.find([("sam", login)])
        people = [replica.person(user) for user in found]
    except Fault as fault:
        return f"{login}: {fault}"
    return None if len(people) == 1 and people[0] is not None else f"{login}: found {len(people)}"


def main() -> None:
    looks, missed = 0, []
    with contextlib.closing(Replica(Path(sys.argv[1]))) as replica:
        while not select.select([sys.stdin], [], [], 0)[0]:
            for login in sys.argv[2:]:
                looks += 1
                if problem := look(replica, login):
                    missed.append(f"{time.strftime('%H:%M:%S')} {problem}")
            time.sleep(PAUSE_SECONDS)
    sys.stdout.write(json.dumps({"looks": looks, "missed": missed[:20]}))


if __name__ == "__main__":
    main()
