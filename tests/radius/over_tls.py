"""The RADIUS door over TLS, opened in the test's loop, and a client's connection to it."""

import asyncio
import contextlib
import socket
import ssl
import struct
from dataclasses import dataclass
from pathlib import Path

import trustme

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.radius import RadiusDoor
from auth.radius.door import ACCOUNTING, LOGONS
from auth.radius.radsec import RadsecListener, open_radsec, radsec_tls
from auth.settings import RadsecSettings
from sockets import connections_at


@dataclass
class Place:
    """Where it listens, and whom it believes."""

    folder: Path
    authority: trustme.CA
    door: RadiusDoor
    port: int = 0


@contextlib.asynccontextmanager
async def opened(folder, service, lookup, *, versions=("1.0",), **listening):
    """A door that is known as radius.example, with an authority of its own."""
    authority = trustme.CA()
    authority.issue_cert("radius.example").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    door = RadiusDoor(service=service, clock=SYSTEM_CLOCK, entropy=SYSTEM_ENTROPY, served=LOGONS | ACCOUNTING)
    listener = RadsecListener(lookup, door, versions=versions, **listening)
    section = RadsecSettings(folder / "server.pem", folder / "ca.pem", versions=versions)
    async with contextlib.AsyncExitStack() as doors:
        shown = await open_radsec(connections_at(), radsec_tls(section, SYSTEM_CLOCK), listener, doors)
        yield Place(folder, authority, door, int(shown.rpartition(":")[2]))


@contextlib.asynccontextmanager
async def connected(
    place, name="vpn1.example", *, offered=(), authority=None, newest=ssl.TLSVersion.TLSv1_3, port=0, ends=None
):
    """A connection of whoever has a certificate for `name`, or none, and offers these versions of RADIUS.

    The certificate is good for a long time unless it `ends`. From a port of its own when one is given; then it is
    reset at the end, so that the port can be had again at once.
    """
    context = ssl.create_default_context()
    place.authority.configure_trust(context)
    context.maximum_version = newest
    if name:
        (authority or place.authority).issue_cert(name, not_after=ends).configure_cert(context)
    if offered:
        context.set_alpn_protocols([f"radius/{version}" for version in offered])
    client = socket.socket()
    client.setblocking(False)
    if port:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.bind(("127.0.0.1", port))
    await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", place.port))
    reader, writer = await asyncio.open_connection(sock=client, ssl=context, server_hostname="radius.example")
    try:
        yield reader, writer
    finally:
        writer.transport.abort() if port else writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()


async def heard(reader):
    """The next packet."""
    head = await asyncio.wait_for(reader.readexactly(4), 5)
    return head + await reader.readexactly(int.from_bytes(head[2:4], "big") - 4)
