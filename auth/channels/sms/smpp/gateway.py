"""Texts through an SMS centre by SMPP: one connection for all of them, bound at the first; no retry."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from auth.addresses import PhoneNumber
from auth.channels.base import DeliveryFailed, DeliveryReport, Message, Receipt
from auth.channels.sms.smpp.connection import Connection, ConnectionLostError
from auth.channels.sms.smpp.pdu import Delivery, bind_body, read_message_id
from auth.channels.sms.smpp.receipt import as_number, read_receipt
from auth.channels.sms.smpp.settings import SmppSettings
from auth.channels.sms.smpp.status import refused
from auth.channels.sms.smpp.submission import source, submissions
from auth.clock import Entropy
from auth.tls import stays_on_this_host, tls_context, tls_problem
from schema.errors import Fault

_NETWORK: Final = "check host, port and tls of its section, network and firewall, and whether the centre runs"
# A receipt may come in one packet with the answer to its text, before whoever sent that has noted its id.
_NOTED_SECONDS: Final = 0.5
_MAYBE_SENT: Final = "ask the operator whether the text was sent; on_unknown says whether another gateway is tried"


class SmppGateway:
    """`auth.channels.base.Gateway` for phone numbers.

    Args:
        name: its name in config.ini.
        settings: its section.
        entropy: for the numbers by which phones know the parts of a text.
        on_report: is handed each delivery receipt.

    Raises:
        Fault: the section cannot work.
    """

    def __init__(
        self, name: str, settings: SmppSettings, entropy: Entropy, on_report: Callable[[DeliveryReport], None]
    ) -> None:
        self.name = name
        self.on_unknown = settings.on_unknown
        self._settings = settings
        self._entropy = entropy
        self._on_report = on_report
        self._reports: dict[DeliveryReport, asyncio.TimerHandle] = {}
        self._connection: Connection | None = None
        self._connecting = asyncio.Lock()
        try:
            _check(settings)
            self._tls = tls_context(settings.ca_file) if settings.tls else None
        except Fault as fault:
            raise fault.about(f"[sms:{name}]") from None

    async def send(self, to: PhoneNumber, message: Message, *, seconds: float = math.inf) -> Receipt:
        """Submit the text, part after part; see `Gateway.send`."""
        seconds = min(seconds, self._settings.timeout_seconds)
        sending = _Sending()
        try:
            async with asyncio.timeout(seconds):
                return Receipt(self.name, await self._submit(to, message.text, sending))
        except TimeoutError:
            failure = _silent(f"gave no answer within {seconds:g} s", sending)
            self._drop_when_idle()
        except ConnectionLostError:
            failure = _silent("hung up before it answered", sending)
        except (OSError, UnicodeError) as error:  # the latter of what is no host name
            failure = _unreachable(error)
        raise failure

    async def aclose(self) -> None:
        """Say farewell and close the connection."""
        if self._connection is not None:
            await self._connection.aclose()
        for report, timer in list(self._reports.items()):
            timer.cancel()
            self._pass_on(report)

    async def _submit(self, to: PhoneNumber, text: str, sending: "_Sending") -> str | None:
        connection = await self._bound()
        reference = self._entropy.octets(1)[0]
        message_id = ""
        for submission in submissions(self._settings, to, text, reference):
            answer = await connection.submit(submission, sending.begin)
            if answer.status:
                raise refused("the text", answer.status, partly_taken=sending.taken > 0)
            sending.taken += 1
            message_id = message_id or read_message_id(answer.body)
        if self._settings.decimal_receipts:
            message_id = as_number(message_id, 16)
        return message_id or None

    async def _bound(self) -> Connection:
        """The connection; a new one when there is none, or it was lost. Raises DeliveryFailed at a refused bind."""
        async with self._connecting:
            if self._connection is None or self._connection.lost:
                self._connection = None
                connection, answer = await Connection.open(self._settings, self._tls, self._delivered)
                if answer.status:
                    raise refused("the bind", answer.status)
                self._connection = connection
            return self._connection

    def _delivered(self, delivery: Delivery) -> None:
        report = read_receipt(self.name, delivery)
        if report is not None:
            if self._settings.decimal_receipts:
                report = replace(report, message_id=as_number(report.message_id, 10))
            self._reports[report] = asyncio.get_running_loop().call_later(_NOTED_SECONDS, self._pass_on, report)

    def _pass_on(self, report: DeliveryReport) -> None:
        if self._reports.pop(report, None) is not None:
            self._on_report(report)

    def _drop_when_idle(self) -> None:
        """A centre that left one text without an answer is given a new connection, unless others wait on this one."""
        if self._connection is not None and self._connection.idle:
            self._connection.abort()


class _Sending:
    """How far a text has come."""

    def __init__(self) -> None:
        self.begun = False
        self.taken = 0

    def begin(self) -> None:
        self.begun = True


def _silent(problem: str, sending: _Sending) -> DeliveryFailed:
    return DeliveryFailed(problem, remedy=_MAYBE_SENT if sending.begun else _NETWORK, unknown=sending.begun)


def _unreachable(error: OSError | UnicodeError) -> DeliveryFailed:
    problem = tls_problem(error)
    if problem is not None:
        return DeliveryFailed(
            f"could not be asked: {problem}", remedy="set ca_file to the authority of its certificate; check host"
        )
    return DeliveryFailed(f"could not be reached ({type(error).__name__})", remedy=_NETWORK)


def _check(settings: SmppSettings) -> None:
    source(settings)
    if not settings.tls and not settings.allow_plain_smpp and not stays_on_this_host(settings.host):
        raise Fault(
            f"codes and the password would travel to {settings.host} in clear text",
            remedy="set tls = yes, or allow_plain_smpp = yes where the network is yours alone",
        )
    for key, octet in (("sender_ton", settings.sender_ton), ("sender_npi", settings.sender_npi)):
        if octet is not None and not 0 <= octet <= 255:  # noqa: PLR2004 - it travels in one octet
            raise Fault(f"{key} is not from 0 to 255", remedy="give the number that the operator has told you")
    if settings.window < 1:
        raise Fault("window is not positive", remedy="give how many texts may wait for an answer, such as 10")
    for key, seconds in (
        ("timeout_seconds", settings.timeout_seconds),
        ("enquire_seconds", settings.enquire_seconds),
    ):
        if not seconds > 0:
            raise Fault(f"{key} is not positive", remedy="give seconds, such as 3")
    try:
        bind_body(settings.system_id, settings.password, settings.system_type + settings.service_type)
    except ValueError:
        raise Fault(
            "system_id, password, system_type or service_type is not printable ASCII",
            remedy="give them as the operator has told you",
        ) from None
