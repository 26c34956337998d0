"""Looks after our certificates while the service runs: hands over in time, rings 60, 30 and 7 days before the end."""

import asyncio
import logging
from datetime import datetime

from auth import certificate_bell
from auth.certificate_bell import CertificateBell
from auth.clock import Clock
from auth.vip.client import VipClient
from auth.vip.identities import CertificateState
from schema.errors import Fault

_log = logging.getLogger("dirfactor.vip")
_LOOK_SECONDS = 3600.0
_LIMITS = (7, 30, 60)
_NEW_ONE = "request a new one in VIP Manager, name it as next_certificate, or put it in the old one's place"


class CertificateWatch:
    """The watch over the certificates of one client.

    Args:
        client: shows them to VIP.
        clock: tells how many days are left.
    """

    def __init__(self, client: VipClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._bell = CertificateBell(_log, "VIP certificate", _NEW_ONE, _LIMITS)

    async def run(self) -> None:
        """Look now and every hour, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Hand over when it is time, and say how long the certificate that is shown will last.

        Each threshold rings when it is passed; from seven days on it rings every day.
        """
        try:
            if await self._client.hand_over():
                _log.info("the next VIP certificate is shown from now on: VIP accepts it")
        except Fault as fault:
            _log.error("the next VIP certificate does not take over, it is tried again in an hour: %s", fault)
        for state in self._client.certificates():
            if state.problem:
                _log.error("%s", state.problem)
            elif state.shown and state.expires is not None:
                self._bell.listen(str(state.path), state.expires, self._clock.now())


def days(state: CertificateState, now: datetime) -> int | None:
    """How many whole days a certificate has left; None when it cannot be used."""
    return None if state.expires is None else certificate_bell.days(state.expires, now)
