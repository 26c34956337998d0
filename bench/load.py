# ruff: noqa: INP001 - bench is a folder of programs, no package
"""A load of Access-Requests, a program of its own: keeps N in flight, prints what came back as JSON.

All packets are built before the clock starts and all replies are verified after it has stopped: in between there is
little more than sending and receiving. Its own share of a core is in the outcome: near 1 it has measured itself.
"""

import argparse
import asyncio
import collections
import gc
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import uvloop

from auth.clock import SYSTEM_ENTROPY
from auth.radius.attributes import Attribute, Pair, integer
from auth.radius.packet import Code, Packet, encode_request, hide, verify_response

_SOCKETS = 8
_IDENTIFIERS = 256
_SLOTS = _SOCKETS * _IDENTIFIERS
_OCTETS = 4096
_PATIENCE = 5.0
_BUFFER = 4 * 1024 * 1024


class Outcome(msgspec.Struct, frozen=True):
    """What came back.

    Attributes:
        replies: how many requests were answered; each answer was verified.
        unanswered: how many were not, within 5 seconds.
        codes: name of the reply's Code -> how many.
        seconds: from the first request to the last reply.
        p50: median time in seconds from a request to its reply.
        p99: of 100 replies, 99 came sooner than this many seconds.
        share: of the seconds, for what part this program had a core.
    """

    replies: int
    unanswered: int
    codes: dict[str, int]
    seconds: float
    p50: float
    p99: float
    share: float


class Load:
    """The requests on their way; request `i` goes over socket `i mod 8` with identifier `i div 8 mod 256`.

    Args:
        port: UDP port of the server on 127.0.0.1.
        datagrams: the requests.
    """

    def __init__(self, port: int, datagrams: Sequence[bytes]) -> None:
        self._datagrams = datagrams
        self._sockets = [_connected(port) for _ in range(_SOCKETS)]
        self._in_slot = [-1] * _SLOTS  # socket and identifier -> the request that waits there
        self._sent_at = [0.0] * len(datagrams)
        self._next = 0
        self._waiting = 0
        self._over = asyncio.Event()
        self.replies: list[tuple[int, bytes]] = []
        self.took: list[float] = []
        self.last = 0.0

    async def run(self, in_flight: int) -> None:
        """Send all, with so many on their way at a time; returns when all are answered or given up."""
        loop = asyncio.get_running_loop()
        for number, own in enumerate(self._sockets):
            loop.add_reader(own.fileno(), self._readable, number)
        for _ in range(min(in_flight, len(self._datagrams))):
            self._send()
        while not self._over.is_set():
            try:
                await asyncio.wait_for(self._over.wait(), _PATIENCE / 5)
            except TimeoutError:
                self._give_up(time.perf_counter() - _PATIENCE)
        for own in self._sockets:
            loop.remove_reader(own.fileno())
            own.close()

    def _send(self) -> None:
        request = self._next
        if request == len(self._datagrams):
            if not self._waiting:
                self._over.set()
            return
        slot = request % _SLOTS
        overtaken = self._in_slot[slot] >= 0  # lost, or it would not wait since 2048 requests
        self._in_slot[slot] = request
        self._next += 1
        self._waiting += not overtaken
        self._sent_at[request] = time.perf_counter()
        self._sockets[request % _SOCKETS].send(self._datagrams[request])
        if overtaken:
            self._send()

    def _readable(self, number: int) -> None:
        receive = self._sockets[number].recv
        while True:
            try:
                reply = receive(_OCTETS)
            except BlockingIOError:
                return
            now = time.perf_counter()
            slot = reply[1] * _SOCKETS + number
            request = self._in_slot[slot]
            if request >= 0:
                self._in_slot[slot] = -1
                self._waiting -= 1
                self.took.append(now - self._sent_at[request])
                self.replies.append((request, reply))
                self.last = now
                self._send()

    def _give_up(self, before: float) -> None:
        for slot, request in enumerate(self._in_slot):
            if request >= 0 and self._sent_at[request] < before:
                self._in_slot[slot] = -1
                self._waiting -= 1
                self._send()


def measured(port: int, secret: bytes, packets: Sequence[Packet], in_flight: int) -> Outcome:
    """Send the packets, verify the replies."""
    datagrams = [encode_request(packet, secret) for packet in packets]
    gc.collect()
    gc.freeze()  # or the collector would walk through all packets while the clock runs

    async def run() -> tuple[Load, float, float]:
        load = Load(port, datagrams)
        began, had = time.perf_counter(), time.process_time()
        await load.run(in_flight)
        return load, load.last - began, time.process_time() - had

    load, seconds, had = uvloop.run(run())
    codes: collections.Counter[str] = collections.Counter()
    for request, reply in load.replies:
        codes[verify_response(reply, packets[request], secret).code.name] += 1
    took = sorted(load.took)
    if not took:
        raise SystemExit(f"nobody answers on UDP port {port}")
    return Outcome(
        replies=len(took),
        unanswered=len(packets) - len(took),
        codes=dict(codes),
        seconds=seconds,
        p50=took[len(took) // 2],
        p99=took[len(took) * 99 // 100],
        share=had / seconds,
    )


def requests(users: Sequence[tuple[str, str]], first: int, count: int, secret: bytes) -> list[Packet]:
    """Access-Requests numbered from `first` on, of each user in turn; the number is the NAS-Port.

    Every one is thus a login of its own and nobody's repeat.
    """
    return [_request(first, place, users[(first + place) % len(users)], secret) for place in range(count)]


def _request(first: int, place: int, user: tuple[str, str], secret: bytes) -> Packet:
    name, password = user
    authenticator = SYSTEM_ENTROPY.octets(16)
    attributes: tuple[Pair, ...] = (
        (Attribute.USER_NAME, name.encode()),
        (Attribute.USER_PASSWORD, hide(password.encode(), secret, authenticator)),
        (Attribute.NAS_IDENTIFIER, b"load"),
        (Attribute.NAS_PORT, integer(first + place)),
        (Attribute.CALLING_STATION_ID, b"192.0.2.1"),
    )
    return Packet(Code.ACCESS_REQUEST, place // _SOCKETS % _IDENTIFIERS, authenticator, attributes)


def _connected(port: int) -> socket.socket:
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.setblocking(False)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    own.connect(("127.0.0.1", port))
    return own


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="UDP port of the server on 127.0.0.1")
    parser.add_argument("--secret", type=Path, required=True, help="file with the shared secret")
    parser.add_argument("--users", type=Path, required=True, help="file with a login name and a password a line")
    parser.add_argument("--first", type=int, default=0, help="number of the first request")
    parser.add_argument("--count", type=int, required=True, help="how many requests")
    parser.add_argument("--in-flight", type=int, default=64, help="requests on their way at a time, up to 1024")
    given = parser.parse_args()
    secret = given.secret.read_bytes()
    lines = given.users.read_text().splitlines()
    users = [(name, password) for name, password in (line.split() for line in lines)]
    packets = requests(users, given.first, given.count, secret)
    outcome = measured(given.port, secret, packets, min(given.in_flight, _SLOTS // 2))
    sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")


if __name__ == "__main__":
    main()
