"""FreeRADIUS's own client: what it sends and what it says it got."""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_CODE = re.compile(r"^Received Access-(Accept|Reject|Challenge) ", re.MULTILINE)
_ATTRIBUTE = re.compile(r"^\t([\w-]+) = (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class RadiusReply:
    """A response as radclient prints it: `Accept`, `Reject` or `Challenge`, or `nothing`, and its attributes."""

    code: str
    attributes: dict[str, str]
    pairs: tuple[tuple[str, str], ...] = ()

    def every(self, name: str) -> list[str]:
        """The values of an attribute, in the order they came."""
        return [value for found, value in self.pairs if found == name]

    @property
    def said(self) -> dict[str, str]:
        """The attributes without the signature, which differs from packet to packet."""
        return {name: value for name, value in self.attributes.items() if name != "Message-Authenticator"}

    @property
    def state(self) -> str:
        """The State attribute in radclient's notation (0x...)."""
        return self.attributes["State"]


def radclient(
    port: int,
    secret_file: Path,
    user: str,
    password: str,
    state: str | None = None,
    *,
    tries: int = 1,
    seconds: float = 10,
) -> RadiusReply:
    """One Access-Request by PAP with Message-Authenticator, sent once, or again every so many seconds."""
    attributes = [f'User-Name = "{user}"', f'User-Password = "{password}"']
    if state:
        attributes.append(f"State = {state}")
    return radclient_with(port, secret_file, attributes, tries=tries, seconds=seconds)


def status_server(port: int, secret_file: Path) -> RadiusReply:
    """One Status-Server with Message-Authenticator."""
    return radclient_with(port, secret_file, [], kind="status")


def radclient_with(
    port: int,
    secret_file: Path,
    attributes: Sequence[str],
    *,
    kind: str = "auth",
    tries: int = 1,
    seconds: float = 10,
) -> RadiusReply:
    """One request with these attributes, as radclient writes them, and Message-Authenticator, sent as `radclient`."""
    timing = ["-r", str(tries), "-t", str(seconds)]
    command = ["radclient", "-x", *timing, "-S", str(secret_file), f"127.0.0.1:{port}", kind]
    sent = ", ".join((*attributes, "Message-Authenticator = 0x00"))
    done = subprocess.run(command, input=sent, capture_output=True, text=True, timeout=30, check=False)
    found = _CODE.search(done.stdout)
    if found is None:
        return RadiusReply("nothing", {})
    received = done.stdout[found.start() :]
    pairs = tuple((name, value.strip('"')) for name, value in _ATTRIBUTE.findall(received))
    return RadiusReply(found[1], dict(pairs), pairs)
