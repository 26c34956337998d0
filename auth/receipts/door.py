"""/v1/receipts/NAME: where a provider says what became of a text."""

import base64
import hmac
import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from auth.channels.base import DeliveryReport, Fate
from auth.receipts.book import ReceiptBook
from auth.receipts.rules import Posted, Rule, Unreadable, receipts
from auth.receipts.settings import ReceiptSettings
from auth.receipts.words import Words
from schema.errors import Fault

_log = logging.getLogger("dirfactor.receipts")
_WORD = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}")
_LARGEST_BODY = 64 * 1024


def receipt_route(sections: Mapping[str, ReceiptSettings], book: ReceiptBook, now: Callable[[], datetime]) -> Route:
    """The route for GET and POST. Who knows the token hears nothing of whether a text is known.

    Args:
        sections: the [receipts:NAME] sections.
        book: takes what is said.
        now: the instant.
    """
    rules = {name: (Rule(section.message_id), Rule(section.status)) for name, section in sections.items()}

    async def receive(request: Request) -> Response:
        name = request.path_params["gateway"]
        section = sections.get(name)
        if section is None or not _allowed(section, request):
            return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
        body = await _body(request)
        if body is None:
            return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            for identity, status in receipts(Posted(request.url.query, body), *rules[name]):
                book.note(_report(name, identity, status, section.words), now())
        except Unreadable:
            _log.warning("[receipts:%s]: message_id or status is not where the section says", name)
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        except Fault as fault:
            _log.error("a receipt of %s could not be recorded: %s", name, fault)
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return Route("/v1/receipts/{gateway}", receive, methods=["GET", "POST"])


def _report(name: str, identity: str, status: str, words: Words) -> DeliveryReport:
    """With the provider's own word for a failure, where it is one."""
    fate = words.fate(status)
    return DeliveryReport(name, identity, fate, status if fate is Fate.FAILED and _WORD.fullmatch(status) else None)


def _allowed(section: ReceiptSettings, request: Request) -> bool:
    """Whether the caller shows the section's token in one of the ways that providers can."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    offered = parse_qs(request.url.query).get("token", [])
    if scheme.lower() == "bearer":
        offered = [shown.strip()]
    elif scheme.lower() == "basic":
        offered = [_password(shown)]
    return any(hmac.compare_digest(each.encode(), section.token.octets) for each in offered)


def _password(shown: str) -> str:
    """The password of basic authentication (RFC 7617); empty when there is none, which is no token."""
    try:
        return base64.b64decode(shown, validate=True).decode().partition(":")[2]
    except ValueError:  # no Base64, no UTF-8, or a header with letters that are neither
        return ""


async def _body(request: Request) -> str | None:
    """The body; None when it is too large."""
    octets = b""
    try:
        async for chunk in request.stream():
            octets += chunk
            if len(octets) > _LARGEST_BODY:
                return None
    except ClientDisconnect:
        return None
    return octets.decode(errors="replace")
