"""What would keep the parts that config.ini describes from working, found before anything listens or is asked."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from auth.audit.export.syslog import receiver_tls
from auth.channels.sms.gateways import sms_gateway
from auth.clock import Clock, Entropy
from auth.config import ConfigFault, read_config
from auth.http.server import http_tls
from auth.ini import IniFile, Problem
from auth.networks import Networks
from auth.outbound import mail_gateway, vip_client
from auth.ports import REMEDIES, places, trial
from auth.radius.radsec import radsec_tls
from auth.reloaded_tls import untimely
from auth.settings import Settings
from auth.shared.settings import SharedSettings
from schema.errors import Fault

if TYPE_CHECKING:
    from auth.shared.connection import Exchanger

Examination = Callable[[Settings, Clock, Entropy], Awaitable[tuple[Problem, ...]]]


async def examined_config(file: Path, examine: Examination, clock: Clock, entropy: Entropy) -> Settings:
    """config.ini, good in itself and in an examination of what it describes.

    Args:
        file: config.ini.
        examine: `needed_to_serve` or `everything`.
        clock: tells whether certificates are valid now.
        entropy: for the parts that are tried.

    Raises:
        ConfigFault: with every problem of both kinds.
    """
    settings: Settings | None
    found: tuple[Problem, ...] = ()
    try:
        settings = read_config(file)
    except ConfigFault as fault:
        settings, found = fault.settings, fault.problems
    if settings is not None:
        found += await examine(settings, clock, entropy)
    if found or settings is None:
        raise ConfigFault(file, found, settings)
    return settings


async def needed_to_serve(settings: Settings, clock: Clock, entropy: Entropy) -> tuple[Problem, ...]:
    """What keeps the service from starting: a door or a gateway that cannot work."""
    ini = _Report(settings)
    with ini.section("radius"):
        Networks(settings.radius.networks)
    if settings.http.enabled:
        with ini.section("http"):
            http_tls(settings.http, clock)
    if settings.radsec is not None:
        with ini.section("radsec"):
            radsec_tls(settings.radsec, clock)
    if settings.state is not None:
        with ini.section("state"):
            await _connections(settings.state).aclose()
    with ini.section("audit"):
        receiver_tls(settings.audit)
    for name, sms in settings.sms.items():
        with ini.section(f"sms:{name}"):
            await sms_gateway(name, sms, clock, entropy, lambda _: None).aclose()
    for name, mail in settings.email.items():
        with ini.section(f"email:{name}"):
            await mail_gateway(name, mail, clock, entropy).aclose()
    return ini.problems


async def needed_to_start(settings: Settings, clock: Clock, entropy: Entropy) -> tuple[Problem, ...]:
    """That, and what keeps a service that does not run yet from beginning: ended certificates, ports that are taken."""
    ini = _Report(settings)
    for place in places(settings):
        error = trial(place)
        if error is not None:
            remedy = REMEDIES.get(error.errno or 0, "correct host and port")
            ini.report(place.section, f"cannot listen on {place}: {error.strerror}", remedy)
    return await _needed_to_begin(settings, clock, entropy) + ini.problems


async def everything(settings: Settings, clock: Clock, entropy: Entropy) -> tuple[Problem, ...]:
    """That, ended certificates, and what keeps VIP from working, without which everyone else is served."""
    ini = _Report(settings)
    if settings.vip is not None:
        with ini.section("vip"):
            await vip_client(settings.vip, clock, entropy).aclose()
    return await _needed_to_begin(settings, clock, entropy) + ini.problems


async def _needed_to_begin(settings: Settings, clock: Clock, entropy: Entropy) -> tuple[Problem, ...]:
    """What is needed to serve, and certificates of the doors that are good now.

    One that ends while the service runs keeps nobody from reading config.ini again, nor a worker from beginning anew:
    whoever comes by another door is served.
    """
    ini = _Report(settings)
    shown = {"http": settings.http.certificate if settings.http.enabled else None}
    shown["radsec"] = settings.radsec.certificate if settings.radsec is not None else None
    for section, certificate in shown.items():
        fault = untimely(certificate, clock.now()) if certificate is not None else None
        if fault is not None:
            ini.report(section, fault.problem, fault.remedy)
    return await needed_to_serve(settings, clock, entropy) + ini.problems


def _connections(section: SharedSettings) -> "Exchanger":
    """To the servers of [state]; none of them is asked. Raises Fault."""
    from auth.shared.connection import exchanger  # noqa: PLC0415 - whoever shares nothing need not have its client

    return exchanger(section)


class _Report:
    """Turns faults into problems with the line of their section."""

    def __init__(self, settings: Settings) -> None:
        self._ini = IniFile(settings.file)
        self._ini.problems.clear()  # the syntax, which was reported when the file was read

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(self._ini.problems)

    def report(self, section: str, problem: str, remedy: str) -> None:
        """Add a problem of this section."""
        self._ini.report(section, "", problem, remedy)

    @contextmanager
    def section(self, section: str) -> Iterator[None]:
        """Take the fault that comes up inside as a problem of this section."""
        try:
            yield
        except Fault as fault:
            self.report(section, fault.problem.removeprefix(f"[{section}]: "), fault.remedy)
