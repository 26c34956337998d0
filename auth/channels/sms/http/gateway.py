"""Texts through an HTTP gateway: one request for one text, one deadline, no retry."""

import asyncio
import math

import httpx

from auth.addresses import PhoneNumber
from auth.channels.base import DeliveryFailed, Message, Receipt
from auth.channels.sms.http.answer import AnswerRules
from auth.channels.sms.http.request import RequestTemplate
from auth.channels.sms.http.settings import HttpSmsSettings
from auth.channels.sms.http.signature import signer
from auth.clock import Clock
from auth.http_exchange import Progress, Question, UnusableAnswer, exchange
from auth.tls import tls_problem
from schema.errors import Fault

_NETWORK = "check url, network and firewall, and whether the gateway runs"
_MAYBE_SENT = "see in the provider's log whether the text was sent; on_unknown says whether another gateway is tried"


class HttpSmsGateway:
    """`auth.channels.base.Gateway` for phone numbers.

    Args:
        name: its name in config.ini.
        settings: its section.
        client: from `auth.http_client`, closed by `aclose`.
        clock: dates signatures.

    Raises:
        Fault: the section cannot work.
    """

    def __init__(self, name: str, settings: HttpSmsSettings, client: httpx.AsyncClient, clock: Clock) -> None:
        self.name = name
        self.on_unknown = settings.on_unknown
        self._client = client
        self._now = clock.now
        try:
            self._seconds = _positive(settings.timeout_seconds)
            self._template = RequestTemplate(settings)
            self._rules = AnswerRules(settings)
            self._sign = signer(settings)
        except Fault as fault:
            raise fault.about(f"[sms:{name}]") from None

    async def send(self, to: PhoneNumber, message: Message, *, seconds: float = math.inf) -> Receipt:
        """Make the request once; see `Gateway.send`."""
        try:
            request = self._sign(self._template.fill(to, message.text), self._now())
        except Fault as fault:
            raise DeliveryFailed(fault.problem, remedy=fault.remedy) from None
        sent, seconds = Progress(), min(seconds, self._seconds)
        question = Question(request.method, request.url, request.headers, request.body or b"")
        # Raised below and not in the handlers: what httpx raises holds the whole request.
        try:
            async with asyncio.timeout(seconds):
                answer = await exchange(self._client, question, connect_seconds=seconds / 2, progress=sent)
        except TimeoutError:
            failure = DeliveryFailed(
                f"gave no answer within {seconds:g} s",
                remedy=_MAYBE_SENT if sent.begun else _NETWORK,
                unknown=sent.begun,
            )
        except UnusableAnswer as unusable:
            failure = DeliveryFailed(f"gave an answer that {unusable}", remedy=_MAYBE_SENT, unknown=True)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:  # the last: no header value
            failure = _failure(error, unknown=sent.begun)
        else:
            body = answer.body.decode(errors="replace")
            return Receipt(self.name, self._rules.read(answer.status, body, (to, message.text)))
        raise failure

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _positive(seconds: float) -> float:
    if not seconds > 0:
        raise Fault("timeout_seconds is not positive", remedy="give seconds, such as 3")
    return seconds


def _failure(error: Exception, *, unknown: bool) -> DeliveryFailed:
    """The failure in our words: those of the library may hold the URL."""
    if unknown:
        return DeliveryFailed(
            f"broke off before it answered ({type(error).__name__})", remedy=_MAYBE_SENT, unknown=True
        )
    problem = tls_problem(error)
    if problem is not None:
        return DeliveryFailed(
            f"could not be asked: {problem}", remedy="set ca_file to the authority of its certificate; check url"
        )
    return DeliveryFailed(f"could not be reached ({type(error).__name__})", remedy=_NETWORK)
