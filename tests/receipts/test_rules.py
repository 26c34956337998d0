"""Where id and fate stand in what providers post, in the forms that they post."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.channels.base import Fate
from auth.receipts.rules import Posted, Rule, Unreadable, receipts
from auth.receipts.settings import ReceiptSettings, findings
from auth.receipts.words import Words
from schema.errors import Fault
from schema.secret import Secret

INFOBIP = json.dumps(
    {
        "results": [
            {"messageId": "a-1", "status": {"groupId": 3, "groupName": "DELIVERED"}},
            {"messageId": "a-2", "status": {"groupId": 2, "groupName": "UNDELIVERABLE"}},
        ]
    }
)


@pytest.mark.parametrize(
    ("message_id", "status", "query", "body", "found"),
    [
        (
            "field:MessageSid",
            "field:MessageStatus",
            "",
            "MessageSid=SM1&MessageStatus=delivered&To=%2B1",
            [("SM1", "delivered")],
        ),
        ("field:id", "field:status", "id=7&status=DELIVRD", "", [("7", "DELIVRD")]),
        (
            "json:results.*.messageId",
            "json:results.*.status.groupName",
            "",
            INFOBIP,
            [("a-1", "DELIVERED"), ("a-2", "UNDELIVERABLE")],
        ),
        ("json:results.1.messageId", "json:results.1.status.groupId", "", INFOBIP, [("a-2", "2")]),
        ("regex:id=(\\w+)", "regex:stat=(\\w+)", "", "<r>id=9 stat=DELIVRD</r>", [("9", "DELIVRD")]),
        ("regex:(?:^|&)smsid=(\\d+)", "field:t", "smsid=12&t=1", "", [("12", "1")]),
    ],
)
def test_a_receipt_is_read_from_url_form_json_and_anything(message_id, status, query, body, found):
    assert list(receipts(Posted(query, body), Rule(message_id), Rule(status))) == found


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        "{",
        '{"id": null, "status": "x"}',
        '{"id": [1], "status": "x"}',
        '{"id": "1"}',
        '{"id": true}',
        json.dumps({"id": "1" * 201, "status": "x"}),
        "[" * 5000,
    ],
)
def test_what_does_not_hold_both_is_unreadable(body):
    with pytest.raises(Unreadable):
        receipts(Posted("", body), Rule("json:id"), Rule("json:status"))


def test_ids_and_statuses_that_are_not_pairs_are_unreadable():
    with pytest.raises(Unreadable):
        receipts(Posted("", '{"a": [{"i": 1, "s": 2}, {"i": 3}]}'), Rule("json:a.*.i"), Rule("json:a.*.s"))


@given(st.text(), st.text(), st.sampled_from(["field:a", "json:a.*.b.0", "json:0", "regex:a(.*)"]))
def test_whatever_is_posted_is_read_or_unreadable(query, body, rule):
    try:
        found = Rule(rule).find(Posted(query, body))
    except Unreadable:
        return
    assert found
    assert all(isinstance(value, str) for value in found)


@pytest.mark.parametrize("text", ["", "id", "field:", "xml:id", "regex:(", "regex:id=\\d+"])
def test_what_is_no_rule_is_said_with_a_remedy(text):
    with pytest.raises(Fault) as caught:
        Rule(text)
    assert caught.value.remedy


def test_a_word_means_one_of_two_ends_or_that_the_text_is_under_way():
    words = Words()
    assert [words.fate(word) for word in ("delivered", "DELIVRD", "Undeliv", "expired", "sent", "")] == [
        Fate.DELIVERED,
        Fate.DELIVERED,
        Fate.FAILED,
        Fate.FAILED,
        Fate.UNDER_WAY,
        Fate.UNDER_WAY,
    ]
    assert Words(delivered=("1",), failed=("2",)).fate("1") is Fate.DELIVERED


def test_what_is_wrong_with_a_section_is_found():
    good = ReceiptSettings(Secret("t"), "field:id", "field:status")
    bad = ReceiptSettings(Secret("t"), "id", "regex:(")
    found = [(name, key) for name, (key, _, _) in findings({"kannel": good, "other": bad}, ["kannel"])]
    assert found == [("other", ""), ("other", "message_id"), ("other", "status")]
