"""The HTTP door without a connection, for httpx."""

import httpx

from auth.http.call import Call
from auth.http.connection import Handler


class InMemory(httpx.AsyncBaseTransport):
    """Hands each request over as a `Call`."""

    def __init__(self, handle: Handler) -> None:
        self._handle = handle

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        headers = {name.lower(): value for name, value in request.headers.raw}
        query, body = request.url.query.decode(), await request.aread()
        answer = await self._handle(Call(request.method, request.url.path, query, headers, body, "127.0.0.1"))
        headers = {"content-type": answer.media_type, **answer.headers}
        return httpx.Response(answer.status, headers=headers, content=answer.body)
