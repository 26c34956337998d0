"""Sockets at free ports of loopback, as the service takes them for its doors."""

import socket

from auth.ports import HTTP, RADIUS, Place, sockets_at


def datagrams_at(host: str = "127.0.0.1") -> socket.socket:
    return sockets_at(Place(RADIUS, "radius", socket.SOCK_DGRAM, host, 0))[0]


def connections_at(host: str = "127.0.0.1") -> socket.socket:
    return sockets_at(Place(HTTP, "http", socket.SOCK_STREAM, host, 0))[0]
