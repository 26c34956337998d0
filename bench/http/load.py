# ruff: noqa: INP001 - bench is a folder of programs, no package
"""Logons over HTTP, a program of its own: keeps N in flight over kept connections, prints what came of them as JSON.

Logons by text read their codes from a gateway that this program is as well. Its own share of a core is in the outcome:
near 1 it has measured itself.
"""

import argparse
import asyncio
import gc
import hmac
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent), str(_HERE.parents[1])]

import msgspec
import token_holders
import uvloop
from dialects import DIALECTS, Dialect
from sink import Gateway, Messages


class Outcome(msgspec.Struct, frozen=True):
    """What came of the logons.

    Attributes:
        accepted: how many ended well.
        other: how many did not.
        sample: what was said to one of those.
        seconds: from the first request to the last answer.
        p50: median time in seconds that a logon took, all its steps.
        p99: of 100 logons, 99 took no longer than this.
        first_p50: the same of the first step alone.
        first_p99: the same.
        share: of the seconds, for what part this program had a core.
    """

    accepted: int
    other: int
    sample: str
    seconds: float
    p50: float
    p99: float
    first_p50: float
    first_p99: float
    share: float


class Connection(asyncio.Protocol):
    """One connection, over which one request is on its way at a time; made again when the server closes it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._messages = Messages()
        self._waits: asyncio.Future[bytes] | None = None

    async def ask(self, request: bytes) -> bytes:
        """The body of the answer. Raises ConnectionError when the server closes before that."""
        loop = asyncio.get_running_loop()
        if self._transport is None or self._transport.is_closing():
            self._messages = Messages()
            self._transport, _ = await loop.create_connection(lambda: self, "127.0.0.1", self._port)
        self._waits = loop.create_future()
        self._transport.write(request)
        return await self._waits

    def data_received(self, data: bytes) -> None:
        """Hand over the body as soon as it is whole."""
        body = self._messages.take(data)
        if self._messages.last and self._transport is not None:
            self._transport.close()
        if body is not None and self._waits is not None and not self._waits.done():
            self._waits.set_result(body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits waits in vain."""
        if self._waits is not None and not self._waits.done():
            self._waits.set_exception(exc or ConnectionResetError())


class Logons:
    """People who log on one after the other, each only once at a time.

    Args:
        dialect: the server's.
        people: numbers of those who do.
        counter: of everybody's next code.
        gateway: where texts arrive.
    """

    def __init__(self, dialect: Dialect, people: Sequence[int], counter: int, gateway: Gateway) -> None:
        self._dialect = dialect
        self._free = list(reversed(people))
        self._done: list[int] = []
        self._counters = dict.fromkeys(people, counter)
        self._gateway = gateway
        self.took: list[float] = []
        self.first: list[float] = []
        self.others: list[bytes] = []

    async def by_code(self, connection: Connection) -> None:
        """One logon by a token's code."""
        number = self._next()
        counter = self._counters[number]
        self._counters[number] = counter + 1
        request = self._dialect.by_code(number, hotp(token_holders.seed(number), counter))
        begun = time.perf_counter()
        body = await connection.ask(request)
        self.took.append(time.perf_counter() - begun)
        self._note(number, body)

    async def by_text(self, connection: Connection) -> None:
        """One logon by a text."""
        number = self._next()
        request = self._dialect.by_text(number)
        begun = time.perf_counter()
        body = await connection.ask(request)
        self.first.append(time.perf_counter() - begun)
        said = self._dialect.said(body)
        if said.handle:
            code = self._gateway.code(token_holders.phone(number))
            body = await connection.ask(self._dialect.answer(number, said.handle, code))
        self.took.append(time.perf_counter() - begun)
        self._note(number, body)

    def _next(self) -> int:
        if not self._free:
            self._free, self._done = self._done[::-1], []
        return self._free.pop()

    def _note(self, number: int, body: bytes) -> None:
        self._done.append(number)
        if not self._dialect.said(body).accepted:
            self.others.append(body)


def hotp(seed: bytes, counter: int) -> str:
    """Six digits (RFC 4226 §5.3)."""
    digest = hmac.digest(seed, counter.to_bytes(8, "big"), "sha1")
    offset = digest[19] & 15
    return f"{(int.from_bytes(digest[offset : offset + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


async def measured(logons: Logons, kind: str, port: int, in_flight: int, seconds: float) -> Outcome:
    """So many logons in flight for so long."""
    one = {"code": logons.by_code, "text": logons.by_text}[kind]
    gc.collect()
    gc.freeze()
    begun, had = time.perf_counter(), time.process_time()

    async def worker() -> None:
        connection = Connection(port)
        while time.perf_counter() - begun < seconds:
            await one(connection)

    await asyncio.gather(*(worker() for _ in range(in_flight)))
    wall = time.perf_counter() - begun
    took, first = sorted(logons.took), sorted(logons.first or logons.took)
    return Outcome(
        accepted=len(took) - len(logons.others),
        other=len(logons.others),
        sample=logons.others[0].decode(errors="replace") if logons.others else "",
        seconds=wall,
        p50=took[len(took) // 2],
        p99=took[len(took) * 99 // 100],
        first_p50=first[len(first) // 2],
        first_p99=first[len(first) * 99 // 100],
        share=(time.process_time() - had) / wall,
    )


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dialect", choices=DIALECTS, required=True, help="whose HTTP is spoken")
    parser.add_argument("--kind", choices=("code", "text"), required=True, help="how people log on")
    parser.add_argument("--port", type=int, required=True, help="TCP port of the server on 127.0.0.1")
    parser.add_argument("--people", type=int, required=True, help="how many log on in turn")
    parser.add_argument("--counter", type=int, default=0, help="of everybody's next code")
    parser.add_argument("--in-flight", type=int, default=64, help="logons on their way at a time")
    parser.add_argument("--seconds", type=float, required=True, help="how long")
    parser.add_argument("--gateway", type=int, default=0, help="TCP port of the gateway; 0 for any")
    parser.add_argument("--gateway-seconds", type=float, default=0.0, help="for which the gateway thinks")
    given = parser.parse_args()

    async def run() -> Outcome:
        gateway = Gateway(given.gateway_seconds)
        async with gateway.listening(given.gateway):
            logons = Logons(DIALECTS[given.dialect], range(given.people), given.counter, gateway)
            return await measured(logons, given.kind, given.port, given.in_flight, given.seconds)

    sys.stdout.write(msgspec.json.encode(uvloop.run(run())).decode() + "\n")


if __name__ == "__main__":
    main()
