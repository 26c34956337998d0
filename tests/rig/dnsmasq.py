"""Runs a real DNS server (dnsmasq) that knows what a test says, and asks nobody else."""

import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from rig.ports import LOOPBACK, free_port
from rig.process import Process

# A query for the SOA of "." (RFC 1035 section 4.1), which any answer tells to be up.
QUERY = bytes.fromhex("000101000001000000000000" + "00" + "00060001")


class Dnsmasq:
    """A DNS server on a free port of loopback.

    Args:
        home: directory for its log; made when missing.
        hosts: name -> address of those that it always knows.
    """

    def __init__(self, home: Path, hosts: Mapping[str, str] = MappingProxyType({})) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._home = home
        self._hosts = [f"--host-record={name},{address}" for name, address in hosts.items()]
        self._port = free_port()
        self.address = f"{LOOPBACK}:{self._port}"
        self.process = Process(["dnsmasq"], log=home / "dnsmasq.log")

    def start(self, services: Iterable[tuple[str, str, int, int, int]] = ()) -> None:
        """Starts, or starts again, with these SRV records and no others.

        Args:
            services: name, target, port, priority and weight of each.
        """
        self.stop()
        records = [
            f"--srv-host={name},{target},{port},{rank},{weight}" for name, target, port, rank, weight in services
        ]
        self.process = Process(
            [
                "dnsmasq",
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--no-resolv",
                "--no-hosts",
                "--user=root",
                "--pid-file",
                "--bind-interfaces",
                f"--listen-address={LOOPBACK}",
                f"--port={self._port}",
                "--local=//",
                *self._hosts,
                *records,
            ],
            log=self._home / "dnsmasq.log",
        )
        self.process.start(self._answers)

    def stop(self) -> None:
        """Ends; its port stays the same."""
        self.process.kill()

    def _answers(self) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.2)
            client.connect((LOOPBACK, self._port))
            client.send(QUERY)
            return bool(client.recv(512))
