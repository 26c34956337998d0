"""Runs a real SMS gateway (Kannel) that hands its texts to Kannel's fake SMS centre."""

import time
from pathlib import Path

import httpx

from rig.fakesmsc import Text, received_texts
from rig.ports import LOOPBACK, answers, free_port
from rig.process import Process, wait_for, wait_until

FAKESMSC = "/usr/lib/kannel/test/fakesmsc"
# Quiet time after which a text counts as complete: its lines and parts follow each other within microseconds.
SETTLED_SECONDS = 0.05

# The port for the fake centre listens on every address, which Kannel cannot change; it hangs up on all but loopback.
CONFIGURATION = """\
group = core
admin-port = {admin_port}
admin-interface = {loopback}
admin-password = {password}
status-password = {password}
smsbox-port = {smsbox_port}
smsbox-interface = {loopback}
box-deny-ip = "*.*.*.*"
box-allow-ip = "{loopback}"
store-type = file
store-location = "{home}/store"
dlr-storage = internal
sms-resend-freq = 1
sms-resend-retry = 2

group = smsc
smsc = fake
smsc-id = FAKE
host = {loopback}
port = {smsc_port}
connect-allow-ip = {loopback}

group = smsbox
bearerbox-host = {loopback}
sendsms-port = {sendsms_port}
sendsms-interface = {loopback}
global-sender = dirfactor

group = sendsms-user
username = {username}
password = {password}
concatenation = true
max-messages = 5
forced-smsc = FAKE

group = sms-service
keyword = default
max-messages = 0
text = "no service"
"""


class Kannel:
    """A gateway with one account, connected to one SMS centre.

    Args:
        home: directory for everything of this gateway; made when missing.
    """

    username = "dirfactor"
    password = "Sendsms-1"

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        admin_port, smsbox_port, smsc_port = free_port(), free_port(), free_port()
        self._smsbox_port = smsbox_port
        sendsms_port = free_port()
        self.sendsms_url = f"http://{LOOPBACK}:{sendsms_port}/cgi-bin/sendsms"
        self.status_url = f"http://{LOOPBACK}:{admin_port}/status.txt?password={self.password}"
        configuration = home / "kannel.conf"
        configuration.write_text(
            CONFIGURATION.format(
                home=home,
                loopback=LOOPBACK,
                admin_port=admin_port,
                smsbox_port=smsbox_port,
                smsc_port=smsc_port,
                sendsms_port=sendsms_port,
                username=self.username,
                password=self.password,
            )
        )
        self._bearerbox = Process(["bearerbox", str(configuration)], log=home / "bearerbox.log")
        self._smsbox = Process(["smsbox", str(configuration)], log=home / "smsbox.log")
        # "-m 0": it sends nothing by itself, though a message must be given.
        self._centre = Process(
            [FAKESMSC, "-H", LOOPBACK, "-r", str(smsc_port), "-m", "0", "1 2 text nothing"], log=home / "centre.log"
        )
        self._taken: set[int] = set()

    def start(self) -> None:
        """Starts and returns when a text would be delivered; about 1 s."""
        self._bearerbox.start(lambda: answers(LOOPBACK, self._smsbox_port))
        self._smsbox.start(lambda: self._status_says("(on-line "))
        self.connect_centre()

    def stop(self) -> None:
        """Ends all three programs; throws away what was not delivered."""
        for process in (self._centre, self._smsbox, self._bearerbox):
            process.kill()

    def connect_centre(self) -> None:
        """Brings the SMS centre up; returns when the gateway says so."""
        self._centre.start(lambda: self._status_says("(online "))

    def disconnect_centre(self) -> None:
        """Takes the SMS centre down; the gateway then accepts texts and keeps them."""
        self._centre.kill()
        wait_until(lambda: not self._status_says("(online "), 10.0, self._bearerbox.log_tail)

    def wait_for_text(self, number: str, timeout: float = 5.0) -> str:
        """The content of the next text that arrives at the SMS centre for a number, each once.

        Args:
            number: receiver, compared without a leading "+".
            timeout: seconds to wait at most.

        Raises:
            ServerFailure: none arrived in time.
        """
        index = wait_for(
            lambda: self._next_text(number),
            timeout,
            lambda: f"no text for {number} arrived in {timeout} s\n{self._centre.log_tail()}",
        )
        self._taken.add(index)
        self._let_settle()
        return self._texts()[index].content

    def _texts(self) -> list[Text]:
        return received_texts(self._centre.log.read_text())

    def _next_text(self, number: str) -> int | None:
        """The index of the first text for a number that nobody has taken."""
        for index, text in enumerate(self._texts()):
            if index not in self._taken and text.receiver.lstrip("+") == number.lstrip("+"):
                return index
        return None

    def _let_settle(self) -> None:
        size = -1
        while size != (size := self._centre.log.stat().st_size):
            time.sleep(SETTLED_SECONDS)

    def _status_says(self, words: str) -> bool:
        # "(on-line " is a connected smsbox, "(online " a connected SMS centre.
        try:
            return words in httpx.get(self.status_url).text
        except httpx.TransportError:
            return False
