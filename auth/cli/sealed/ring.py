"""The key ring of the service, for a command that seals."""

from auth.app import make_state_directory
from auth.cli.administrator import Administrator
from auth.cli.faults import UsageFault
from auth.cli.output import err
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.keys.ring import Ring
from auth.keys.ring_file import RingFile
from auth.settings import Settings


def demand_settings(administrator: Administrator) -> Settings:
    """config.ini, which says where the ring is.

    Raises:
        UsageFault: there is none to ask.
    """
    if administrator.settings is None:
        raise UsageFault(
            "it is not said where the key ring is",
            remedy="run this where the service runs, and name its config.ini with --config",
        )
    return administrator.settings


def sealing_ring(administrator: Administrator, *, dry_run: bool) -> Ring:
    """The ring; the first command that needs it makes it, and says so.

    Raises:
        UsageFault: there is no config.ini.
        Fault: there is no ring and nothing is to be written, or it cannot be made or read.
    """
    service = demand_settings(administrator).service
    file = RingFile(service.ring_file)
    if dry_run:
        return file.ring()
    if file.exists:
        return file.made(SYSTEM_CLOCK, SYSTEM_ENTROPY)  # by another command, maybe this moment: it must be durable
    make_state_directory(service.state_directory)
    ring = file.made(SYSTEM_CLOCK, SYSTEM_ENTROPY)
    err.print(f"{service.ring_file}: a key ring was made; back it up, and copy it to each machine", markup=False)
    return ring
