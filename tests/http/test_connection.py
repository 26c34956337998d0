"""What HTTP/1.1 asks of a server (RFC 9110, RFC 9112), and what it may not cost: by clients that do as they like."""

import asyncio
import gc
import json
from contextlib import AsyncExitStack, asynccontextmanager

import h11
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth.clock import SYSTEM_CLOCK
from auth.http.answer import Answer
from auth.http.call import Call
from auth.http.limits import Limits
from auth.http.messages import AuthenticateBody, ChallengedAnswer
from auth.http.server import open_http
from sockets import connections_at

HOST = b"Host: localhost\r\n"


async def echo(call: Call) -> Answer:
    """What was asked, a moment later for those that say so."""
    if call.path == "/slow":
        await asyncio.sleep(0.3)
    if call.path == "/nothing":
        return Answer(b"", 204)
    if call.path == "/much":
        return Answer(b"x" * 4_000_000)
    told = {"method": call.method, "path": call.path, "query": call.query, "body": call.body.decode("latin-1")}
    return Answer(json.dumps(told | {"names": sorted(name.decode() for name in call.headers)}).encode())


@asynccontextmanager
async def connected(**limits):
    async with AsyncExitStack() as stack:
        limited = Limits(**({"arrival_seconds": 2.0} | limits))
        place = await open_http(connections_at(), None, echo, SYSTEM_CLOCK, stack, limited)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(place.rpartition(":")[2]))
        stack.callback(writer.close)
        yield reader, writer


async def answers(octets: bytes, *methods: str, ends: bool = True, **limits) -> list[tuple[int, bytes, dict]]:
    """What comes back on one connection up to its end, as another implementation reads it."""
    async with connected(**limits) as (reader, writer):
        writer.write(octets)
        if ends:
            writer.write_eof()
        client = h11.Connection(h11.CLIENT)
        found = []
        for method in methods or ("GET",):
            if client.our_state is h11.DONE:
                client.start_next_cycle()
            client.send(h11.Request(method=method, target="/", headers=[("Host", "localhost")]))
            client.send(h11.EndOfMessage())
            status, body, headers = 0, b"", {}
            while True:
                event = client.next_event()
                if event is h11.NEED_DATA:
                    client.receive_data(await asyncio.wait_for(reader.read(65536), 5))
                elif isinstance(event, h11.Response):
                    status, headers = event.status_code, dict(event.headers)
                elif isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    found.append((status, body, headers))
                    break
                elif isinstance(event, h11.InformationalResponse):
                    found.append((event.status_code, b"", {}))
                else:
                    return found
        return found


def get(path: bytes, *headers: bytes, body: bytes = b"", method: bytes = b"GET") -> bytes:
    lines = [method + b" " + path + b" HTTP/1.1", b"Host: localhost", *headers]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def test_nothing_that_was_typed_or_has_to_come_back_is_shown():
    secret = "correct horse"
    body = AuthenticateBody("alice", password=secret, passcode=secret, state=secret)
    told = ChallengedAnswer("c0ffee", secret, "Code:", "sms", 60)
    octets = msgspec.json.encode(body)
    call = Call("POST", "/v1/authenticate", secret, {b"authorization": secret.encode()}, octets, "127.0.0.1")
    for shown in (body, told, call, Answer(msgspec.json.encode(told))):
        assert secret not in repr(shown)
        assert secret not in f"{shown}"


async def test_answers_come_in_the_order_of_the_requests():
    found = await answers(get(b"/slow?1") + get(b"/2") + get(b"/3", method=b"POST", body=b"abc"), "GET", "GET", "POST")
    told = [json.loads(body) for _, body, _ in found]
    assert [(each["path"], each["query"], each["body"]) for each in told] == [
        ("/slow", "1", ""),
        ("/2", "", ""),
        ("/3", "", "abc"),
    ]


async def test_an_answer_has_what_it_must_have():
    ((status, body, headers),) = await answers(get(b"/"))
    assert status == 200
    assert headers[b"content-length"] == b"%d" % len(body)
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"date"].endswith(b" GMT"), "RFC 9110 section 6.6.1"
    ((status, body, headers),) = await answers(get(b"/nothing"))
    assert (status, body, b"content-length" in headers) == (204, b"", False), "RFC 9110 section 8.6"


async def test_head_has_no_body_and_the_length_of_the_other():
    (one, two) = await answers(get(b"/", method=b"HEAD") + get(b"/"), "HEAD", "GET")
    assert one[1] == b""
    assert int(one[2][b"content-length"]) == len(two[1]) + 1, "for the longer word"


async def test_a_client_may_say_that_this_was_its_last_request():
    for octets in (get(b"/", b"Connection: close"), b"GET / HTTP/1.0\r\n\r\n"):
        async with connected() as (reader, writer):
            writer.write(octets)
            text = await asyncio.wait_for(reader.read(), 1)
            assert text.startswith(b"HTTP/1.1 200")
            assert b"connection: close" in text, "RFC 9112 section 9.6"


async def test_a_client_that_says_no_more_still_hears_the_answers():
    found = await answers(get(b"/slow") + get(b"/slow"), "GET", "GET")
    assert [status for status, _, _ in found] == [200, 200]


async def test_who_waits_for_a_word_to_go_on_gets_it():
    async with connected() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 1)).startswith(b"HTTP/1.1 100")
        writer.write(b"abc")
        assert b'"body": "abc"' in await asyncio.wait_for(reader.readuntil(b"}"), 1)


@pytest.mark.parametrize("pause", [0, 0.05])
async def test_a_request_that_asks_for_another_protocol_is_answered_with_its_body(pause):
    """As Java's client does for each first request without TLS: Upgrade: h2c (RFC 9110 section 7.8)."""
    octets = get(
        b"/",
        b"Connection: Upgrade, HTTP2-Settings",
        b"Upgrade: h2c",
        b"HTTP2-Settings: AA",
        method=b"POST",
        body=b"abcdef",
    )
    async with connected() as (reader, writer):
        writer.write(octets[:-4])
        await asyncio.sleep(pause)
        writer.write(octets[-4:])
        text = await asyncio.wait_for(reader.read(), 1)
        assert text.startswith(b"HTTP/1.1 200")
        assert b'"body": "abcdef"' in text


async def test_a_chunked_body_is_one_and_its_trailers_are_no_headers():
    chunked = b"3\r\nabc\r\n2;note=x\r\nde\r\n0\r\nAuthorization: Bearer x\r\n\r\n"
    ((_, body, _),) = await answers(CHUNKED + chunked, "POST")
    told = json.loads(body)
    assert (told["body"], told["names"]) == ("abcde", ["host", "transfer-encoding"])


async def test_of_a_header_that_stands_twice_the_first_counts():
    ((_, body, _),) = await answers(get(b"/%41?%41", b"A: 1", b"a: 2"))
    told = json.loads(body)
    assert (told["path"], told["query"], told["names"]) == ("/A", "%41", ["a", "host"])


async def whose(*headers: bytes) -> list[str]:
    """The address that a request over loopback counts for, and whether it counts as one of this host."""

    async def told(call: Call) -> Answer:
        return Answer(f"{call.address} {call.from_this_host}".encode())

    async with AsyncExitStack() as stack:
        place = await open_http(connections_at(), None, told, SYSTEM_CLOCK, stack)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(place.rpartition(":")[2]))
        stack.callback(writer.close)
        writer.write(get(b"/", b"Connection: close", *headers))
        return (await asyncio.wait_for(reader.read(), 1)).decode().partition("\r\n\r\n")[2].split()


@pytest.mark.parametrize(
    "headers",
    [
        [b"X-Forwarded-For: 192.0.2.7"],
        [b"X-Forwarded-For: 198.51.100.1, 192.0.2.7"],
        [b"X-Forwarded-For: 198.51.100.1", b"x-forwarded-for: 192.0.2.7"],
        [b"X-Forwarded-For: 198.51.100.1", b"A: b", b"X-Forwarded-For: ::1, 127.0.0.1", b"X-Forwarded-For: 192.0.2.7"],
        [b"X-Forwarded-For:", b"X-Forwarded-For: 192.0.2.7"],
    ],
)
async def test_a_client_behind_a_proxy_has_the_address_that_the_proxy_named_last(headers):
    """Whether the proxy adds to the client's own line, or a line of its own behind it, as HAProxy does."""
    assert await whose(*headers) == ["192.0.2.7", "False"]


@pytest.mark.parametrize("name", [b"Forwarded", b"X-Forwarded-For", b"Via"])
async def test_no_client_hides_by_an_empty_header_that_a_proxy_passed_it_on(name):
    assert await whose() == ["127.0.0.1", "True"]
    assert (await whose(name + b":"))[1] == "False"
    assert (await whose(name + b":", name + b": 192.0.2.7"))[1] == "False"


CHUNKED = get(b"/", b"Transfer-Encoding: chunked", method=b"POST")
TWO = (b"Content-Length: 3", b"Content-Length: 4")
REFUSED = {
    "no HTTP": b"hello\r\n\r\n",
    "two lengths": get(b"/", *TWO, method=b"POST") + b"abcd",
    "a length and chunks": get(b"/", b"Content-Length: 3", b"Transfer-Encoding: chunked", method=b"POST")
    + b"0\r\n\r\n",
    "a space before the colon": get(b"/", b"A : b"),
    "a line that folds": get(b"/", b"A: b\r\n c"),
    "a bare LF": b"GET / HTTP/1.1\nHost: localhost\n\n",
    "a NUL": get(b"/", b"A: \0"),
    "too many headers": get(b"/", *(b"A%d: b" % number for number in range(101))),
    "a header too large": get(b"/", b"A: " + b"b" * 17_000),
    "a target too large": get(b"/" + b"b" * 17_000),
    "a head that does not end": b"GET / HTTP/1.1\r\nA: " + b"b" * 100_000,
    "trailers too large": get(b"/", b"Transfer-Encoding: chunked", method=b"POST")
    + b"0\r\nA: "
    + b"b" * 17_000
    + b"\r\n\r\n",
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_no_good_is_told_so_and_the_connection_is_closed(what):
    ((status, body, headers),) = await answers(REFUSED[what] + get(b"/again"), ends=False)
    assert (status, json.loads(body)["status"]) == (400, 400)
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"connection"] == b"close"


async def test_a_head_that_never_ends_is_not_kept():
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nA: " + b"b" * 100_000)
        assert (await asyncio.wait_for(reader.readline(), 1)).startswith(b"HTTP/1.1 400"), "long before it is late"


@pytest.mark.parametrize("begun", [b"0\r\nA: ", b"0\r\n", b"1;note=", b"1\r\nx\r\n0\r\nA: b\r\nC: "])
async def test_a_line_behind_a_head_that_never_ends_is_not_kept(begun):
    """The name or value of a trailer, or what a chunk's length may have behind it (RFC 9112 section 7.1)."""
    async with connected(head_octets=1000) as (reader, writer):
        writer.write(CHUNKED + begun + b"b" * 10_000)
        assert (await asyncio.wait_for(reader.readline(), 1)).startswith(b"HTTP/1.1 400"), "long before it is late"


async def test_a_body_whose_chunks_are_mostly_frame_is_not_read_to_its_end():
    async with connected(most_octets=200_000) as (reader, writer):
        writer.write(CHUNKED)
        try:
            for _ in range(30):
                writer.write(b"1;note=" + b"x" * 10_000 + b"\r\na\r\n")
                await asyncio.sleep(0)
            text = await asyncio.wait_for(reader.read(), 1)
        except ConnectionError:
            text = b""
        assert text == b"" or text.startswith(b"HTTP/1.1 413")


async def test_each_request_has_all_that_a_body_may_take_for_itself():
    """Each octet in a chunk of its own, and trailers: twenty requests, of which two would be too many together."""
    request = CHUNKED + b"1\r\nx\r\n" * 100 + b"0\r\nA: " + b"b" * 300 + b"\r\n\r\n"
    found = await answers(request * 20, *["POST"] * 20, most_octets=1000, head_octets=500)
    assert [status for status, _, _ in found] == [200] * 20


async def settled(value) -> int:
    """What a number comes to when it has stopped moving."""
    before, now = -1, value()
    while before != now:
        await asyncio.sleep(0.2)
        before, now = now, value()
    return now


async def test_what_comes_while_one_is_answered_waits_outside():
    """A client that sends and sends fills its own memory and the network's, not ours."""
    go_on = asyncio.Event()

    async def wait(_) -> Answer:
        await go_on.wait()
        return Answer(b"")

    async with AsyncExitStack() as stack:
        place = await open_http(connections_at(), None, wait, SYSTEM_CLOCK, stack)
        _, writer = await asyncio.open_connection("127.0.0.1", int(place.rpartition(":")[2]))
        writer.write(get(b"/") * 500_000)
        assert await settled(writer.transport.get_write_buffer_size) > 1_000_000
        go_on.set()
        writer.transport.abort()


def calls_in_memory() -> int:
    """How many requests are kept as a whole, wherever."""
    return sum(isinstance(each, Call) for each in gc.get_objects())


@pytest.mark.parametrize("is_read", [True, False], ids=["while one is answered", "while no answer is read"])
async def test_of_what_comes_at_once_two_requests_are_kept_and_the_rest_waits(is_read):
    """Thousands of requests have room in one read, and each takes a hundred times its octets when it is whole."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def answer(_) -> Answer:
        asked.set()
        if is_read:
            await go_on.wait()
        return Answer(b"x" * 8_000_000)

    before = calls_in_memory()
    async with AsyncExitStack() as stack:
        place = await open_http(connections_at(), None, answer, SYSTEM_CLOCK, stack)
        _, writer = await asyncio.open_connection("127.0.0.1", int(place.rpartition(":")[2]), limit=1)
        writer.write(get(b"/"))
        await asked.wait()
        await asyncio.sleep(0.1)
        writer.write(get(b"/") * 500_000)
        assert await settled(writer.transport.get_write_buffer_size) > 1_000_000
        assert calls_in_memory() - before <= 3, "the one that is answered, and two"
        go_on.set()
        writer.transport.abort()


async def test_each_of_many_requests_in_one_piece_is_answered_in_its_turn():
    """Whatever stands in their bodies, and although reading stops and goes on again and again."""
    octets, expected = b"", []
    for number in range(400):
        body = b"\r\n\r\n" * (number % 4) + b"%d" % number
        chunked = b"".join(b"1\r\n%c\r\n" % octet for octet in body) + b"0\r\n\r\n"
        octets += CHUNKED + chunked if number % 3 else get(b"/", method=b"POST", body=body)
        octets += get(b"/get")
        expected += [body.decode(), ""]
    found = await answers(octets, *["POST", "GET"] * 400)
    assert [json.loads(body)["body"] for _, body, _ in found] == expected


async def test_who_does_not_read_is_answered_no_further():
    asked = []

    async def much(call) -> Answer:
        asked.append(call)
        return Answer(b"x" * 4_000_000)

    async with AsyncExitStack() as stack:
        place = await open_http(connections_at(), None, much, SYSTEM_CLOCK, stack)
        _, writer = await asyncio.open_connection("127.0.0.1", int(place.rpartition(":")[2]), limit=1)
        writer.write(get(b"/") * 50)
        assert await settled(lambda: len(asked)) < 10
        writer.transport.abort()


async def test_a_body_for_no_route_is_not_kept_and_told_so():
    large = b"x" * 70_000
    found = await answers(get(b"/", method=b"POST", body=large) + get(b"/"), "POST", "GET")
    assert [status for status, _, _ in found] == [413, 200]
    async with connected(most_octets=200_000) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 100000000\r\n\r\n" + b"x" * 300_000)
        try:
            text = await asyncio.wait_for(reader.read(), 1)
        except ConnectionResetError:
            text = b""
        assert text == b"" or text.startswith(b"HTTP/1.1 413"), "it is not read to its end"


async def test_who_does_not_read_is_cut():
    async with connected(arrival_seconds=0.4) as (reader, writer):
        writer.write(get(b"/much") * 3)
        await asyncio.sleep(1.5)
        text = b""
        try:
            while chunk := await asyncio.wait_for(reader.read(1 << 20), 1):
                text += chunk
        except ConnectionResetError:
            pass
        assert len(text) < 8_000_000, "not all three"


async def test_a_door_that_closes_answers_what_was_asked():
    async with AsyncExitStack() as stack:
        place = await open_http(connections_at(), None, echo, SYSTEM_CLOCK, stack)
        port = int(place.rpartition(":")[2])
        idle, asking = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        asking[1].write(get(b"/slow"))
        await asyncio.sleep(0.1)
    text = await asyncio.wait_for(asking[0].read(), 1)
    assert text.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in text
    assert await asyncio.wait_for(idle[0].read(), 1) == b""
    for _, writer in (idle, asking):
        writer.close()


REQUESTS = st.builds(
    lambda path, body, headers: get(b"/" + path, *headers, method=b"POST", body=body),
    st.from_regex(rb"[a-z0-9]{0,8}", fullmatch=True),
    st.binary(max_size=60),
    st.lists(st.from_regex(rb"x-[a-z]{1,6}: [!-~]{0,10}", fullmatch=True), max_size=3),
)


@given(st.lists(REQUESTS, min_size=1, max_size=4), st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_however_the_octets_are_cut_up_the_answers_are_the_same(requests, data):
    octets = b"".join(requests)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=6)))
    pieces = [octets[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(octets)], strict=True)]

    async def heard() -> bytes:
        async with connected() as (reader, writer):
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0)
            writer.write_eof()
            return await asyncio.wait_for(reader.read(), 5)

    text = asyncio.run(heard())
    bodies = [json.loads(part.partition(b"\r\n\r\n")[2])["body"] for part in text.split(b"HTTP/1.1 200 OK\r\n")[1:]]
    assert bodies == [request.partition(b"\r\n\r\n")[2].decode("latin-1") for request in requests]


@given(
    st.binary(max_size=200)
    | st.builds(lambda octets, tail: get(b"/", octets) + tail, st.binary(max_size=50), st.binary(max_size=50))
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_comes_the_connection_ends_and_the_door_goes_on(octets):
    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            place = await open_http(connections_at(), None, echo, SYSTEM_CLOCK, stack, Limits(arrival_seconds=0.2))
            port = int(place.rpartition(":")[2])
            for sent in (octets, get(b"/", b"Connection: close")):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(sent)
                writer.write_eof()
                try:
                    text = await asyncio.wait_for(reader.read(), 2)
                except ConnectionResetError:
                    text = b""
                writer.close()
            assert text.startswith(b"HTTP/1.1 200")

    asyncio.run(scenario())
