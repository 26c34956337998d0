"""`python -m fuzz.flooder PORT SEED SOURCE...`: rubbish for the RADIUS door as fast as this process can send.

It waits for nobody, as whoever floods a port does. Told to end, it says how many datagrams it has sent.
"""

import signal
import socket
import sys
from itertools import cycle, islice

from fuzz.live import worthless
from rig.ports import LOOPBACK

_DIFFERENT = 500
"""Datagrams that are sent again and again."""
_TURN = 50
"""Datagrams from one source before the next has its turn."""


def main(port: int, seed: int, sources: list[str]) -> None:
    """Sends until SIGTERM."""
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: ended.append(number))
    rubbish, sent = cycle(worthless(_DIFFERENT, seed)), 0
    clients = [_socket(source, port) for source in sources]
    _tell("sending")
    while not ended:
        for client in clients:
            for datagram in islice(rubbish, _TURN):
                client.send(datagram)
            sent += _TURN
    _tell(f"sent {sent}")


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _socket(source: str, port: int) -> socket.socket:
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.bind((source, 0))
    client.connect((LOOPBACK, port))
    return client


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
