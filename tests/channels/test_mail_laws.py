"""Whatever stands in the directory, a mail has the headers that we write, one recipient, and no more."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from auth.addresses import EmailAddress, email_address
from auth.channels.base import Message
from auth.channels.mail.composer import Composer, one_line
from auth.channels.minted import render
from channels.test_mail import parsed
from schema.errors import Fault
from schema.parse import parse_policy

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
OURS = ("From", "Reply-To", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress")
# what people try, mixed with what they would not think of
_HOSTILE = st.sampled_from(
    [
        "\r\nBcc: eve@example.test",
        "\n\n<html>",
        "\r.\r",
        "\0",
        "\u2028To: eve",
        "=?utf-8?b?DQpCY2M6IGV2ZQ==?=",
        "{code}",
        ",",
        "<",
    ]
)
TEXTS = st.lists(_HOSTILE | st.text(max_size=30), max_size=6).map("".join)
ADDRESSES = st.builds(lambda text: f"alice{text}@example.test", TEXTS) | TEXTS


def composer_of(name: str) -> Composer:
    """With this name of the sender, where config.ini may have it."""
    composer = Composer(EmailAddress("logon@example.org"), name, EmailAddress("helpdesk@example.org"))
    try:
        composer.check()
    except Fault:
        return replace(composer, sender_name="")
    return composer


CODES = st.text("0123456789", min_size=6, max_size=10)


@settings(max_examples=60, phases=set(Phase) - {Phase.shrink})  # a mail is shrunk for minutes and is short anyway
@given(subject=TEXTS, text=TEXTS, html=TEXTS, name=TEXTS, address=ADDRESSES, code=CODES)
def test_no_value_of_the_directory_makes_a_header_a_recipient_or_a_part(subject, text, html, name, address, code):
    values = {"subject": subject, "template": f"{text}{{code}}", "htmltemplate": f"{html}{{code}}"}
    policy = parse_policy("p", {f"dirfactoremail{key}": (value.encode(),) for key, value in values.items()})
    to = email_address(address) or EmailAddress("nobody@example.test")
    composer = composer_of(one_line(name))
    body = render(policy.email_template, [code], 5)
    hypertext = render(policy.email_html_template, [code], 5) if policy.email_html_template else None
    octets = composer.octets(to, Message(policy.email_subject, body, hypertext), NOW, "0" * 32)

    head = octets.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0].decode() for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    of_mime = ["MIME-Version", "Content-Type"] + ([] if hypertext else ["Content-Transfer-Encoding"])
    assert sorted(names) == sorted([*OURS, *of_mime])
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", octets), "RFC 5321 section 2.3.8"
    mail = parsed(octets)
    (recipient,) = mail["To"].addresses
    # the parser leaves RFC 6532's octets as they are
    assert recipient.addr_spec.encode("utf-8", "surrogateescape").decode() == to
    assert [each.addr_spec for each in mail["From"].addresses] == ["logon@example.org"]
    assert [part.get_content_type() for part in mail.walk() if not part.is_multipart()] == (
        ["text/plain", "text/html"] if hypertext else ["text/plain"]
    )
    assert code in mail.get_body(("plain",)).get_content()


@pytest.mark.parametrize(
    ("attribute", "value", "expected"),
    [
        ("dirfactorEmailTemplate", "Your code is {code}, {user}.", "{code} and {minutes}"),
        ("dirfactorEmailTemplate", "Your code is on its way.", "{code} in the text"),
        ("dirfactorEmailTemplate", "{Code}", "{code}"),
        ("dirfactorEmailHtmlTemplate", "<b>{cod}</b>{code}", "{code} and {minutes}"),
        ("dirfactorEmailHtmlTemplate", "<b>no code</b>", "{code} in the text"),
    ],
)
def test_a_template_that_cannot_do_its_work_is_malformed_and_never_sent(attribute, value, expected):
    policy = parse_policy("p", {attribute.lower(): (value.encode(),)})
    (found,) = policy.malformed
    assert found.attribute == attribute
    assert expected in found.expected
    assert value not in (policy.email_template, policy.email_html_template)


def test_a_style_sheet_in_html_is_no_placeholder():
    html = "<style>p { color: red } b{margin:0}</style><p>{code}</p>"
    policy = parse_policy("p", {"dirfactoremailhtmltemplate": (html.encode(),)})
    assert (policy.malformed, policy.email_html_template) == ((), html)
