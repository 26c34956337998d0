"""radsecproxy: takes RADIUS by UDP and carries it over TLS, as between sites or to a cloud."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.certificates import ServerFiles
from rig.ports import LOOPBACK
from rig.process import Process

_CONFIG = """\
ListenUDP {loopback}:{port}
LogLevel 2
tls door {{
    CACertificateFile {files.ca}
    CertificateFile {files.certificate}
    CertificateKeyFile {files.key}
}}
client nas {{
    host {loopback}
    type udp
    secret {secret}
}}
server door {{
    host {loopback}
    port {door_port}
    type tls
    tls door
    secret radsec
    StatusServer on
}}
realm * {{
    server door
}}
"""


@contextmanager
def radsecproxy(folder: Path, secret: str, door_port: int, files: ServerFiles) -> Iterator[int]:
    """A proxy to a RadSec door on 127.0.0.1, by certificate; the UDP port where it takes requests with this secret."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    settings = folder / "radsecproxy.conf"
    settings.write_text(_CONFIG.format(loopback=LOOPBACK, port=port, files=files, secret=secret, door_port=door_port))
    log = folder / "radsecproxy.log"
    proxy = Process(["radsecproxy", "-f", "-c", str(settings)], log=log)
    proxy.start(lambda: "TLS connection to door" in log.read_text())
    try:
        yield port
    finally:
        proxy.stop()
