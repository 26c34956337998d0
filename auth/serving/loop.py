"""The event loop of the service: uvloop's, but for names, of which none is looked up behind another.

uvloop looks names up in a pool of libuv, two at a time (`slow I/O` there); what nobody waits for any more is looked up
nevertheless. One name whose name servers are gone would keep all others from being looked up, for minutes.
"""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import uvloop

from dirsync.wire.lookups import AGAIN_SECONDS, Address, Lookups, Question, is_address


class Loop(uvloop.Loop):
    """A loop that waits for a name no longer than whoever asks, and for each one on its own."""

    def __init__(self) -> None:
        super().__init__()
        self._lookups = Lookups(self.time)

    async def getaddrinfo(self, host: Any, port: Any, **hints: int) -> Any:
        """See `asyncio.loop.getaddrinfo`."""
        if not host or is_address(host):
            return await super().getaddrinfo(host, port, **hints)
        return await self._found(Question(host, port, **hints))

    async def create_connection(self, protocol_factory: Any, host: Any = None, port: Any = None, **how: Any) -> Any:
        """See `asyncio.loop.create_connection`."""
        if not host or how.get("sock") or is_address(host):
            return await super().create_connection(protocol_factory, host, port, **how)
        hints = {name: how.pop(name, 0) for name in ("family", "proto", "flags")}
        found = await self._found(Question(host, port, type=socket.SOCK_STREAM, **hints))
        connected = await self._connected(found, how.pop("local_addr", None))
        if how.get("ssl") and how.get("server_hostname") is None:
            how["server_hostname"] = host
        try:
            return await super().create_connection(protocol_factory, sock=connected, **how)
        except BaseException:
            connected.close()
            raise

    async def create_datagram_endpoint(
        self, protocol_factory: Any, local_addr: Any = None, remote_addr: Any = None, **how: Any
    ) -> Any:
        """See `asyncio.loop.create_datagram_endpoint`."""
        if remote_addr and not is_address(remote_addr[0]):
            hints = {name: how.get(name, 0) for name in ("family", "proto", "flags")}
            host, port = remote_addr
            found = await self._found(Question(host, port, type=socket.SOCK_DGRAM, **hints))
            remote_addr = found[0][4][:2]
        return await super().create_datagram_endpoint(protocol_factory, local_addr, remote_addr, **how)

    async def _found(self, question: Question) -> Sequence[Address]:
        """Raises OSError when there are none."""
        while True:
            answer = asyncio.wrap_future(self._lookups.ask(question), loop=self)
            try:
                done, _ = await asyncio.wait({answer}, timeout=AGAIN_SECONDS)
                if done:
                    return answer.result()
            finally:
                if not answer.cancel() and not answer.cancelled():
                    answer.exception()  # seen, though nobody may wait for it any more

    async def _connected(self, found: Sequence[Address], local: Any) -> socket.socket:
        """A socket to the first of these addresses that takes it. Raises OSError of the last one when none does."""
        problem: OSError | None = None
        for family, kind, proto, _, address in found:
            trying = socket.socket(family, kind, proto)
            try:
                trying.setblocking(False)
                if local is not None:
                    trying.bind(local)
                await self.sock_connect(trying, address)
            except OSError as error:
                trying.close()
                problem = error
            except BaseException:
                trying.close()
                raise
            else:
                return trying
        raise problem or OSError("the name has no address")
