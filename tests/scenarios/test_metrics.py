"""/metrics of the running service: what has happened is in it, and nobody's name is."""

import httpx
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from auth.metrics.catalogue import Metric
from scenarios.company import password_of, phone, texted, with_vip
from scenarios.office import Office, open_office

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    folder = tmp_path_factory.mktemp("metrics")
    async with open_office(folder, texted("alice", 1), with_vip("bob", "VSST10000001")) as running:
        yield running


Scraped = dict[tuple[str, frozenset[str]], float]


def of(scraped: Scraped, name: str, *labels: str) -> float:
    """A value, by the metric's name and its labels' values."""
    return scraped.get((name, frozenset(labels)), 0)


async def scraped(office: Office) -> Scraped:
    answer = await office.service.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def asked(office: Office, **headers: str) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://127.0.0.1:{office.service.http_port}/metrics", headers=headers)
        return answer.status_code


async def test_a_logon_by_text_and_one_by_vip_are_in_it(office: Office):
    before = await scraped(office)

    def more(after: Scraped, name: str, *labels: str) -> float:
        return of(after, name, *labels) - of(before, name, *labels)

    for door in ("radius", "http"):
        reply, code = await office.texted(door, "alice")
        assert of(await scraped(office), Metric.CHALLENGES) >= 1
        assert (await office.answer(door, "alice", reply.state, code)).outcome == "accepted"
    asked = await office.log_on("radius", "bob")
    typed = office.site.vip_code("VSST10000001")
    assert (await office.answer("radius", "bob", asked.state, typed)).outcome == "accepted"
    await office.log_on("radius", "alice", password="wrong")
    after = await scraped(office)
    assert more(after, Metric.LOGONS, "radius", "challenged", "code-sent") == 1
    assert more(after, Metric.LOGONS, "http", "accepted", "accepted") == 1
    assert more(after, Metric.LOGONS, "radius", "accepted", "accepted") == 2
    assert more(after, Metric.LOGONS, "radius", "refused", "password-wrong") == 1
    assert more(after, Metric.DELIVERIES, "sms", "gateway", "taken") == 2
    assert more(after, Metric.VIP_QUESTIONS, "validate", "success") == 1
    assert more(after, Metric.HTTP_ANSWERS, "/v1/authenticate", "200") == 2
    assert more(after, f"{Metric.LOGON_SECONDS}_count", "radius", "accepted") == 2
    assert more(after, Metric.AUDIT_LINES) >= 7
    assert of(after, Metric.DIRECTORY_VERSION, "directory") == await office.version()
    assert 0 <= of(after, Metric.DIRECTORY_AGE, "directory") < 60
    assert of(after, Metric.SYNCS, "directory", "done") > 0
    assert of(after, Metric.CERTIFICATE_DAYS, "vip") in (89, 90)
    assert of(after, Metric.GATEWAY_UP, "sms", "gateway") == 1
    assert of(after, Metric.MEMORY, "0") > 10_000_000
    assert of(after, Metric.READY) == 1


async def test_nobody_s_name_number_or_address_is_in_it(office: Office):
    await office.texted("http", "alice")
    text = (await office.service.get("/metrics")).text
    for word in ("alice", "bob", password_of("alice"), phone(1), "VSST1", "demo.example", "127.0.0.1"):
        assert word not in text


async def test_this_host_reads_it_without_a_key_but_not_for_somebody_else(office: Office):
    key = f"Bearer {office.service.api_key.text}"
    assert await asked(office) == 200
    assert await asked(office, Authorization=key) == 200
    assert await asked(office, Authorization="Bearer wrong") == 401
    for name in ("X-Forwarded-For", "Forwarded", "Via"):
        assert await asked(office, **{name: "192.0.2.1"}) == 401, "a proxy on this host speaks for others"
        assert await asked(office, **{name: "192.0.2.1", "Authorization": key}) == 200
