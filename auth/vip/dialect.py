"""What the two dialects have in common: the same questions, each asked in one request or in several. Pure."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from auth.vip.verdict import Response
from schema.secret import Secret


@dataclass(frozen=True, slots=True)
class Question:
    """One request of a dialect.

    Attributes:
        path: where it is posted to, below the service's URL.
        repeatable: whether nothing changes, at VIP or for a person, when it is asked twice.
        build: the envelope for a request id.
        parse: the answer in an HTTP body, for the same request id; raises VipAnswerRefused.
    """

    path: str
    repeatable: bool
    build: Callable[[str], bytes]
    parse: Callable[[bytes, str], Response]


Ask = Callable[[Question], Awaitable[Response]]
"""Asks one question; raises VipUnavailable or Fault."""


class Dialect(Protocol):
    """How to ask. Credentials are as `auth.vip.credential.Credential.text`.

    Every verb raises what `Ask` does, and Fault for credentials that cannot be asked about in this dialect.
    """

    @property
    def service_url(self) -> str:
        """Where the service is for everybody."""
        ...

    async def validate(self, ask: Ask, credentials: tuple[str, ...], code: Secret) -> Response:
        """Whether this is the current code of one of the credentials."""
        ...

    async def resynchronise(self, ask: Ask, credentials: tuple[str, ...], code1: Secret, code2: Secret) -> Response:
        """Whether these are consecutive codes of one of the credentials that is in force; VIP moves with them."""
        ...

    async def send(self, ask: Ask, credentials: tuple[str, ...]) -> Response:
        """Have VIP send a code to the first of the credentials that it can send one to."""
        ...

    async def describe(self, ask: Ask, credential: str) -> Response:
        """In which state a credential is."""
        ...

    async def possessed(self, ask: Ask, credential: str, code1: Secret, code2: Secret | None) -> Response:
        """Whether the codes come from this credential."""
        ...

    async def activate(self, ask: Ask, credential: str, code1: Secret | None, code2: Secret | None) -> Response:
        """Take the credential into use in our account, with its codes or, where the dialect can, without."""
        ...

    async def server_time(self, ask: Ask) -> Response:
        """What time it is at VIP; asks about nobody."""
        ...
