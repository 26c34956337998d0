"""Whatever becomes of a question over HTTP, nothing holds it afterwards: there is a code in it."""

import asyncio
import gc

import httpx
import pytest

from auth.http_exchange import Question, UnusableAnswer, exchange
from channels.peers import RawHttp, http_answer

BEGUN = b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\nbegun"


async def broken_off(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(BEGUN)
    await writer.drain()


@pytest.mark.parametrize(
    ("talk", "ends"),
    [
        (RawHttp(http_answer("200 OK", b"taken")), None),
        (RawHttp(http_answer("200 OK", b"x" * 70_000)), UnusableAnswer),
        (RawHttp(http_answer("200 OK", b"x", "Content-Encoding: gzip")), UnusableAnswer),
        (RawHttp(BEGUN), TimeoutError),
        (RawHttp(None), TimeoutError),
        (broken_off, httpx.RemoteProtocolError),
    ],
    ids=["answered", "too large", "encoded", "begun and no more", "silent", "broken off"],
)
async def test_a_question_is_gone_without_the_collector(serve, talk, ends):
    question = Question("POST", f"http://127.0.0.1:{await serve(talk)}/", {}, b"code=481516")
    async with httpx.AsyncClient() as client:
        gc.collect()
        gc.disable()
        try:
            assert await how_it_ends(client, question) is ends
            await asyncio.sleep(0.05)  # the loop ends generators that were left in the middle
            assert [item for item in gc.get_objects() if isinstance(item, httpx.Request | httpx.Response)] == []
        finally:
            gc.enable()


async def how_it_ends(client, question):
    try:
        async with asyncio.timeout(0.3):
            await exchange(client, question, connect_seconds=1)
    except (UnusableAnswer, httpx.HTTPError, TimeoutError) as error:
        return type(error)
    return None
