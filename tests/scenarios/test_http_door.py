"""The HTTP door: what it takes, what it turns away before anybody decides, and what a load balancer hears."""

import json

import httpx
import pytest
import pytest_asyncio

from scenarios.company import password_of, texted
from scenarios.office import Office, open_office, until
from schema.secret import Secret

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    async with open_office(tmp_path_factory.mktemp("http"), texted("alice", 1)) as running:
        yield running


def problem(answer: httpx.Response) -> str:
    """The detail of an answer in RFC 9457's form, which has to say the same status as its status line."""
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document.keys() == {"title", "status", "detail"}
    assert document["status"] == answer.status_code
    detail: str = document["detail"]
    return detail


BAD = {
    "unknown field": ({"user": "alice", "password": "x", "pasword": "x"}, "unknown field `pasword`"),
    "no user": ({"password": "x"}, "missing required field `user`"),
    "a number as user": ({"user": 5, "password": "x"}, "Expected `str`, got `int` - at `$.user`"),
    "a list": ([], "Expected `object`, got `array`"),
    "a field too long": (
        {"user": "alice", "password": "x" * 1025},
        "Expected `str` of length <= 1024 - at `$.password`",
    ),
    "a state and no answer": ({"user": "alice", "state": "x"}, "with `state` give the answer"),
    "a state and two answers": ({"user": "alice", "state": "x", "password": "x", "passcode": "1"}, "with `state`"),
}


@pytest.mark.parametrize("what", BAD)
async def test_a_body_of_another_shape_is_a_bad_request(office: Office, what: str):
    body, detail = BAD[what]
    before = len(office.audit())
    answer = await office.service.post(json.dumps(body).encode())
    assert answer.status_code == 400
    assert detail in problem(answer)
    assert len(office.audit()) == before, "nobody tried to log on"


@pytest.mark.parametrize(
    "octets", [b"", b"{", b"user=alice&password=x", b"\xff\xfe{}", b'{"user": "\\ud800", "password": "x"}']
)
async def test_a_body_that_is_no_json_is_a_bad_request(office: Office, octets: bytes):
    answer = await office.service.post(octets)
    assert answer.status_code == 400
    assert problem(answer) == "the body is no JSON"


async def test_a_value_that_is_refused_is_not_said_again(office: Office):
    answer = await office.service.post({"user": "alice", "password": ["a-secret-of-a-person"]})
    assert answer.status_code == 400
    assert "a-secret" not in answer.text


async def test_a_body_may_have_16_kib(office: Office):
    fits = json.dumps({"user": "nobody", "password": "x"}).encode().ljust(16 * 1024)
    assert (await office.service.post(fits)).json()["outcome"] == "refused"
    answer = await office.service.post(fits + b" ")
    assert answer.status_code == 413
    assert problem(answer) == "the body is larger than 16384 octets"


@pytest.mark.parametrize("key", ["wrong", "Bearer", "k" * 1000, "schl\u00fcssel"])
async def test_who_has_no_key_of_a_node_is_unauthorized(office: Office, key: str):
    answer = await office.service.post({"user": "alice", "password": password_of("alice")}, api_key=Secret(key))
    assert answer.status_code == 401
    problem(answer)


async def test_a_node_that_has_no_key_is_reached_by_no_key(office: Office):
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"http://127.0.0.1:{office.service.http_port}/v1/authenticate", json={"user": "alice"}
        )
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer"), "RFC 9110 section 11.6.1"


async def test_a_node_may_name_itself_and_no_other(office: Office):
    body = {"user": "alice", "password": password_of("alice")}
    assert (await office.service.post(body | {"node": "portal"})).json()["outcome"] == "challenged"
    answer = await office.service.post(body | {"node": "vpn"})
    assert answer.status_code == 403
    problem(answer)


async def test_other_methods_and_routes_are_none(office: Office):
    other = await office.service.get("/v1/authenticate")
    assert (other.status_code, other.headers["allow"]) == (405, "POST"), "RFC 9110 section 15.5.6"
    problem(other)
    for path in ("/", "/v1", "/v1/authenticate/", "/v1/receipts", "/readyz/"):
        none = await office.service.get(path)
        assert none.status_code == 404, path
        problem(none)


async def test_no_answer_is_kept_by_anybody_on_the_way(office: Office):
    answer = await office.service.post({"user": "alice", "password": password_of("alice")})
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers


async def test_it_is_alive_before_it_is_ready_and_ready_after_the_first_sync(office: Office):
    """A load balancer sends nobody here as long as there is no directory to decide by."""
    site = office.site
    await office.service.pause()
    for file in (site.folder / "state").glob("replica.sqlite*"):
        file.unlink()
    whole = site.directory.read_text()
    site.directory.unlink()
    await office.service.start()
    assert (await office.service.get("/healthz")).status_code == 200
    ready = await office.service.get("/readyz")
    assert ready.status_code == 503
    assert "no sync has succeeded yet" in ready.json()["problems"]
    assert str(site.directory) in ready.text, "and why not"
    assert (await office.service.get("/healthz")).json() == {"status": "alive"}
    site.save(whole)

    async def is_ready() -> bool:
        return (await office.service.get("/readyz")).status_code == 200

    await until(is_ready)
    ready = await office.service.get("/readyz")
    assert ready.json()["problems"] == []
    assert (await office.log_on("radius", "alice")).outcome == "challenged"
