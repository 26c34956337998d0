"""/v1/receipts/NAME: where a provider says what became of a text."""

import base64
import hmac
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from urllib.parse import parse_qs

from auth.channels.base import DeliveryReport, Fate
from auth.http.answer import Answer
from auth.http.call import Call
from auth.http.operation import Access, Operation
from auth.http.problem import Problem
from auth.receipts.book import ReceiptBook
from auth.receipts.rules import Posted, Rule, Unreadable, receipts
from auth.receipts.settings import ReceiptSettings
from auth.receipts.words import Words
from schema.errors import Fault

_log = logging.getLogger("dirfactor.receipts")
_WORD = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}")
_LARGEST_BODY = 64 * 1024


def receipt_operations(
    sections: Mapping[str, ReceiptSettings], book: ReceiptBook, now: Callable[[], datetime]
) -> Iterator[Operation]:
    """GET and POST. Who knows the token hears nothing of whether a text is known.

    Args:
        sections: the [receipts:NAME] sections.
        book: takes what is said.
        now: the instant.
    """
    rules = {name: (Rule(section.message_id), Rule(section.status)) for name, section in sections.items()}

    async def receive(call: Call) -> Answer:
        name = call.path.rpartition("/")[2]
        section = sections.get(name)
        query = call.query
        if section is None or not _allowed(section, call, query):
            raise Problem(HTTPStatus.UNAUTHORIZED, "show the token of a [receipts:NAME] section")
        body = call.within(_LARGEST_BODY).decode(errors="replace")
        try:
            for identity, status in receipts(Posted(query, body), *rules[name]):
                await book.note(_report(name, identity, status, section.words), now())
        except Unreadable:
            _log.warning("[receipts:%s]: message_id or status is not where the section says", name)
            raise Problem(HTTPStatus.BAD_REQUEST, "message_id or status is not where the section says") from None
        except Fault as fault:
            _log.error("a receipt of %s could not be recorded: %s", name, fault)
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "it could not be recorded, send it again") from None
        return Answer(b"", HTTPStatus.NO_CONTENT)

    for method in ("GET", "POST"):
        yield Operation(
            method,
            "/v1/receipts/",
            f"receipt_by_{method.lower()}",
            "What has become of a text, from its provider.",
            Access.PROVIDER,
            receive,
        )


def _report(name: str, identity: str, status: str, words: Words) -> DeliveryReport:
    """With the provider's own word for a failure, where it is one."""
    fate = words.fate(status)
    return DeliveryReport(name, identity, fate, status if fate is Fate.FAILED and _WORD.fullmatch(status) else None)


def _allowed(section: ReceiptSettings, call: Call, query: str) -> bool:
    """Whether the caller shows the section's token in one of the ways that providers can."""
    scheme, _, shown = call.header(b"authorization").partition(" ")
    offered = parse_qs(query).get("token", [])
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
