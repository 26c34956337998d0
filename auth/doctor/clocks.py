"""What the difference of two clocks means. Pure."""

from datetime import datetime

from auth.doctor.report import Finding, Status

_FAILED_SECONDS = 300  # from here on Kerberos lets nobody in (RFC 4120 section 1.6)
_WARNING_SECONDS = 60
_REMEDY = "set this machine's clock by the domain's, with chrony or systemd-timesyncd"


def apart(server: str, theirs: datetime, ours: datetime) -> Finding:
    """How far a server's clock is from ours.

    Args:
        server: whose it is.
        theirs: what time it was there.
        ours: what time it was here.
    """
    seconds = (ours - theirs).total_seconds()
    side = "ahead of" if seconds > 0 else "behind"
    detail = f"{abs(seconds):.0f} s {side} {server}"
    if abs(seconds) > _FAILED_SECONDS:
        return Finding(Status.FAILED, detail, _REMEDY)
    if abs(seconds) > _WARNING_SECONDS:
        return Finding(Status.WARNING, detail, _REMEDY)
    return Finding(Status.OK, detail)
