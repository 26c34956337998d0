"""Errors as RFC 9457 has them: every one of the door, and nothing of a fault's inside."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from auth.http.answer import Answer

MEDIA_TYPE = "application/problem+json"


class ProblemDocument(msgspec.Struct, frozen=True):
    """What is wrong with a request, or with us.

    Attributes:
        title: the status in words.
        status: as in the status line.
        detail: what is wrong, for the person who wrote the client.
    """

    title: str
    status: int
    detail: str


class Problem(Exception):
    """A request that is answered with a problem document.

    Args:
        status: 4xx or 5xx.
        detail: for the person who wrote the client; nothing of what was sent.
        headers: further ones, such as Allow.
    """

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        if status is HTTPStatus.UNAUTHORIZED:
            self.headers["www-authenticate"] = "Bearer"  # RFC 9110 section 15.5.2

    @property
    def answer(self) -> Answer:
        """The document."""
        document = ProblemDocument(self.status.phrase, self.status.value, self.detail)
        return Answer(msgspec.json.encode(document), self.status.value, MEDIA_TYPE, self.headers)
