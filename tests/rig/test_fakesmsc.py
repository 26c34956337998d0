"""The reader of the fake SMS centre's log, with lines as the centre printed them."""

import pytest

from rig.fakesmsc import Text, received_texts

NOISE = "2026-11-24 02:15:55 [14601] [0] DEBUG: Connecting to <127.0.0.1>\n"


def log(*reports: str) -> str:
    lines = [
        f"2026-11-24 02:15:55 [14601] [0] DEBUG: Got message {number}: <{report}>\n"
        for number, report in enumerate(reports, start=1)
    ]
    return NOISE + "".join(lines)


@pytest.mark.parametrize(
    ("report", "content"),
    [
        ("dirfactor +436640000001 text Code: 481516 für <dich>", "Code: 481516 für <dich>"),
        ("dirfactor +436640000001 ucs-2 %004%00+%04%16", "4 Ж"),
        ("dirfactor +436640000001 data 4+%C3%BC+%2B", "4 ü +"),
    ],
)
def test_each_encoding_is_read(report, content):
    assert received_texts(log(report)) == [Text("dirfactor", "+436640000001", content)]


def test_a_line_break_does_not_make_two_texts():
    texts = received_texts(log("a +1 text first", "", "@example.com #123456", "a +1 text second"))
    assert [text.content for text in texts] == ["first\n\n@example.com #123456", "second"]


def test_parts_count_when_all_are_there_and_in_the_order_of_their_numbers():
    second, first = "a +1 udh %05%00%03%04%02%02 data 2%C3%BC", "a +1 udh %05%00%03%04%02%01 data 1+"
    assert received_texts(log(second)) == []
    assert received_texts(log(second, first)) == [Text("a", "+1", "1 2ü")]


def test_parts_of_different_texts_are_kept_apart():
    texts = received_texts(
        log(
            "a +1 udh %05%00%03%04%02%01 data 1",
            "a +2 udh %05%00%03%05%02%01 data %003",
            "a +1 udh %05%00%03%04%02%02 data 2",
            "a +2 udh %05%00%03%05%02%02 data %004",
        )
    )
    assert texts == [Text("a", "+1", "12"), Text("a", "+2", "34")]


@pytest.mark.parametrize("report", ["nonsense", "a +1 udh %06%05%04 data x"])
def test_what_it_does_not_know_is_an_error_and_not_dropped(report):
    with pytest.raises(ValueError, match="not"):
        received_texts(log(report))
