"""Which socket of several gets what: all of one sender's, whatever its port, and each socket those of some senders."""

import contextlib
import socket
from collections import defaultdict

import pytest

from auth.ports import HTTP, RADIUS, Place, sockets_at
from schema.errors import Fault

ADDRESSES = [f"127.0.{high}.{low}" for high in range(4) for low in range(1, 17)]
WORKERS = 3


@pytest.fixture
def datagrams():
    yield from closing(sockets_at(Place(RADIUS, "radius", socket.SOCK_DGRAM, "127.0.0.1", 0), WORKERS))


@pytest.fixture
def connections():
    yield from closing(sockets_at(Place(HTTP, "http", socket.SOCK_STREAM, "127.0.0.1", 0), WORKERS))


def closing(sockets):
    yield sockets
    for each in sockets:
        each.close()


def heard(each):
    """Where what has come has come from."""
    with contextlib.suppress(BlockingIOError):
        while True:
            yield each.recvfrom(100)[1][0]


def test_datagrams_of_one_address_go_to_one_socket_and_each_socket_has_its_share(datagrams):
    for address in ADDRESSES:
        for _ in range(5):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.bind((address, 0))
                sender.sendto(b"x", datagrams[0].getsockname())
    by_address = defaultdict(set)
    shares = []
    for number, each in enumerate(datagrams):
        came = list(heard(each))
        shares.append(len(came))
        for address in came:
            by_address[address].add(number)
    assert set(by_address) == set(ADDRESSES)
    assert all(len(numbers) == 1 for numbers in by_address.values())
    assert sum(shares) == 5 * len(ADDRESSES)
    assert min(shares) >= 5 * len(ADDRESSES) / WORKERS / 3


def test_so_do_connections(connections):
    by_address = defaultdict(set)
    for address in ADDRESSES[:20]:
        for _ in range(3):
            with socket.create_connection(connections[0].getsockname(), source_address=(address, 0)):
                for number, each in enumerate(connections):
                    try:
                        accepted, (came_from, _) = each.accept()
                    except BlockingIOError:
                        continue
                    accepted.close()
                    by_address[came_from].add(number)
    assert set(by_address) == set(ADDRESSES[:20])
    assert all(len(numbers) == 1 for numbers in by_address.values())
    assert set.union(*by_address.values()) == set(range(WORKERS))


@pytest.mark.parametrize("host", ["::1", "::"])
def test_and_datagrams_over_ipv6(host):
    sockets = sockets_at(Place(RADIUS, "radius", socket.SOCK_DGRAM, host, 0), WORKERS)
    for _ in range(8):
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"x", ("::1", sockets[0].getsockname()[1]))
    came = sorted(len(list(heard(each))) for each in sockets)
    for each in sockets:
        each.close()
    assert came == [0, 0, 8]


def test_a_place_that_somebody_has_is_a_fault_with_its_remedy(datagrams):
    _, port = datagrams[0].getsockname()
    for workers in (1, 2):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            place = Place(RADIUS, "radius", socket.SOCK_DGRAM, "127.0.0.1", other.getsockname()[1])
            with pytest.raises(Fault, match="cannot listen on UDP") as caught:
                sockets_at(place, workers)
            assert "choose another port" in caught.value.remedy
    with pytest.raises(Fault, match="cannot listen on"):
        sockets_at(Place(RADIUS, "radius", socket.SOCK_DGRAM, "127.0.0.1", port), 1)
