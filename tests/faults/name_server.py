"""The name server of a service that is started with a resolver of its own, and what happens on the way to it."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.rcode

from faults.way import Fault
from rig.dnsmasq import Dnsmasq
from rig.fixtures import running
from rig.ports import LOOPBACK

_CHUNK = 4096
_PATIENCE = 2.0
_SLOW_SECONDS = 0.2
_PORT = 53  # no other can be written into resolv.conf


class NameServer:
    """An address of loopback at which a real name server is asked, which knows localhost and what else it is told.

    Args:
        home: for resolv.conf and hosts.
        behind: the real one.
    """

    def __init__(self, home: Path, behind: Dnsmasq) -> None:
        self.fault = Fault.NONE
        self.silent: set[str] = set()
        """Names about which nobody answers, whatever else is answered: their own name servers are gone."""
        self.questions = 0
        self._behind = (LOOPBACK, int(behind.address.rpartition(":")[2]))
        self._socket = _somewhere()
        self._place = self._socket.getsockname()
        self._files = (home / "resolv.conf", home / "hosts")
        self._files[0].write_text(f"nameserver {self._place[0]}\n")
        self._files[1].write_text("")
        self._serve()

    @property
    def under(self) -> tuple[str, ...]:
        """What a program is to be begun with, so that it asks here and knows no other hosts. Needs root."""
        here = " && ".join(f"mount --bind {file} /etc/{file.name}" for file in self._files)
        return ("unshare", "--mount", "sh", "-c", f'{here} && exec "$@"', "sh")

    def become(self, fault: Fault) -> None:
        """From now on."""
        before, self.fault = self.fault, fault
        if fault is Fault.DOWN:
            self._close()
        elif before is Fault.DOWN:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.bind(self._place)
            self._serve()

    def close(self) -> None:
        if self.fault is not Fault.DOWN:
            self._close()

    def _close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # whoever reads it wakes up
        self._socket.close()

    def _serve(self) -> None:
        threading.Thread(target=self._take, args=(self._socket,), daemon=True).start()

    def _take(self, here: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                octets, client = here.recvfrom(_CHUNK)
                if octets:
                    self.questions += 1
                    threading.Thread(target=self._treat, args=(here, octets, client, self.fault), daemon=True).start()

    def _treat(self, here: socket.socket, octets: bytes, client: tuple[str, int], fault: Fault) -> None:
        with contextlib.suppress(OSError, dns.exception.DNSException):
            question = dns.message.from_wire(octets)
            if fault is Fault.HALF_OPEN or question.question[0].name.to_text(omit_final_dot=True) in self.silent:
                return
            if fault is Fault.REFUSED:
                refusal = dns.message.make_response(question)
                refusal.set_rcode(dns.rcode.REFUSED)
                answer = refusal.to_wire()
            elif fault is Fault.GARBAGE:
                answer = octets[:2] + b"\x81\x80\x00\x01\xff\xff" + b"\xc0\x0c" * 20
            else:
                answer = self._asked(octets)
            if fault is Fault.SLOW:
                time.sleep(_SLOW_SECONDS)
            here.sendto(answer, client)

    def _asked(self, octets: bytes) -> bytes:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(_PATIENCE)
            asking.connect(self._behind)
            asking.send(octets)
            return asking.recv(_CHUNK)


def _somewhere() -> socket.socket:
    """At an address of loopback where nobody else is: the port is given."""
    for number in range(2, 250):
        found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            found.bind((f"127.53.9.{number}", _PORT))
        except OSError:
            found.close()
        else:
            return found
    msg = "no address of loopback has port 53 to give"
    raise AssertionError(msg)


@contextmanager
def name_server(home: Path, *names: str) -> Iterator[NameServer]:
    """One that knows these names, and localhost, as 127.0.0.1."""
    home.mkdir()
    with running(Dnsmasq(home / "dnsmasq", dict.fromkeys(("localhost", *names), LOOPBACK))) as behind:
        server = NameServer(home, behind)
        try:
            yield server
        finally:
            server.close()
