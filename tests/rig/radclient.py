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

    @property
    def said(self) -> dict[str, str]:
        """The attributes without the signature, which differs from packet to packet."""
        return {name: value for name, value in self.attributes.items() if name != "Message-Authenticator"}

    @property
    def state(self) -> str:
        """The State attribute in radclient's notation (0x...)."""
        return self.attributes["State"]


def radclient(port: int, secret_file: Path, user: str, password: str, state: str | None = None) -> RadiusReply:
    """One Access-Request by PAP with Message-Authenticator, sent once."""
    attributes = [f'User-Name = "{user}"', f'User-Password = "{password}"']
    if state:
        attributes.append(f"State = {state}")
    return radclient_with(port, secret_file, attributes)


def radclient_with(port: int, secret_file: Path, attributes: Sequence[str]) -> RadiusReply:
    """One Access-Request with these attributes, as radclient writes them, and Message-Authenticator, sent once."""
    command = ["radclient", "-x", "-r", "1", "-t", "10", "-S", str(secret_file), f"127.0.0.1:{port}", "auth"]
    sent = ", ".join((*attributes, "Message-Authenticator = 0x00"))
    done = subprocess.run(command, input=sent, capture_output=True, text=True, timeout=30, check=False)
    found = _CODE.search(done.stdout)
    if found is None:
        return RadiusReply("nothing", {})
    received = done.stdout[found.start() :]
    values = {name: value.strip('"') for name, value in _ATTRIBUTE.findall(received)}
    return RadiusReply(found[1], values)
