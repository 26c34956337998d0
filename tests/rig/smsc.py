"""Runs an SMS centre that speaks SMPP 3.4 as Perl's Net::SMPP does, and reads what it was given."""

import re
from dataclasses import dataclass
from pathlib import Path

from rig.ports import LOOPBACK, answers, free_port
from rig.process import Process, wait_until

PROGRAM = Path(__file__).with_name("smsc.pl")
SUBMIT = re.compile(
    r"^submit (?P<to>\S+) ton=(\d+) npi=(\d+) from=(?P<sender>\S+) ton=(?P<ton>\d+) npi=(?P<npi>\d+) "
    r"coding=(?P<coding>\d+) esm=(?P<esm>\d+) payload=(?P<payload>[01]) message=(?P<message>[0-9a-f]*)$",
    re.MULTILINE,
)
UDHI = 0x40
# Of the GSM alphabet what is not ASCII and stands in our texts, 3GPP TS 23.038 section 6.2.1.
GSM = {0x00: "@", 0x02: "$", 0x1E: "ß", 0x5B: "Ä", 0x7B: "ä", 0x7C: "ö", 0x7E: "ü"}
GSM_ESCAPED = {0x65: "€", 0x28: "{", 0x29: "}"}


@dataclass(frozen=True)
class Submitted:
    """One submit_sm."""

    to: str
    sender: str
    sender_form: tuple[int, int]
    coding: int
    in_payload: bool
    header: bytes
    message: bytes

    @property
    def text(self) -> str:
        """What a telephone would show."""
        return self.message.decode("utf-16-be") if self.coding == 8 else _gsm(self.message)


class Smsc:
    """A centre with one account; smsc.pl says which numbers it treats in which way.

    Args:
        home: directory for its log; made when missing.
    """

    host = LOOPBACK
    system_id = "dirfactor"
    password = "Smpp-1x"

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        command = ["perl", str(PROGRAM), str(self.port), self.system_id, self.password]
        self._process = Process(command, log=home / "smsc.log")

    def start(self) -> None:
        """Starts and returns when it can be bound to; about 0.2 s."""
        self._process.start(lambda: answers(LOOPBACK, self.port))

    def stop(self) -> None:
        """Ends it with all its sessions."""
        self._process.kill()

    def submitted(self, number: str) -> list[Submitted]:
        """All that was submitted for a number so far, in the order of arrival."""
        found = (_read(match) for match in SUBMIT.finditer(self._process.log.read_text()))
        return [each for each in found if each.to == number.lstrip("+")]

    def wait_for_line(self, line: str, times: int = 1) -> None:
        """Returns when it has printed a line so often."""
        wait_until(lambda: self._process.log.read_text().splitlines().count(line) >= times, 5.0, self._process.log_tail)

    def lines(self) -> list[str]:
        """All that it has printed."""
        return self._process.log.read_text().splitlines()


def _read(match: re.Match[str]) -> Submitted:
    message = bytes.fromhex(match["message"])
    header = message[: message[0] + 1] if int(match["esm"]) & UDHI else b""
    return Submitted(
        to=match["to"],
        sender=match["sender"],
        sender_form=(int(match["ton"]), int(match["npi"])),
        coding=int(match["coding"]),
        in_payload=match["payload"] == "1",
        header=header,
        message=message[len(header) :],
    )


def _gsm(septets: bytes) -> str:
    text, position = "", 0
    while position < len(septets):
        if septets[position] == 0x1B:
            position += 1
            text += GSM_ESCAPED[septets[position]]
        else:
            text += GSM.get(septets[position], chr(septets[position]))
        position += 1
    return text
