# ruff: noqa: INP001 - bench is a folder of programs, no package
"""Questions a second to a gateway or VIP over kept mutual TLS, by our client next to httpx as it comes, in one run."""

import asyncio
import multiprocessing
import os
import ssl
from collections.abc import Callable, Sequence
from multiprocessing.synchronize import Event

import httpx
import msgspec
import trustme
import uvloop
from arguments import parser
from machine import Machine, this_machine
from report import Spread, digits, progress, show, show_json, spread, table, times

from auth.clock import SYSTEM_CLOCK
from auth.http_client import http_client_over
from auth.http_exchange import Question, exchange

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nContent-Type: text/plain\r\n\r\naccepted"
_BODY = b"to=%2B12025550100&text=123456+is+your+logon+code."
WANTED = 2000
"""Questions a second on one core that we want."""


class Figures(msgspec.Struct, frozen=True):
    """What one client came to."""

    client: str
    in_flight: int
    per_second: Spread
    cpu_us: Spread


class Report(msgspec.Struct, frozen=True):
    """The whole run."""

    machine: Machine
    rounds: int
    cases: tuple[Figures, ...]


class _Gateway(asyncio.Protocol):
    """Answers each request as soon as it is whole."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        self._transport = transport
        self._octets = b""

    def data_received(self, data: bytes) -> None:
        """Answer what is whole."""
        self._octets += data
        while len(self._octets) >= len(_BODY) and b"\r\n\r\n" in self._octets:
            end = self._octets.index(b"\r\n\r\n") + 4 + len(_BODY)
            if len(self._octets) < end:
                return
            self._octets = self._octets[end:]
            self._transport.write(_ANSWER)  # type: ignore[attr-defined]


def _serve(port: int, context_of: Callable[[], ssl.SSLContext], ready: Event) -> None:
    async def forever() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(_Gateway, "127.0.0.1", port, ssl=context_of())
        ready.set()
        await server.serve_forever()

    os.sched_setaffinity(0, {0})
    uvloop.run(forever())


async def _measure(client: httpx.AsyncClient, url: str, in_flight: int, seconds: float) -> tuple[float, float]:
    """Questions a second, and microseconds of processor time for each."""
    question = Question("POST", url, {"Content-Type": "application/x-www-form-urlencoded"}, _BODY)
    done = 0
    begun = had = ends = 0.0

    async def ask() -> None:
        nonlocal done
        while SYSTEM_CLOCK.monotonic() < ends:
            answer = await exchange(client, question, connect_seconds=5)
            if answer.body != b"accepted":
                raise RuntimeError(answer.status)
            done += 1

    async with client:
        for warm in (True, False):
            done = 0
            begun, had = SYSTEM_CLOCK.monotonic(), sum(os.times()[:2])
            ends = begun + (0.5 if warm else seconds)
            await asyncio.gather(*(ask() for _ in range(in_flight)))
        taken = SYSTEM_CLOCK.monotonic() - begun
        return done / taken, (sum(os.times()[:2]) - had) / done * 1e6


def run(rounds: int, seconds: float, widths: Sequence[int]) -> Report:
    """Measure both clients once a round, in turn."""
    machine = this_machine()
    authority = trustme.CA()
    server, client = authority.issue_cert("localhost"), authority.issue_cert("client.example")

    def accepting() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.configure_cert(context)
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def asking() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.configure_cert(context)
        authority.configure_trust(context)
        return context

    clients: dict[str, Callable[[], httpx.AsyncClient]] = {
        "dirfactor": lambda: http_client_over(asking()),
        "httpx as it comes": lambda: httpx.AsyncClient(verify=asking(), timeout=None),  # noqa: S113 - of loopback
    }
    fork = multiprocessing.get_context("fork")
    ready = fork.Event()
    port = 20000 + os.getpid() % 20000
    gateway = fork.Process(target=_serve, args=(port, accepting, ready), daemon=True)
    gateway.start()
    ready.wait(10)
    os.sched_setaffinity(0, {1})
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    try:
        for number in range(rounds):
            for width in widths:
                for name, made in clients.items():
                    rate, cost = uvloop.run(_measure(made(), f"https://localhost:{port}/send", width, seconds))
                    found.setdefault((name, width), []).append((rate, cost))
                    progress(f"round {number + 1}/{rounds}  {name}, {width} at once: {digits(rate)}/s")
    finally:
        gateway.kill()
    cases = tuple(
        Figures(name, width, spread(rate for rate, _ in each), spread(cost for _, cost in each))
        for (name, width), each in sorted(found.items(), key=lambda item: (item[0][1], item[0][0]))
    )
    return Report(machine, rounds, cases)


def as_text(report: Report) -> str:
    """The report as a Markdown table, and whether what is wanted is reached."""
    plain = {each.in_flight: each.per_second.median for each in report.cases if each.client != "dirfactor"}
    rows = [
        (
            each.client,
            str(each.in_flight),
            each.per_second.text(),
            times(each.per_second.median / plain[each.in_flight]),
            each.cpu_us.text(),
        )
        for each in report.cases
    ]
    head = ("client", "at once", "questions/s, median (range)", "x httpx", "CPU µs each")
    ours = max(each.per_second.median for each in report.cases if each.client == "dirfactor")
    reached = "reached" if ours >= WANTED else "not reached"
    return (
        f"{report.machine}\nmutual TLS, connections kept, client on one core, {report.rounds} interleaved rounds\n\n"
        f"{table(head, rows)}\n\n- {digits(ours)} a second, wanted {WANTED:,}: {reached}"
    )


def main() -> None:
    """Read the arguments, run, print."""
    given = parser(__doc__, seconds=2.0).parse_args()
    report = run(given.rounds, given.seconds, (8, 64))
    if given.json:
        show_json(report)
    else:
        show(as_text(report))


if __name__ == "__main__":
    main()
