"""The service under test, `dirfactor serve` without doors, and somebody who reads its replica all the while."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from conformance.sites import Site
from rig.process import Process, ServerFailure

ROOT = Path(__file__).parents[2]
CONFIGURATION = """\
[service]
state_directory = {folder}/state

[directory]
kind = {kind}
url = {url}
base = {base}
changes = {changes}
bind_dn = {bind_dn}
bind_password = file:{folder}/password
ca_file = {ca_file}

[sync]
interval_seconds = 1.0
# the point of it is to hold what happens here
tripwire_users = 0

[radius]
enabled = no

[http]
enabled = no
"""
PATHS = {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}


class Service:
    """`dirfactor serve` with one directory, killed and restarted at will.

    Args:
        site: the directory.
        folder: for its files.
    """

    def __init__(self, site: Site, folder: Path) -> None:
        self.replica = folder / "state" / "replica.sqlite"
        settings = site.settings
        password = folder / "password"
        password.touch(mode=0o600)
        password.write_text(site.settings.bind_password.text)
        configuration = folder / "config.ini"
        configuration.write_text(
            CONFIGURATION.format(
                folder=folder,
                kind=settings.kind,
                url=settings.url[0],
                base=settings.base,
                changes=settings.changes,
                bind_dn=settings.bind_dn,
                ca_file=settings.ca_file,
            )
        )
        command = [sys.executable, "-m", "auth", "serve", "--config", str(configuration)]
        self._process = Process(command, log=folder / "service.log", environment=PATHS)

    def start(self) -> None:
        """Starts it, and returns before it does anything."""
        self._process.start(lambda: True)

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self._process.kill()

    def check(self) -> None:
        """Raises ServerFailure when it has ended by itself."""
        if not self._process.running:
            raise ServerFailure(f"the service has ended by itself\n{self._process.log_tail()}")


class Reader:
    """Another process that looks for the same people again and again, as logons do.

    Args:
        replica: the file.
        logins: of those who must be found.
    """

    def __init__(self, replica: Path, logins: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "conformance.reader", str(replica), *logins],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | PATHS,
        )

    def stop(self) -> tuple[int, list[str]]:
        """How often it has looked, and what it has missed."""
        told = json.loads(self._process.communicate("\n")[0])
        return told["looks"], told["missed"]

    def end(self) -> None:
        """Ends it, however far it is."""
        self._process.kill()
        self._process.communicate()
