"""`make conformance`: thousands of random operations at each real server, and what the replica makes of them."""

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from conformance.course import Course
from conformance.report import difference, show
from conformance.sites import Site, active_directory, ds389, openldap
from dirsync.settings import ChangeFeed
from rig.ds389 import DirectoryServer389
from rig.fixtures import DS389_SCHEMA, OPENLDAP_SCHEMA, running
from rig.ports import loopback_address
from rig.samba import LDAPS_PORT, DomainController
from rig.samba_template import samba_template
from rig.slapd import Slapd
from run_progress import Progress

SESSION_LOG = 1000


class Servers:
    """The servers that are asked for; they run until the end, for to make one may take longer than to run it.

    Args:
        folder: for their files.
        stack: ends them.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack

    @cached_property
    def _domain(self) -> DomainController:
        cache = Path.home() / ".cache" / "dirfactor-tests"
        address = self._stack.enter_context(loopback_address(cache, LDAPS_PORT))
        return self._stack.enter_context(
            running(DomainController(self._folder / "samba", address, samba_template(cache)))
        )

    def dirsync(self) -> Site:
        return active_directory(self._domain, ChangeFeed.DIRSYNC)

    def usn(self) -> Site:
        return active_directory(self._domain, ChangeFeed.USN)

    def slapd(self) -> Site:
        slapd = Slapd(self._folder / "slapd", OPENLDAP_SCHEMA)
        return openldap(self._stack.enter_context(running(slapd)), "OpenLDAP")

    def sessionlog(self) -> Site:
        slapd = Slapd(self._folder / "sessionlog", OPENLDAP_SCHEMA, session_log=SESSION_LOG)
        return openldap(self._stack.enter_context(running(slapd)), "OpenLDAP with a session log")

    def ds389(self) -> Site:
        return ds389(self._stack.enter_context(running(DirectoryServer389(self._folder / "ds389", DS389_SCHEMA))))


SOURCES: dict[str, Callable[[Servers], Site]] = {
    "dirsync": Servers.dirsync,
    "usn": Servers.usn,
    "slapd": Servers.slapd,
    "sessionlog": Servers.sessionlog,
    "389ds": Servers.ds389,
}


def main() -> int:
    """Exit status 0 when every replica was right, 1 when one was not."""
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("--operations", type=int, default=10_000, help="for each source")
    parser.add_argument("--seed", type=int, help="of an earlier run; a new one when absent")
    parser.add_argument("--source", action="append", choices=SOURCES, help="only this one; may be repeated")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if arguments.seed is None else arguments.seed
    print(f"seed {seed}, {arguments.operations:,} operations for each source", flush=True)
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="dirfactor-servers-") as home, ExitStack() as stack:
        servers = Servers(Path(home), stack)
        for name in arguments.source or SOURCES:
            site = SOURCES[name](servers)
            folder = Path(tempfile.mkdtemp(prefix="dirfactor-conformance-"))
            with Progress(site.name, arguments.operations) as progress:
                course = Course(site, arguments.operations, seed, folder, progress)
                outcomes.append(course.run())
            if outcomes[-1].good:
                shutil.rmtree(folder)
            else:
                print(difference(outcomes[-1], course.last(), folder), flush=True)
    show(outcomes)
    return 0 if all(outcome.good for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
