"""One request as the routes see it: who asks from where, and a body or query of a closed type."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from ipaddress import ip_address
from typing import Generic, TypeVar
from urllib.parse import parse_qsl

import msgspec

from auth.http.problem import Problem

LARGEST_BODY = 16 * 1024
FORWARDED_FOR = b"x-forwarded-for"
"""A list, to which each proxy adds from whom it has the request."""
_Form = TypeVar("_Form", bound=msgspec.Struct)


class Call(msgspec.Struct, frozen=True):
    """A request, as a whole.

    Attributes:
        method: such as POST.
        path: without percent encoding.
        query: as it stands in the target; ASCII.
        headers: the first value of each, names in lower case; of X-Forwarded-For all values, as one list.
        body: its octets.
        peer: the network address of whoever is connected; empty when it has none.
        certificate_names: the names in the client certificate that was proved in TLS; none without one.
    """

    method: str
    path: str
    query: str
    headers: Mapping[bytes, bytes]
    body: bytes
    peer: str
    certificate_names: Sequence[str] = ()

    def __repr__(self) -> str:
        return f"Call({self.method} {self.path})"

    @property
    def address(self) -> str:
        """The client's network address: the last one that a proxy on this host names, else the peer's."""
        forwarded = self.header(FORWARDED_FOR)
        if forwarded and _is_loopback(self.peer):
            named = forwarded.rpartition(",")[2].strip()
            if _is_address(named):
                return named
        return self.peer

    @property
    def from_this_host(self) -> bool:
        """Whether it comes over loopback, and nobody says to have passed it on from elsewhere.

        An empty header says so too: the first one counts, and that may be the client's, before the proxy's own.
        """
        passed_on = any(name in self.headers for name in (b"forwarded", FORWARDED_FOR, b"via"))
        return _is_loopback(self.peer) and not passed_on

    def header(self, name: bytes) -> str:
        """A header's first value; empty when there is none.

        Args:
            name: in lower case.
        """
        return self.headers.get(name, b"").decode("latin-1")

    def within(self, most: int) -> bytes:
        """The body. Raises Problem: it is larger."""
        if len(self.body) > most:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {most} octets")
        return self.body


class BodyOf(Generic[_Form]):
    """Reads bodies of one closed type.

    Args:
        form: the type.
    """

    def __init__(self, form: type[_Form]) -> None:
        self._decode = msgspec.json.Decoder(form).decode

    def read(self, call: Call) -> _Form:
        """The body. Raises Problem: it is of another type, too large, or no JSON."""
        if not _is_json(call.header(b"content-type")):
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send Content-Type: application/json, in UTF-8")
        octets = call.within(LARGEST_BODY)
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
            pairs = parse_qsl(call.query, keep_blank_values=True, errors="strict")
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


def _is_loopback(address: str) -> bool:
    return _is_address(address) and ip_address(address).is_loopback


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
