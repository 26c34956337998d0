"""pam_radius_auth under pamtester: somebody who logs on to a Linux host."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rig.process import SYSTEM_ENVIRONMENT

_SERVICES = Path("/etc/pam.d")


@dataclass
class PamService:
    """A PAM service of this host's, such as sshd is one, that asks a RADIUS server.

    Attributes:
        name: of the service.
    """

    name: str

    def log_on(self, user: str) -> "PamLogon":
        """Begins a logon of somebody's."""
        return PamLogon(
            subprocess.Popen(
                ["pamtester", self.name, user, "authenticate"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=SYSTEM_ENVIRONMENT,
                text=True,
            )
        )


@dataclass
class PamLogon:
    """A logon under way: what is asked for is typed one by one."""

    tester: subprocess.Popen[str]

    def type(self, text: str) -> None:
        """Types an answer to what is asked next."""
        assert self.tester.stdin is not None
        self.tester.stdin.write(text + "\n")
        self.tester.stdin.flush()

    def end(self) -> tuple[bool, str]:
        """Whether it opened, and all that was shown."""
        shown, _ = self.tester.communicate(timeout=60)
        return self.tester.returncode == 0, shown


@contextmanager
def pam_service(stack: Path) -> Iterator[PamService]:
    """A service with the stack of modules that stands in a file, such as one in /etc/pam.d; needs root."""
    service = PamService(f"dirfactor-test-{os.getpid()}-{stack.parent.name}")
    where = _SERVICES / service.name
    where.write_text(stack.read_text())
    try:
        yield service
    finally:
        where.unlink()
