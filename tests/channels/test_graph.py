"""Mails through Microsoft Graph: what the request says, what each answer means, and whose token opens the door."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.addresses import EmailAddress, email_address
from auth.channels.base import DeliveryFailed, Message
from auth.channels.mail.graph import GraphGateway
from auth.channels.mail.graph_answer import read_answer
from auth.channels.mail.graph_request import GraphRequest
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY, Clock
from channels.peers import RawHttp, everything_said, http_answer
from microsoft import mailboxes
from microsoft.running import CLIENT_ID, MAILBOX, SECRET
from schema.errors import Fault
from schema.secret import Secret

TO = EmailAddress("alice.canary@example.test")
CODE = "481516"
MESSAGE = Message("Your logon\r\n code", f"{CODE} is your code: grüße.", f"<b>{CODE}</b>")
TOKEN = b'{"access_token": "t1", "token_type": "Bearer", "expires_in": 600}'


@pytest.fixture
async def graph(microsoft):
    """Build gateways at the double; closes them."""
    built = []

    def build(clock: Clock = SYSTEM_CLOCK, **changes) -> GraphGateway:
        built.append(GraphGateway("office", microsoft.graph(**changes), clock, SYSTEM_ENTROPY))
        return built[-1]

    yield build
    for each in built:
        await each.aclose()


async def failure(gateway: GraphGateway, to: str = TO) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await gateway.send(EmailAddress(to), MESSAGE)
    said = everything_said(caught.value)
    assert not [canary for canary in (CODE, SECRET, "eyJ", to.partition("@")[0] + "@") if canary in said]
    return caught.value


def next_mail(microsoft) -> dict:
    return next(event for event in microsoft.events() if "message" in event)


class TestTheMail:
    async def test_says_what_was_written_and_is_not_kept_among_the_sent_ones(self, graph, microsoft):
        receipt = await graph(reply_to="helpdesk@example.org").send(TO, MESSAGE)
        seen = next_mail(microsoft)
        assert seen["message"] == {
            "subject": "Your logon code",
            "body": {"contentType": "HTML", "content": MESSAGE.html},
            "toRecipients": [{"emailAddress": {"address": TO}}],
            "replyTo": [{"emailAddress": {"address": "helpdesk@example.org"}}],
            "internetMessageHeaders": [{"name": "X-Auto-Response-Suppress", "value": "All"}],
        }
        assert seen["kept"] is False
        assert seen["id"] == receipt.message_id

    async def test_without_html_is_plain(self, graph, microsoft):
        await graph().send(TO, Message("s", "text"))
        assert next_mail(microsoft)["message"]["body"] == {"contentType": "Text", "content": "text"}

    async def test_goes_with_a_certificate_as_well(self, graph, microsoft):
        certified = graph(client_secret=None, assertion_certificate=microsoft.certificate, assertion_key=microsoft.key)
        assert await certified.send(TO, MESSAGE)

    @given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=200))
    def test_no_address_subject_or_text_changes_anything_but_its_own_place(self, address, subject, text):
        to = email_address(f"{address}@example.test")
        if to is None:
            return
        asked = GraphRequest("https://graph.example.test", EmailAddress(MAILBOX)).fill(
            to, Message(subject, text, text), Secret("t"), "id"
        )
        reply, message = mailboxes.send(asked.body)
        assert reply.status == 202
        assert [each["emailAddress"]["address"] for each in message["toRecipients"]] == [to]
        assert message["body"] == {"contentType": "HTML", "content": text}
        assert message["subject"].isprintable()
        assert asked.url == "https://graph.example.test/v1.0/users/logon%40example.org/sendMail"


class TestAnswers:
    @pytest.mark.parametrize(
        ("to", "said", "permanent", "unknown"),
        [
            (mailboxes.INVALID, "400 ErrorInvalidRecipients", True, False),
            (mailboxes.DENIED, "403 ErrorAccessDenied", False, False),
            (mailboxes.THROTTLED, "429 ApplicationThrottled", False, False),
            (mailboxes.BUSY, "503 ServiceUnavailable", False, False),
            (mailboxes.BROKEN, "500 ErrorInternalServerError", False, False),
            (mailboxes.TIMED_OUT, "504 UnknownError", False, True),
        ],
    )
    async def test_each_says_whose_fault_it_is(self, graph, to, said, permanent, unknown):
        found = await failure(graph(), to)
        assert f"answered HTTP {said}" in found.problem
        assert (found.permanent, found.unknown) == (permanent, unknown)

    async def test_a_missing_permission_names_it(self, graph):
        assert "Mail.Send" in (await failure(graph(), mailboxes.DENIED)).remedy

    async def test_a_mailbox_that_the_tenant_does_not_have(self, graph):
        found = await failure(graph(sender="nobody@example.org"))
        assert "404 ErrorInvalidUser" in found.problem
        assert "sender" in found.remedy

    @pytest.mark.parametrize(("to", "pause"), [(mailboxes.THROTTLED, 7), (mailboxes.BUSY, 5)])
    async def test_who_wants_to_be_left_alone_is_for_as_long_as_it_says(self, graph, microsoft, to, pause):
        ahead = [0.0]
        gateway = graph(Clock(now=SYSTEM_CLOCK.now, monotonic=lambda: ahead[0]))
        await failure(gateway, to)
        microsoft.events()
        ahead[0] = pause - 0.1
        assert "left alone" in (await failure(gateway)).problem
        assert microsoft.events() == [], "nobody was asked"
        ahead[0] = pause + 0.1
        assert await gateway.send(TO, MESSAGE)


class TestTokens:
    async def test_a_withdrawn_token_is_renewed_once_and_the_mail_goes(self, graph, microsoft):
        gateway = graph()
        await gateway.send(TO, MESSAGE)
        microsoft.withdraw_tokens()
        assert await gateway.send(TO, MESSAGE)
        told = [event["event"] for event in microsoft.events()]
        assert told == ["token", "mail", "refused", "token", "mail"]

    async def test_a_graph_that_takes_no_token_is_asked_twice_and_no_more(self, graph, microsoft, serve, ca_file):
        peer = RawHttp(http_answer("401 Unauthorized", b'{"error": {"code": "InvalidAuthenticationToken"}}'))
        port = await serve(peer)
        gateway = graph(graph_url=f"http://localhost:{port}")
        # the double gives tokens for itself and for SMTP only
        gateway._tokens = _Tokens()
        found = await failure(gateway)
        assert "401 InvalidAuthenticationToken" in found.problem
        assert len(peer.requests) == 2

    async def test_no_token_no_mail(self, graph):
        found = await failure(graph(client_secret=Secret("canary-wrong")))
        assert "AADSTS7000215" in found.problem
        assert (found.permanent, found.unknown) == (False, False)


class TestMisbehaviour:
    async def gateway(self, graph, serve, answer: bytes | None) -> GraphGateway:
        gateway = graph(graph_url=f"http://localhost:{await serve(RawHttp(answer))}", timeout_seconds=0.4)
        gateway._tokens = _Tokens()
        return gateway

    @pytest.mark.parametrize("answer", [None, b""])
    async def test_no_answer_to_a_request_leaves_it_unknown(self, graph, serve, answer):
        begun = time.monotonic()
        found = await failure(await self.gateway(graph, serve, answer))
        assert found.unknown
        assert time.monotonic() - begun < 2.5

    async def test_a_page_of_a_proxy_is_no_success(self, graph, serve):
        found = await failure(await self.gateway(graph, serve, http_answer("200 OK", b"<html>")))
        assert "answered HTTP 200" in found.problem

    async def test_nobody_there(self, graph):
        gateway = graph(graph_url="http://localhost:1")
        gateway._tokens = _Tokens()
        found = await failure(gateway)
        assert not found.unknown
        assert "graph_url" in found.remedy


async def test_a_rehearsal_has_a_token_and_sends_nothing(graph, microsoft):
    passage = await graph().rehearse(TO)
    assert passage.authentication == f"OAuth as application {CLIENT_ID}"
    assert passage.tls.startswith("TLSv1.")
    assert [event["event"] for event in microsoft.events()] == ["token"]


async def test_a_greeting_tells_when_the_certificate_ends(graph):
    assert await graph().greet() > datetime.now(UTC)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sender": "nobody"}, "sender"),
        ({"reply_to": "a@b@c"}, "reply_to"),
        ({"tenant": "a/b"}, "tenant"),
        ({"graph_url": "http://graph.example.org"}, "clear text"),
        ({"login_url": "https://login.example.org/?x"}, "login_url"),
        ({"client_secret": None}, "neither client_secret nor assertion_certificate"),
        ({"timeout_seconds": 0.0}, "timeout_seconds"),
    ],
)
def test_a_section_that_cannot_work_is_refused_with_its_name(graph, changes, problem):
    with pytest.raises(Fault, match=rf"^\[email:office\].*{problem}"):
        graph(**changes)


class _Tokens:
    """Tokens of nobody."""

    async def token(self) -> Secret:
        return Secret("t1")

    def refused(self, token: Secret) -> None:
        del token

    async def aclose(self) -> None:
        pass


def test_a_refusal_that_is_nested_without_end_is_a_failure_as_any_other():
    with pytest.raises(DeliveryFailed) as caught:
        read_answer(500, b'{"more": ' + b"[" * 30_000 + b"]" * 30_000 + b"}")
    assert caught.value.problem == "answered HTTP 500"
