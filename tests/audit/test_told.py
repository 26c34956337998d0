"""The steps of one login are one story, whatever came between them; whoever asks for a person gets all of theirs."""

from datetime import timedelta

import pytest

from audit.ledger import NOON
from auth.audit.reader import outcomes_backwards
from auth.audit.told.story import stories
from auth.audit.told.wanted import Wanted
from auth.audit.told.words import as_data, as_text, step_line
from auth.reason import Reason

ALICE, BOB = "00" * 15 + "0a", "00" * 15 + "0b"
SENT = {"outcome": "challenged", "reason": "code-sent", "method": "sms", "destination": "+43…01", "gateway": "kannel"}


EMPTY = {"outcome": "refused", "reason": "code-empty"}
RECEIPT = {"outcome": "receipt", "reason": "message-undelivered", "gateway": "kannel", "detail": "error code 11"}


@pytest.fixture
def told(ledger):
    """Alice and Bob log on at the same time; hers is refused, his accepted; then somebody whom nobody knows."""
    hers, his = {"user_id": ALICE, "user": "CN=Alice"}, {"user_id": BOB, "user": "CN=Bob"}
    steps = [
        {"correlation": "a1", "name": "alice", "message_id": "m1", **hers, **SENT},
        {"correlation": "b1", "name": "LAB\\bob", "message_id": "m2", **his, **SENT},
        {"correlation": "b2", "login": "b1", **his},
        {"correlation": "a1", "login": "a1", "user_id": ALICE, "message_id": "m1", **RECEIPT},
        {"correlation": "a2", "login": "a1", "name": "ALICE", "node": "x", **EMPTY},
        {"correlation": "c1", "name": "mallory", "outcome": "refused", "reason": "user-unknown"},
    ]
    with ledger.open() as trail:
        for step in steps:
            trail.write(ledger.line(**step))
            ledger.later(seconds=2)
    return ledger


def found(ledger, **values):
    wanted = Wanted(**values)
    return [
        story.login for story in filter(wanted.takes, stories(outcomes_backwards(ledger.files, wanted.worthwhile())))
    ]


def test_the_login_that_began_last_comes_first_with_its_steps_in_their_order(told):
    all_of_them = list(stories(outcomes_backwards(told.files)))
    assert [(story.login, [step.correlation for step in story.steps]) for story in all_of_them] == [
        *(("c1", ["c1"]), ("b1", ["b1", "b2"]), ("a1", ["a1", "a1", "a2"]))
    ]


def test_a_receipt_is_a_part_of_the_login_and_not_what_it_came_to(ledger):
    with ledger.open() as trail:
        trail.write(ledger.line(correlation="a1"))
        trail.write(ledger.line(correlation="a1", login="a1", **RECEIPT))
    [story] = stories(outcomes_backwards(ledger.files))
    assert [step.outcome for step in story.steps] == ["accepted", "receipt"]
    assert story.last.outcome == "accepted"


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
        ({"since": NOON + timedelta(seconds=8)}, ["c1", "a1"]),
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
    [story] = [story for story in stories(outcomes_backwards(told.files)) if story.login == "a1"]
    text = as_text(story)
    for said in (
        "alice  refused: code-empty",
        Reason.CODE_EMPTY.meaning,
        f"what helps: {Reason.CODE_EMPTY.remedy}",
        "12:00:00.000  challenged  code-sent  sms  to +43…01  by kannel  message m1",
        "12:00:06.000  receipt     message-undelivered  by kannel  message m1  (error code 11)",
    ):
        assert said in text, text
    data = as_data(story)
    assert (data.outcome, data.remedy) == ("refused", Reason.CODE_EMPTY.remedy)
    assert [step.message_id for step in data.steps if step.message_id] == ["m1", "m1"]


def test_a_reason_of_another_version_is_told_without_what_it_means(ledger):
    with ledger.open() as trail:
        trail.write(ledger.line(outcome="refused", reason="of-another-version"))
    [story] = stories(outcomes_backwards(ledger.files))
    assert "refused: of-another-version" in as_text(story)


def test_what_somebody_typed_looks_like_no_line_of_its_own_and_moves_no_terminal(ledger):
    typed = "eve\n2026-11-26 12:00:00  alice  accepted\x1b[2J\x9b2J"
    with ledger.open() as trail:
        trail.write(ledger.line(name=typed))
    [story] = stories(outcomes_backwards(ledger.files))
    for text in (*as_text(story).split("\n"), step_line(story.last)):
        assert text.isprintable(), repr(text)
        assert "alice" not in text or "eve" in text
