"""Several workers on one host: one service to everybody, whoever of them is asked, reads again, or dies."""

import asyncio
import hashlib
import os
import re
import signal
import socket
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from auth.clock import SYSTEM_ENTROPY
from auth.demo.service import Reply, reply_of
from auth.radius.attributes import Attribute
from auth.radius.packet import Code, MalformedPacket, Packet, UnverifiedResponse, encode_request, hide, verify_response
from scenarios.company import password_of, texted
from scenarios.office import Office, another, beside, calling, open_office, until
from schema.secret import Secret

pytestmark = pytest.mark.asyncio(loop_scope="module")
WORKERS = 3
PEOPLE = 40
OPERATOR = Secret("the-key-of-the-operator-in-this-scenario")
NODES = """
[node:vpn]
dirfactorAddress = 127.0.0.0/8
secret = file:radius.secret
dirfactorMember = everyone
dirfactorApiKeyHash = {api_key_hash}

[admin:operator]
roles = operator
api_key_hash = """ + hashlib.sha256(OPERATOR.octets).hexdigest()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    people = [texted(f"person{number:02}", number) for number in range(PEOPLE)]
    async with (
        open_office(tmp_path_factory.mktemp("workers"), *people, nodes=NODES) as company,
        beside(company, "refusal_seconds", f"workers = {WORKERS}\nrefusal_seconds") as running,
    ):
        await until(lambda: said(running, "all 3 workers serve"), 20)
        yield running


async def said(office: Office, words: str, times: int = 1) -> bool:
    return office.service.log.read_text().count(words) >= times


def supervisor(office: Office) -> int:
    return office.service.program.process.pid


def workers(office: Office) -> list[int]:
    """Processes of the workers, in the order in which they began."""
    pid = supervisor(office)
    return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def address(number: int) -> str:
    return f"127.0.{number // 250}.{2 + number % 250}"


async def packet(office: Office, source: str, user: str, typed: str, state: Secret | None = None, seconds=10.0):
    """An Access-Request from an address, sent again each half second from the same port; the proven response."""
    authenticator = SYSTEM_ENTROPY.octets(16)
    secret = office.service.secret.octets
    attributes = [
        (Attribute.USER_NAME, user.encode()),
        (Attribute.USER_PASSWORD, hide(typed.encode(), secret, authenticator)),
        calling(source),
    ]
    if state is not None:
        attributes.append((Attribute.STATE, state.octets))
    request = Packet(Code.ACCESS_REQUEST, SYSTEM_ENTROPY.below(256), authenticator, tuple(attributes))
    octets = encode_request(request, secret)
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.bind((source, 0))
        sender.connect(("127.0.0.1", office.service.radius_port))
        async with asyncio.timeout(seconds):
            while True:
                await loop.sock_sendall(sender, octets)
                try:
                    came = await asyncio.wait_for(loop.sock_recv(sender, 4096), 0.5)
                    return reply_of(verify_response(came, request, secret))
                except (TimeoutError, ConnectionError, MalformedPacket, UnverifiedResponse):
                    continue


async def texted_to(office: Office, source: str, user: str) -> tuple[Reply, str]:
    """A first step, and the code that was texted."""
    mark = office.site.mark()
    reply = await packet(office, source, user, password_of(user))
    assert reply.outcome == "challenged"
    return reply, await office.site.text_code(mark)


@asynccontextmanager
async def caller(office: Office, source: str, key: Secret | None = None):
    """Somebody who asks over HTTP from an address."""
    headers = {"Authorization": f"Bearer {(key or OPERATOR).text}"}
    async with httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(local_address=source),
        base_url=f"http://127.0.0.1:{office.service.http_port}",
        headers=headers,
        timeout=10,
    ) as opened:
        yield opened


async def each_worker(office: Office) -> dict[str, str]:
    """An address that each worker hears, by the worker's number."""
    found: dict[str, str] = {}
    for number in range(200):
        async with caller(office, address(number)) as asking:
            answer = await asking.get("/v1/status")
            answer.raise_for_status()
            found.setdefault(str(answer.json()["worker"]), address(number))
        if len(found) == WORKERS:
            return found
    raise AssertionError(found)


async def test_a_challenge_of_one_worker_is_answered_at_another_and_once(office: Office):
    for number, source in enumerate((await each_worker(office)).values()):
        user = f"person{number:02}"
        reply, code = await texted_to(office, source, user)
        elsewhere = [found for found in (await each_worker(office)).values() if found != source]
        assert (await packet(office, elsewhere[0], user, code, reply.state)).outcome == "accepted"
        assert (await packet(office, elsewhere[1], user, code, reply.state)).outcome == "refused"


async def test_of_many_right_answers_at_once_at_all_workers_one_is_accepted(office: Office):
    reply, code = await texted_to(office, address(1), "person03")
    answers = await asyncio.gather(
        *(packet(office, address(number), "person03", code, reply.state) for number in range(100))
    )
    assert Counter(answer.outcome for answer in answers) == {"accepted": 1, "refused": 99}


async def test_wrong_answers_at_all_workers_count_together(office: Office):
    """Three wrong codes are a violation, and three violations a lock: nine guesses, and none at another worker."""
    guesses = 0
    for number in range(20):
        mark = office.site.mark()
        reply = await packet(office, address(number), "person04", password_of("person04"))
        if reply.outcome != "challenged":
            break
        code = await office.site.text_code(mark)
        wrong = await packet(office, address(number + 50), "person04", another(code), reply.state)
        guesses += 1
        assert wrong.outcome in ("challenged", "refused")
    assert guesses <= 9
    assert (await packet(office, address(60), "person04", password_of("person04"))).outcome == "refused"


async def test_a_repeat_from_another_port_brings_no_second_text(office: Office):
    mark = len(office.site.texts.lines)
    replies = await asyncio.gather(
        *(packet(office, address(7), "person05", password_of("person05")) for _ in range(20))
    )
    assert {reply.outcome for reply in replies} == {"challenged"}
    assert len({reply.state.text for reply in replies}) == 1
    await asyncio.sleep(0.3)
    assert len(office.site.texts.lines) == mark + 1


async def test_metrics_are_those_of_all_and_grow_on_when_a_worker_is_another(office: Office):
    async def logons(source: str) -> float:
        async with caller(office, source) as asking:
            text = (await asking.get("/metrics")).text
        return sum(float(value) for value in re.findall(r"^dirfactor_logons_total\{[^}]*\} (\S+)$", text, re.MULTILINE))

    places = await each_worker(office)
    before = await logons(places["0"])
    for number in range(12):
        await packet(office, address(number), "person06", "wrong")

    async def added(source: str, least: float) -> bool:
        return await logons(source) >= least

    for source in places.values():
        await until(lambda source=source: added(source, before + 12))
    assert {await logons(source) for source in places.values()} == {before + 12}
    await end_oldest(office)
    for source in places.values():
        await until(lambda source=source: added(source, before + 12))


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def end_oldest(office: Office) -> None:
    """End the worker that began first as a crash would, and wait until another is in its place."""
    begun = office.service.log.read_text().count("ready: ")
    os.kill(workers(office)[0], signal.SIGKILL)
    await until(lambda: said(office, "ready: ", begun + 1), 15)


async def test_each_worker_that_dies_is_begun_anew_and_nobody_is_lost(office: Office):
    """The person asks again, as clients do, and is heard; a challenge of the dead is answered by the living."""
    places = await each_worker(office)
    for number in range(WORKERS):
        user = f"person{10 + number}"
        waiting = {source: f"person{20 + 5 * number + int(name)}" for name, source in places.items()}
        open_before = {source: await texted_to(office, source, name) for source, name in waiting.items()}
        ending = asyncio.ensure_future(end_oldest(office))
        replies = await asyncio.gather(*(packet(office, source, user, password_of(user)) for source in places.values()))
        assert {reply.outcome for reply in replies} == {"challenged"}
        await ending
        for source, (reply, code) in open_before.items():
            answered = await packet(office, source, waiting[source], code, reply.state)
            assert answered.outcome == "accepted"
    assert len(workers(office)) == WORKERS


async def test_what_one_was_told_of_the_directories_all_know_and_each_can_have_them_looked_at(office: Office):
    async def looks(source: str) -> int:
        async with caller(office, source) as asking:
            (directory,) = (await asking.get("/v1/sync")).json()["directories"]
        return directory["done"]

    places = await each_worker(office)
    for source in places.values():
        async with caller(office, source) as asking:
            assert (await asking.get("/readyz")).status_code == 200
        before = await looks(source)
        async with caller(office, source) as asking:
            assert (await asking.post("/v1/sync", json={})).status_code == 202

        async def looked(source: str = source, before: int = before) -> bool:
            return await looks(source) > before

        await until(looked)


async def test_all_have_a_new_configuration_in_force_or_none(office: Office):
    config = office.service.config
    text = config.read_text()
    places = await each_worker(office)

    async def nodes_answer(expected: int) -> bool:
        found = set()
        for source in places.values():
            async with caller(office, source, office.service.api_key) as asking:
                body = {"user": "person08", "password": "wrong"}
                found.add((await asking.post("/v1/authenticate", json=body)).status_code)
        return found == {expected}

    assert await nodes_answer(200)
    try:
        config.write_text(text.replace("[node:vpn]", "[node:vpn]\ndirfactorNodeEnabled = FALSE"))
        os.kill(supervisor(office), signal.SIGHUP)
        await until(lambda: nodes_answer(401), 10)
        config.write_text(text.replace("[node:vpn]", "[node:vpn]\nno_such_key = 1"))
        os.kill(supervisor(office), signal.SIGHUP)
        await until(lambda: said(office, "the configuration stays as it was"))
        assert "no_such_key" in office.service.log.read_text()
        await end_oldest(office)
        assert await nodes_answer(401), "who begins meanwhile begins with what is in force, not with what the file says"
    finally:
        config.write_text(text)
        os.kill(supervisor(office), signal.SIGHUP)
    await until(lambda: nodes_answer(200), 10)


async def test_when_whoever_began_them_is_gone_they_end(office: Office):
    left = workers(office)
    os.kill(supervisor(office), signal.SIGKILL)

    async def gone() -> bool:
        return not any(alive(pid) for pid in left)

    await until(gone, 15)
