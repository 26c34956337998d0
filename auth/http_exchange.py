"""One HTTP question and its answer, bounded in size, with what became of it on the way."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from auth.tls import peer_certificate_end

_LARGEST_ANSWER = 64 * 1024


class UnusableAnswer(Exception):
    """An answer came that cannot be read; the text says why and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request.

    Attributes:
        method: GET or POST.
        url: where to.
        headers: go with it.
        body: its body; empty for none.
    """

    method: str
    url: str
    headers: Mapping[str, str] | Sequence[tuple[str, str]]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: HTTP status.
        headers: by name, whatever its case.
        body: whole.
        tls: version of TLS, such as TLSv1.3; None without TLS.
        certificate_end: when the server's certificate ends; None without TLS.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    tls: str | None
    certificate_end: datetime | None


class Progress:
    """Listens to what becomes of a question: from its first octet on, the other side may act on it."""

    def __init__(self) -> None:
        self.begun = False

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        """As httpcore's trace extension calls it."""
        del info
        self.begun = self.begun or event.endswith("send_request_headers.started")


async def exchange(
    client: httpx.AsyncClient, question: Question, *, connect_seconds: float, progress: Progress | None = None
) -> Answer:
    """Ask once.

    Args:
        client: from `auth.http_client`.
        question: what is asked.
        connect_seconds: for TCP, and again for TLS: httpcore leaves a socket open when a deadline cuts a handshake.
        progress: hears what becomes of it.

    Raises:
        UnusableAnswer: an answer that cannot be read.
        httpx.HTTPError: there was none; its text may hold the question.
        OSError: likewise.
    """
    question_asked = client.stream(
        question.method,
        question.url,
        headers=question.headers,
        content=question.body or None,
        extensions={"trace": progress or Progress()},
        follow_redirects=False,
        timeout=httpx.Timeout(None, connect=connect_seconds),
    )
    async with let_go_of(question_asked) as answer:
        return await _read(answer)


@asynccontextmanager
async def let_go_of(stream: AbstractAsyncContextManager[httpx.Response]) -> AsyncIterator[httpx.Response]:
    """What `httpx.AsyncClient.stream` gives; nothing holds the question afterwards, whatever became of it.

    httpx has response and stream hold each other, and with them the question, whose code nobody should find later.
    """
    answer: httpx.Response | None = None
    try:
        async with stream as answer:
            yield answer
    finally:
        if answer is not None:
            answer.stream = httpx.ByteStream(b"")


async def _read(answer: httpx.Response) -> Answer:
    """The answer, whole. Raises as `exchange`."""
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise UnusableAnswer("was encoded, which nobody asked for")
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            raise UnusableAnswer(f"is larger than {_LARGEST_ANSWER // 1024} KiB")
    stream = answer.extensions.get("network_stream")
    secured = stream.get_extra_info("ssl_object") if stream else None
    return Answer(
        answer.status_code,
        answer.headers,
        bytes(body),
        secured.version() if secured else None,
        peer_certificate_end(secured) if secured else None,
    )
