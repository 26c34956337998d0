"""The client against a real process over real mutual TLS: each answer is somebody's business, each fault is typed."""

import asyncio
import contextlib
import gc
import logging
import time
from datetime import UTC, datetime, timedelta

import httpx
import pyotp
import pytest

from auth.clock import Clock
from auth.vip.faults import VipAnswerRefused, VipTlsFailed, VipUnavailable
from auth.vip.reasons import NOT_A_CODE, Kind
from auth.vip.settings import CertificateFile
from auth.vip.verdict import Response, TokenStatus, Verdict
from schema.errors import Fault
from schema.secret import Secret


async def verdict(simulator, credentials: str, code: Secret | None = None, **changes) -> Verdict:
    asked = credentials.split()
    async with simulator.client(**changes) as vip:
        return await vip.validate(asked, code or simulator.code(asked[0]))


async def failure(simulator, credential: str, **changes) -> VipUnavailable:
    code = simulator.code(credential)
    with pytest.raises(VipUnavailable) as caught:
        await verdict(simulator, credential, code, **changes)
    assert caught.value.remedy
    assert code.text not in str(caught.value)
    return caught.value


# --- what the service says


async def test_the_right_code_opens(simulator):
    assert await verdict(simulator, "RIGHT") == Verdict(Kind.SUCCESS, "0000", "RIGHT", "Success")


async def test_a_wrong_code_is_the_persons(simulator):
    said = await verdict(simulator, "WRONG", simulator.wrong_code("WRONG"))
    assert (said.kind, said.reason_code, said.credential) == (Kind.PERSON, "49B5", None)


async def test_a_code_is_good_once(simulator):
    code = simulator.code("REPLAY")
    async with simulator.client() as vip:
        assert (await vip.validate(["REPLAY"], code)).kind is Kind.SUCCESS
        again = await vip.validate(["REPLAY"], code)
    assert (again.kind, again.reason_code) == (Kind.PERSON, "49B5")


@pytest.mark.parametrize("credential", ["UNKNOWN", "HYPERTEXT", "ENDLESS", "HALF"])
async def test_what_vip_was_asked_is_gone_without_the_collector(simulator, credential):
    """There is a code in it."""
    async with simulator.client(deadline=0.5) as vip:
        gc.collect()
        gc.disable()
        try:
            with contextlib.suppress(VipUnavailable):
                await vip.validate([credential], Secret("123456"))
            await asyncio.sleep(0.05)  # the loop ends generators that were left in the middle
            assert [item for item in gc.get_objects() if isinstance(item, httpx.Request | httpx.Response)] == []
        finally:
            gc.enable()


async def test_ten_wrong_codes_lock_and_then_the_right_one_does_not_open(simulator):
    wrong = simulator.wrong_code("LOCKABLE")
    async with simulator.client() as vip:
        kinds = [(await vip.validate(["LOCKABLE"], wrong)).kind for _ in range(10)]
        right = await vip.validate(["LOCKABLE"], simulator.code("LOCKABLE"))
    assert kinds == [Kind.PERSON] * 10
    assert (right.kind, right.reason_code) == (Kind.CONFIGURATION, "4994")


@pytest.mark.parametrize(
    ("credential", "reason_code"),
    [("UNKNOWN", "4E03"), ("NEW", "4E03"), ("DISABLED", "4993"), ("LOCKED", "4994"), ("NOVEL", "4ABC")],
)
async def test_the_state_of_a_credential_is_the_administrators(simulator, credential, reason_code):
    said = await verdict(simulator, credential, Secret("123456"))
    assert (said.kind, said.reason_code) == (Kind.CONFIGURATION, reason_code)


async def test_the_services_own_trouble_is_the_services(simulator):
    assert (await verdict(simulator, "BUSY")).kind is Kind.SERVICE
    assert await verdict(simulator, "FAULTING") == Verdict(Kind.SERVICE, "soap:Server", None, "something broke")
    assert (await verdict(simulator, "DRIFTED")).kind is Kind.RESYNCHRONISE


async def test_of_several_credentials_the_one_whose_code_it_was_is_named(simulator):
    said = await verdict(simulator, "MULTI-A MULTI-B", simulator.code("MULTI-B"))
    assert (said.kind, said.credential) == (Kind.SUCCESS, "MULTI-B")


async def test_the_same_credential_twice_is_one_credential(simulator):
    said = await verdict(simulator, "MULTI-C MULTI-C")
    assert (said.kind, said.credential) == (Kind.SUCCESS, "MULTI-C")
    assert simulator.outcomes("MULTI-C", 1) == ["0000"]


@pytest.mark.parametrize("count", [0, 6])
async def test_no_credential_and_more_than_five_are_the_administrators(simulator, count):
    async with simulator.client() as vip:
        with pytest.raises(Fault, match=f"{count} VIP credentials"):
            await vip.validate([f"VSST{n}" for n in range(count)], Secret("123456"))


async def test_what_cannot_be_a_code_is_the_persons_and_is_not_sent(simulator):
    said = await verdict(simulator, "UNSENT", Secret("hunter2!"))
    assert (said.kind, said.reason_code) == (Kind.PERSON, NOT_A_CODE.code)
    await verdict(simulator, "UNSENT")
    assert simulator.outcomes("UNSENT", 1) == ["0000"]


async def test_five_at_once_over_one_client(simulator):
    async with simulator.client() as vip:
        names = [f"PAR-{n}" for n in range(5)]
        said = await asyncio.gather(*(vip.validate([name], simulator.code(name)) for name in names))
    assert [(each.kind, each.credential) for each in said] == [(Kind.SUCCESS, name) for name in names]


async def test_a_credential_is_described_and_activated(simulator):
    async with simulator.client() as vip:
        assert (await vip.information("FRESH-0")).information.status is TokenStatus.NEW
        wrong = await vip.activate("FRESH-0", simulator.wrong_code("FRESH-0"))
        assert (wrong.kind, wrong.reason_code) == (Kind.PERSON, "49B5")
        codes = simulator.code("FRESH-0"), simulator.code("FRESH-0", 1)
        assert (await vip.activate("FRESH-0", *codes)).kind is Kind.SUCCESS
        assert (await vip.information("FRESH-0")).information.status is TokenStatus.ENABLED
        assert (await vip.information("UNKNOWN")).reason_code == "4E03"


# --- what goes wrong on the way


async def test_an_answer_with_another_request_id_is_refused(simulator):
    assert isinstance(await failure(simulator, "OTHER-ID"), VipAnswerRefused)


async def test_garbage_is_refused(simulator):
    assert isinstance(await failure(simulator, "BABBLING"), VipAnswerRefused)


async def test_http_500_without_a_soap_fault_is_unavailable(simulator):
    assert "HTTP status 500" in (await failure(simulator, "BROKEN")).problem


@pytest.mark.parametrize("status", [201, 302, 403, 500, 503])
async def test_only_http_200_can_say_success(simulator, status):
    assert f"HTTP status {status}" in (await failure(simulator, f"STATUS-{status}")).problem


async def test_success_that_is_no_xml_by_its_own_account_is_unavailable(simulator):
    assert "no plain XML" in (await failure(simulator, "HYPERTEXT")).problem


async def test_an_endless_answer_is_not_read_to_its_end(simulator):
    assert "more than 256 KiB" in (await failure(simulator, "ENDLESS")).problem


@pytest.mark.parametrize("credential", ["HANGING", "HALF"])
async def test_silence_ends_at_the_deadline(simulator, credential):
    begun = time.monotonic()
    assert "within 0.5 s" in (await failure(simulator, credential, deadline=0.5)).problem
    assert 0.5 <= time.monotonic() - begun < 3


async def test_a_service_that_never_speaks_tls_costs_its_share_of_the_deadline_and_no_socket(simulator):
    """httpcore leaves a socket open when a deadline from outside cuts its handshake; its own limit closes it."""
    closed = asyncio.Event()

    async def silent(reader, writer):
        await reader.read()
        closed.set()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
        begun = time.monotonic()
        async with simulator.client(url=url, deadline=1.0) as vip:
            with pytest.raises(VipUnavailable, match="could not be reached"):
                await vip.validate(["WIRE"], simulator.code("WIRE"))
            assert 0.4 < time.monotonic() - begun < 0.95
            await asyncio.wait_for(closed.wait(), 2)


async def test_the_libraries_log_nothing_of_a_question(simulator, caplog):
    with caplog.at_level(logging.DEBUG):
        assert (await verdict(simulator, "UNKNOWN", Secret("123456"))).reason_code == "4E03"
    assert [record.name for record in caplog.records if record.name.startswith("http")] == []


async def test_a_cookie_is_not_kept(simulator):
    """Set by a proxy, it would follow one person's question into another's."""
    async with simulator.client() as vip:
        answer = httpx.Response(200, headers={"Set-Cookie": "who=a"}, request=httpx.Request("POST", simulator.url))
        http = (await vip._connected())._http
        http.cookies.extract_cookies(answer)
        assert not http.cookies


async def test_after_a_fault_the_same_client_works_on(simulator):
    async with simulator.client(deadline=2.0) as vip:
        for credential in ("HALF", "BABBLING", "ENDLESS"):
            with pytest.raises(VipUnavailable):
                await vip.validate([credential], Secret("123456"))
        assert (await vip.validate(["RECOVERING"], simulator.code("RECOVERING"))).kind is Kind.SUCCESS


async def test_nobody_there(simulator, unused_tcp_port):
    problem = (await failure(simulator, "WIRE", url=f"https://localhost:{unused_tcp_port}")).problem
    assert "could not be reached" in problem


async def test_a_path_that_is_not_the_services_is_unavailable(simulator):
    problem = (await failure(simulator, "WIRE", url=simulator.url + "/elsewhere")).problem
    assert problem.endswith("HTTP status 404")


async def test_a_certificate_that_the_service_does_not_know(simulator):
    fault = await failure(simulator, "WIRE", certificate=simulator.certificate(simulator.certificates.foreign_client))
    assert "certificate" in fault.remedy


async def test_a_service_certificate_of_an_unknown_authority(simulator):
    fault = await failure(simulator, "WIRE", ca_file=None)
    assert isinstance(fault, VipTlsFailed)
    assert "certificate was not accepted" in fault.problem


async def test_a_service_certificate_of_another_name(start_simulator):
    entries = [{"id": "A", "seed": pyotp.random_base32(), "status": "ENABLED"}]
    elsewhere = start_simulator(entries, "--host", "127.0.0.2")
    fault = await failure(elsewhere, "A", url=f"https://127.0.0.2:{elsewhere.port}")
    assert isinstance(fault, VipTlsFailed)
    assert "127.0.0.2" in fault.problem


# --- what is wrong before the first question


def test_a_wrong_password_is_a_fault_before_the_first_question(simulator):
    file = CertificateFile(simulator.certificates.client, Secret("another"))
    with pytest.raises(Fault, match="password"):
        simulator.client(certificate=file).check()


def test_an_expired_certificate_is_a_fault_and_its_end_is_known_before(simulator):
    (state,) = simulator.client().certificates()
    assert timedelta(days=89) < state.expires - datetime.now(UTC) <= timedelta(days=90)
    with pytest.raises(Fault, match="expired"):
        simulator.client(Clock(lambda: state.expires, time.monotonic)).check()


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "localhost:443",
        "https://",
        "https://u:p@localhost",
        "https://l/?a=1",
        "https://[x",
        "https://x:port",
    ],
)
def test_a_service_is_reached_by_https_only(simulator, url):
    with pytest.raises(Fault, match="service URL"):
        simulator.client(url=url)


def test_a_deadline_is_positive(simulator):
    with pytest.raises(Fault, match="deadline"):
        simulator.client(deadline=0)


async def test_proxies_of_the_environment_are_not_used(simulator, monkeypatch, unused_tcp_port):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://localhost:{unused_tcp_port}")
    assert (await verdict(simulator, "UNPROXIED")).kind is Kind.SUCCESS


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Token 436640000001 not found", ""),
        ("Token +43 664 0000001 not found", ""),
        ("Token not found (12)", "Token not found (12)"),
    ],
)
async def test_a_telephone_that_no_code_was_sent_to_is_not_told_to_log_and_audit(simulator, monkeypatch, said, told):
    async def answering(_ask):
        return Response("4E03", said)

    async with simulator.client() as vip:
        monkeypatch.setattr(vip, "_within", answering)
        assert await vip.send(["VSST12345678", "sms:436640000001"]) == Verdict(Kind.CONFIGURATION, "4E03", None, told)
