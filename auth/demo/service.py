"""The real service as a child process: `dirfactor serve` with a config.ini of its own, killed and restarted at will."""

import asyncio
import re
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from auth.audit.files import AuditFiles
from auth.audit.reader import outcomes
from auth.clock import Entropy
from auth.demo.program import Program, start
from auth.radius.attributes import Attribute, Pair
from auth.radius.client import RadiusTarget, ask
from auth.radius.packet import Code, Packet
from schema.errors import Fault
from schema.secret import Secret

_READY = re.compile(r"ready: RADIUS udp://[^:]+:(\d+),.* HTTP http://[^:]+:(\d+)")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a door said, in the terms that both doors share.

    Attributes:
        outcome: accepted, challenged or refused.
        message: for the person.
        state: to be returned with the answer.
        method: what is asked for, where the door says so.
        filter_id: the Filter-Id that an accept carries.
    """

    outcome: str
    message: str = ""
    state: Secret | None = None
    method: str = ""
    filter_id: str = ""


@dataclass(slots=True)
class RunningService:
    """`dirfactor serve` and its two doors.

    Attributes:
        config: its config.ini; [radius] and [http] are to name fixed ports.
        secret: RADIUS secret that this host shares with it.
        api_key: API key of the HTTP node.
        entropy: for RADIUS identifiers.
        log: where its lines go.
        environment: what it has in its environment beside ours.
        under: what begins it, see `auth.demo.program.start`.
    """

    config: Path
    secret: Secret
    api_key: Secret
    entropy: Entropy
    log: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    under: Sequence[str] = ()
    program: Program | None = None
    radius_port: int = 0
    http_port: int = 0
    _client: httpx.AsyncClient = field(
        default_factory=lambda: httpx.AsyncClient(
            trust_env=False,
            timeout=httpx.Timeout(20.0, pool=60.0),
            # no more than can be written at once: the door cuts a connection whose request is late
            limits=httpx.Limits(max_connections=40),
        )
    )

    async def start(self, patience: float = 60.0) -> None:
        """Start it and wait until both doors are open.

        Raises:
            Fault: it did not get ready; the fault has its last lines.
        """
        self.program = await start(
            "dirfactor serve", ["auth", "serve", "--config", str(self.config)], self.log, self.environment, self.under
        )
        line = await self.program.line(lambda text: _READY.search(text) is not None, patience=patience)
        match = _READY.search(line)
        if match is None:
            raise Fault(f"unexpected line: {line}", remedy="report this")
        self.radius_port, self.http_port = int(match[1]), int(match[2])

    async def stop(self) -> int:
        """End it as an operator would, for good; its exit status."""
        await self._client.aclose()
        return await self.pause()

    async def pause(self) -> int:
        """End it as an operator would, to start it again; its exit status."""
        return await self.program.stop() if self.program else 0

    async def kill(self) -> None:
        """End it as a crash would."""
        if self.program:
            await self.program.stop(signal.SIGKILL)

    async def radius(
        self, user: str, password: str, state: Secret | None = None, *, extra: Sequence[Pair] = ()
    ) -> Reply:
        """One Access-Request, with more attributes where `extra` has them."""
        return reply_of(await self.packet(user, password, state, extra=extra))

    async def packet(
        self, user: str, password: str, state: Secret | None = None, *, extra: Sequence[Pair] = ()
    ) -> Packet:
        """The response to one Access-Request, as it came."""
        target = RadiusTarget("127.0.0.1", self.radius_port, self.secret.octets)
        sent = state.octets if state is not None else None
        return await ask(target, user, Secret(password), entropy=self.entropy, state=sent, extra=extra, patience=15.0)

    async def http(
        self, user: str, *, state: Secret | None = None, api_key: Secret | None = None, **typed: str
    ) -> Reply:
        """One POST to /v1/authenticate; `typed` is password, passcode or both."""
        body: dict[str, str] = {"user": user, **typed}
        if state is not None:
            body["state"] = state.text
        answer = await self.post(body, api_key=api_key)
        answer.raise_for_status()
        said = answer.json()
        state_text = said.get("state")
        attributes = {pair["name"]: pair["value"] for pair in said.get("reply_attributes", ())}
        return Reply(
            outcome=said["outcome"],
            message=said.get("message", ""),
            state=Secret(state_text) if state_text else None,
            method=said.get("method", ""),
            filter_id=attributes.get("Filter-Id", ""),
        )

    async def post(self, body: Mapping[str, Any] | bytes, *, api_key: Secret | None = None) -> httpx.Response:
        """Any body to /v1/authenticate, with the key of its node or another's."""
        key = self.api_key if api_key is None else api_key
        headers = {b"Authorization": b"Bearer " + key.octets, b"Content-Type": b"application/json"}
        url = f"http://127.0.0.1:{self.http_port}/v1/authenticate"
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self._client.post(url, content=content, headers=headers)

    async def get(self, path: str) -> httpx.Response:
        """Any other route."""
        return await self._client.get(f"http://127.0.0.1:{self.http_port}{path}")

    async def until_ready(self, patience: float = 60.0) -> None:
        """Wait until /readyz says so. Raises Fault when it does not in time."""
        async with asyncio.timeout(patience):
            while (await self.get("/readyz")).status_code != httpx.codes.OK:  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(0.05)


def audit_lines(base: Path) -> list[dict[str, Any]]:
    """Every outcome of an audit whose files are called after `base`."""
    return [msgspec.to_builtins(line) for line in outcomes(AuditFiles(base, base.with_suffix(".key")))]


def free_port(kind: socket.SocketKind) -> int:
    """A loopback port that is free just now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def reply_of(packet: Packet) -> Reply:
    """What a RADIUS response says."""
    values = dict(reversed(packet.attributes))
    outcome = {
        Code.ACCESS_ACCEPT: "accepted",
        Code.ACCESS_CHALLENGE: "challenged",
        Code.ACCESS_REJECT: "refused",
    }[packet.code]
    state = values.get(Attribute.STATE)
    message = values.get(Attribute.REPLY_MESSAGE, b"").decode(errors="replace")
    filter_id = values.get(Attribute.FILTER_ID, b"").decode(errors="replace")
    return Reply(outcome, message, Secret(state.decode()) if state else None, filter_id=filter_id)
