"""One request as the routes see it: who asks from where, and a body or query of a closed type."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from typing import Generic, TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Receive, Scope

from auth.http.problem import Problem

LARGEST_BODY = 16 * 1024
_Form = TypeVar("_Form", bound=msgspec.Struct)


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request.

    Attributes:
        scope: as ASGI has it.
        receive: gives the body.
    """

    scope: Scope
    receive: Receive

    @property
    def address(self) -> str:
        """The client's network address; empty when it has none."""
        client = self.scope.get("client")
        return client[0] if client else ""

    @property
    def from_this_host(self) -> bool:
        """Whether it comes over loopback, and nobody says to have passed it on from elsewhere."""
        try:
            is_near = ip_address(self.address).is_loopback
        except ValueError:
            return False
        return is_near and not any(self.header(name) for name in (b"forwarded", b"x-forwarded-for", b"via"))

    @property
    def certificate_names(self) -> Sequence[str]:
        """The names in the client certificate that was proved in TLS; none without one."""
        names: Sequence[str] = self.scope.get("extensions", {}).get("tls", {}).get("client_cert_names", ())
        return names

    def header(self, name: bytes) -> str:
        """A header's first value; empty when there is none.

        Args:
            name: in lower case.
        """
        for key, value in self.scope["headers"]:
            if key == name:
                text: str = value.decode("latin-1")
                return text
        return ""


class BodyOf(Generic[_Form]):
    """Reads bodies of one closed type.

    Args:
        form: the type.
    """

    def __init__(self, form: type[_Form]) -> None:
        self._decode = msgspec.json.Decoder(form).decode

    async def read(self, call: Call) -> _Form:
        """The body. Raises Problem: it is of another type, too large, or no JSON."""
        if not _is_json(call.header(b"content-type")):
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send Content-Type: application/json, in UTF-8")
        octets = await octets_of(call)
        try:
            return self._decode(octets)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            # a validation error names the field, never its value
            detail = str(error) if isinstance(error, msgspec.ValidationError) else "the body is no JSON"
            raise Problem(HTTPStatus.BAD_REQUEST, detail) from None


class QueryOf(Generic[_Form]):
    """Reads queries of one closed type.

    Args:
        form: the type.
    """

    def __init__(self, form: type[_Form]) -> None:
        self._form = form

    def read(self, call: Call) -> _Form:
        """The query. Raises Problem: it is of another type, or names something twice."""
        try:
            pairs = parse_qsl(call.scope["query_string"].decode("ascii"), keep_blank_values=True, errors="strict")
        except ValueError:
            raise Problem(HTTPStatus.BAD_REQUEST, "the query is not UTF-8 in percent encoding") from None
        fields = dict(pairs)
        if len(fields) < len(pairs):
            raise Problem(HTTPStatus.BAD_REQUEST, "the query says something twice")
        try:
            return msgspec.convert(fields, self._form, strict=False)
        except msgspec.ValidationError as error:
            raise Problem(HTTPStatus.BAD_REQUEST, str(error)) from None


def _is_json(content_type: str) -> bool:
    """Whether it names JSON; RFC 8259 section 11 knows no charset, and many clients send UTF-8 as one."""
    media_type, *parameters = content_type.lower().replace(" ", "").split(";")
    charset = [each for each in parameters if each.startswith("charset=")]
    return media_type == "application/json" and charset in ([], ["charset=utf-8"])


async def octets_of(call: Call, most: int = LARGEST_BODY) -> bytes:
    """The body as it is.

    Raises:
        Problem: it is larger than `most`.
        ClientGone: it did not come to its end.
    """
    octets, more = b"", True
    while more:
        message = await call.receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        octets += message.get("body", b"")
        more = message.get("more_body", False)
        if len(octets) > most:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {most} octets")
    return octets
