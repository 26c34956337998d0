"""Runs a real syslog receiver (rsyslog) for UDP, TCP and TLS, which takes messages apart and keeps what it found."""

import json
from pathlib import Path
from typing import Any

from rig.certificates import issue
from rig.ports import LOOPBACK, answers, free_port
from rig.process import Process, wait_for

HOST = "siem.example.test"

# mmpstrucdata is rsyslog's own parser of structured data; what is none leaves nothing there.
CONFIG = """\
global(workDirectory="{home}" maxMessageSize="64k" internalmsg.severity="warning"
       defaultNetstreamDriverCAFile="{tls}/ca.pem"
       defaultNetstreamDriverCertFile="{tls}/server.pem" defaultNetstreamDriverKeyFile="{tls}/server.key")
module(load="imudp")
module(load="imtcp")
module(load="mmpstrucdata")
input(type="imudp" address="{address}" port="{udp}" ruleset="seen")
input(type="imtcp" address="{address}" port="{tcp}" ruleset="seen")
input(type="imtcp" address="{address}" port="{tls_port}" ruleset="seen"
      streamDriver.Name="gtls" streamDriver.Mode="1" streamDriver.AuthMode="anon")
template(name="seen" type="list" option.jsonf="on") {{
    property(outname="pri" name="pri" format="jsonf")
    property(outname="at" name="timereported" dateFormat="rfc3339" format="jsonf")
    property(outname="app" name="app-name" format="jsonf")
    property(outname="process" name="procid" format="jsonf")
    property(outname="kind" name="msgid" format="jsonf")
    property(outname="version" name="protocol-version" format="jsonf")
    property(outname="text" name="msg" format="jsonf")
    property(outname="data" name="$!rfc5424-sd" format="jsonfr")
}}
ruleset(name="seen") {{
    action(type="mmpstrucdata")
    action(type="omfile" file="{seen}" template="seen")
}}
"""


class Rsyslog:
    """A receiver whose certificate is for `HOST`, `localhost` and the loopback address.

    Args:
        home: directory for everything of this server; made when missing.
    """

    host = LOOPBACK

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.ca_file = issue(home / "tls", HOST, "localhost", LOOPBACK).ca
        self.ports = {"udp": free_port(), "tcp": free_port(), "tls": free_port()}
        self._seen = home / "seen.jsonl"
        self._taken = 0
        ports = {"udp": self.ports["udp"], "tcp": self.ports["tcp"], "tls_port": self.ports["tls"]}
        config = CONFIG.format(home=home, tls=home / "tls", address=LOOPBACK, seen=self._seen, **ports)
        (home / "rsyslog.conf").write_text(config)
        command = ["rsyslogd", "-n", "-f", str(home / "rsyslog.conf"), "-i", str(home / "rsyslog.pid")]
        self.process = Process(command, log=home / "rsyslog.log")

    def url(self, transport: str) -> str:
        """Where it listens for udp, tcp or tls."""
        return f"{transport}://{LOOPBACK}:{self.ports[transport]}"

    def start(self) -> None:
        """Starts and returns when it answers."""
        self.process.start(lambda: all(answers(LOOPBACK, self.ports[name]) for name in ("tcp", "tls")))

    def stop(self) -> None:
        """Ends in order; what was seen stays."""
        self.process.stop()

    def wait_for(self, number: int, timeout: float = 10.0) -> list[dict[str, Any]]:
        """The next messages as they were taken apart, each once.

        Raises:
            ServerFailure: they did not come in time.
        """
        messages = wait_for(
            lambda: seen if len(seen := self._messages()[self._taken :]) >= number else None,
            timeout,
            lambda: f"{len(self._messages()) - self._taken} of {number} messages\n{self.process.log_tail()}",
        )
        self._taken += number
        return messages[:number]

    def _messages(self) -> list[dict[str, Any]]:
        if not self._seen.exists():
            return []
        lines = self._seen.read_text(encoding="utf-8").split("\n")[:-1]
        return [json.loads(line) for line in lines]
