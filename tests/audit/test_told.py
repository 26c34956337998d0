"""The steps of one login are one story, whatever came between them; whoever asks for a person gets all of theirs."""

from datetime import timedelta

import pytest

from audit.ledger import NOON
from auth.audit.reader import told_backwards
from auth.audit.rows import Delivered
from auth.audit.told.story import stories
from auth.audit.told.wanted import Wanted
from auth.audit.told.words import as_data, as_text
from auth.reason import Reason

ALICE, BOB = "00" * 15 + "0a", "00" * 15 + "0b"
SENT = {"outcome": "challenged", "reason": "code-sent", "method": "sms", "destination": "+43…01", "gateway": "kannel"}


@pytest.fixture
def told(ledger):
    """Alice and Bob log on at the same time; hers is refused, his accepted; then somebody whom nobody knows."""
    steps = [
        {"correlation": "a1", "name": "alice", "user_id": ALICE, "user": "CN=Alice", "message_id": "m1", **SENT},
        {"correlation": "b1", "name": "LAB\\bob", "user_id": BOB, "user": "CN=Bob", "message_id": "m2", **SENT},
        {"correlation": "b2", "login": "b1", "name": "", "user_id": BOB, "user": "CN=Bob"},
        {
            "correlation": "a2",
            "login": "a1",
            "name": "ALICE",
            "outcome": "refused",
            "reason": "code-wrong",
            "node": "x",
        },
        {"correlation": "c1", "name": "mallory", "outcome": "refused", "reason": "user-unknown"},
    ]
    with ledger.open() as trail:
        for step in steps:
            node = step.pop("node", "vpn")
            line = ledger.line(**step)
            trail.write(type(line)(**{name: getattr(line, name) for name in line.__struct_fields__} | {"node": node}))
            ledger.later(seconds=2)
            if step["correlation"] == "b2":
                trail.deliver(Delivered(ledger.now, "kannel", "m1", "failed", "11"))
                trail.deliver(Delivered(ledger.now, "other", "m2", "delivered"))
    return ledger


def found(ledger, **values):
    wanted = Wanted(**values)
    return [story.login for story in filter(wanted.takes, stories(told_backwards(ledger.files, wanted.worthwhile())))]


def test_the_login_that_began_last_comes_first_with_its_steps_in_their_order(told):
    all_of_them = list(stories(told_backwards(told.files)))
    assert [(story.login, [step.correlation for step in story.steps]) for story in all_of_them] == [
        *(("c1", ["c1"]), ("b1", ["b1", "b2"]), ("a1", ["a1", "a2"]))
    ]


def test_a_receipt_belongs_to_the_login_whose_message_it_is_of(told):
    receipts = {story.login: [each.fate for each in story.receipts] for story in stories(told_backwards(told.files))}
    assert receipts == {"a1": ["failed"], "b1": [], "c1": []}, "a message id is one gateway's own"


@pytest.mark.parametrize(
    ("wanted", "logins"),
    [
        ({"names": frozenset({"alice"})}, ["a1"]),
        ({"names": frozenset({"lab\\bob"})}, ["b1"]),
        ({"names": frozenset({"cn=bob"})}, ["b1"]),
        ({"ids": frozenset({BOB})}, ["b1"]),
        ({"names": frozenset({"nobody"}), "ids": frozenset({ALICE})}, ["a1"]),
        ({"names": frozenset({"älice"})}, []),
        ({"login": "a1"}, ["a1"]),
        ({"node": "x"}, ["a1"]),
        ({"reason": "user-unknown"}, ["c1"]),
        ({"is_refused": True}, ["c1", "a1"]),
        ({"is_refused": True, "ids": frozenset({BOB})}, []),
        ({"since": NOON + timedelta(seconds=6)}, ["c1", "a1"]),
        ({"since": NOON + timedelta(hours=1)}, []),
    ],
)
def test_what_is_asked_for_is_found_and_nothing_else(told, wanted, logins):
    assert found(told, **wanted) == logins


def test_a_login_whose_beginning_is_no_longer_kept_is_told_as_far_as_it_is(ledger):
    with ledger.open() as trail:
        trail.write(ledger.line(correlation="z2", login="z1"))
    assert found(ledger) == ["z1"]


def test_a_story_says_what_happened_when_by_what_and_what_helps(told):
    [story] = [story for story in stories(told_backwards(told.files)) if story.login == "a1"]
    text = as_text(story)
    for said in (
        "alice  refused: code-wrong",
        Reason.CODE_WRONG.meaning,
        f"what helps: {Reason.CODE_WRONG.remedy}",
        "12:00:00.000  challenged  code-sent  sms  to +43…01  by kannel  message m1",
        "12:00:06.000  receipt     failed, error code 11  by kannel  message m1",
    ):
        assert said in text, text
    data = as_data(story)
    assert (data["outcome"], data["remedy"]) == ("refused", Reason.CODE_WRONG.remedy)
    assert [step["message_id"] for step in data["steps"] if "message_id" in step] == ["m1"]


def test_a_reason_of_another_version_is_told_without_what_it_means(ledger):
    with ledger.open() as trail:
        trail.write(ledger.line(outcome="refused", reason="of-another-version"))
    [story] = stories(told_backwards(ledger.files))
    assert "refused: of-another-version" in as_text(story)
