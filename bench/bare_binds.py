# ruff: noqa: INP001 - bench is a folder of programs, no package
"""Simple binds by python-ldap alone, over connections that are kept, each with its thread; prints JSON."""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

import ldap
import msgspec
import token_holders


class Binds(msgspec.Struct, frozen=True):
    """How many binds there were in how many seconds, their times in seconds, and the processor time of all."""

    done: int
    seconds: float
    p50: float
    p99: float
    cpu: float


def _bind(url: str, ca_file: str, base: str, first: int, ends: float) -> list[float]:
    handle = ldap.initialize(url)
    handle.set_option(ldap.OPT_X_TLS_CACERTFILE, ca_file)
    handle.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
    took = []
    number = first
    while time.perf_counter() < ends:
        number = (number + 1) % token_holders.TEXTED
        begun = time.perf_counter()
        handle.simple_bind_s(
            f"uid={token_holders.texted_name(number)},ou=people,{base}", token_holders.password(number)
        )
        took.append(time.perf_counter() - begun)
    handle.unbind_s()
    return took


def main() -> None:
    """Read URL, CA file, base, connections and seconds; run; print."""
    url, ca_file, base, connections, seconds = sys.argv[1:]
    begun = time.perf_counter()
    count = int(connections)
    with ThreadPoolExecutor(count) as pool:
        jobs = [
            pool.submit(_bind, url, ca_file, base, each * token_holders.TEXTED // count, begun + float(seconds))
            for each in range(count)
        ]
    took = sorted(each for job in jobs for each in job.result())
    wall, cpu = time.perf_counter() - begun, sum(os.times()[:2])
    binds = Binds(len(took), wall, took[len(took) // 2], took[len(took) * 99 // 100], cpu)
    sys.stdout.write(msgspec.json.encode(binds).decode() + "\n")


if __name__ == "__main__":
    main()
