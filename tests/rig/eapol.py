"""wpa_supplicant's eapol_test: a switch and somebody behind it who logs on by EAP."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

_METHOD = re.compile(r"^EAP: Received EAP-Request id=\d+ method=(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class EapResult:
    """How it went.

    Attributes:
        accepted: whether the server said Success, and Access-Accept.
        methods: numbers of the EAP methods that it asked with, in order.
        log: all that eapol_test said, passwords included.
    """

    accepted: bool
    methods: tuple[int, ...]
    log: str


async def eapol_test(
    folder: Path,
    port: int,
    secret: str,
    user: str,
    password: str,
    *,
    method: str = "GTC",
    inside: str = "",
    seconds: int = 10,
) -> EapResult:
    """One logon.

    Args:
        folder: for its file.
        port: of the RADIUS server on 127.0.0.1.
        secret: shared with it.
        user: the identity.
        password: what is typed wherever something is asked.
        method: the EAP method.
        inside: where the method makes a tunnel, what is in it, such as `auth=MSCHAPV2`; then there must be keys.
        seconds: how long it may take.
    """
    phase2 = f' phase2="{inside}"\n' if inside else ""
    settings = folder / "eapol.conf"
    settings.write_text(
        f'network={{\n key_mgmt=IEEE8021X\n eap={method}\n identity="{user}"\n password="{password}"\n{phase2}}}\n'
    )
    command = ["-c", str(settings), "-a", "127.0.0.1", "-p", str(port), "-s", secret, "-t", str(seconds)]
    command += [] if inside else ["-n"]  # no keys are expected
    running = await asyncio.create_subprocess_exec(
        "eapol_test", *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await running.communicate()
    log = said.decode(errors="replace")
    return EapResult(running.returncode == 0, tuple(map(int, _METHOD.findall(log))), log)
