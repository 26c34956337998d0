"""Whose business each reason code is: one table of both dialects, without a gap, in which only success opens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.demo.vip.wire import MESSAGES
from auth.vip.reasons import NOT_A_CODE, NOT_ENABLED, NOT_OURS, TABLE, Kind, look_up, refined

PUBLISHED = {
    Kind.SUCCESS: ["0000"],
    Kind.PERSON: ["49B5", "6009"],
    Kind.SERVICE: ["4879", "6005", "soap:Server"],
    Kind.RESYNCHRONISE: ["4923"],
    Kind.CONFIGURATION: [
        *("4952", "4953", "4990", "4993", "4994"),
        *("4E02", "4E03", "4E04", "4E1B"),
        *("6001", "6002", "6003", "6004", "6006", "6007", "6008", "600A", "600B", "601B", "6026"),
        *("6040", "7000", "7001", "7002", "7005"),
        *("soap:Client", "soap:VersionMismatch", "soap:MustUnderstand", "soap:Other"),
    ],
}
OURS = {
    Kind.PERSON: [NOT_A_CODE.code, NOT_OURS.code],
    Kind.CONFIGURATION: [NOT_ENABLED.code],
}
WHOSE = [(kind, code) for table in (PUBLISHED, OURS) for kind, codes in table.items() for code in codes]


@pytest.mark.parametrize(("kind", "code"), WHOSE)
def test_each_code_is_somebodys_business(kind, code):
    assert look_up(code).kind is kind


def test_the_table_has_every_published_code_and_no_other():
    assert set(TABLE) == {code for _, code in WHOSE}
    assert {code.upper() for code in MESSAGES} <= set(TABLE), "whatever the simulator says is known"


@pytest.mark.parametrize(("written", "code"), [("49b5", "49B5"), ("4e04", "4E04"), ("4E1b", "4E1B"), ("600b", "600B")])
def test_hexbinary_has_no_case(written, code):
    assert look_up(written) is look_up(code)


@pytest.mark.parametrize("code", [code for kind, code in WHOSE if kind is not Kind.SUCCESS])
def test_whatever_is_no_success_has_a_meaning_and_a_remedy(code):
    reason = look_up(code)
    assert reason.meaning
    assert reason.remedy


@given(st.text())
def test_only_0000_opens_and_only_what_a_person_did_blames_the_person(code):
    kind = look_up(code).kind
    assert (kind is Kind.SUCCESS) == (code == "0000")
    assert (kind is Kind.PERSON) <= (code.upper() in {"49B5", "6009"} or code.startswith("local:"))


@given(st.from_regex(r"[0-9A-Fa-f]{4}", fullmatch=True))
def test_a_code_that_nobody_published_neither_opens_nor_blames(code):
    if code.upper() not in TABLE:
        assert look_up(code).kind is Kind.CONFIGURATION
        assert code in look_up(code).meaning


@pytest.mark.parametrize(
    ("status", "detail", "kind"),
    [
        ("6009", None, Kind.PERSON),
        ("6009", "49B5", Kind.PERSON),
        ("6009", "4923", Kind.RESYNCHRONISE),
        ("6009", "4994", Kind.CONFIGURATION),
        ("6009", "4879", Kind.SERVICE),
        ("6009", "0000", Kind.PERSON),
        ("6005", "49B5", Kind.SERVICE),
        ("601B", "49B5", Kind.CONFIGURATION),
        ("0000", "49B5", Kind.SUCCESS),
    ],
)
def test_the_detail_says_why_a_code_did_not_open_and_nothing_else(status, detail, kind):
    assert look_up(refined(status, detail)).kind is kind


@given(st.from_regex(r"[0-9A-F]{4}", fullmatch=True), st.none() | st.from_regex(r"[0-9A-F]{4}", fullmatch=True))
def test_no_detail_turns_a_failure_into_success(status, detail):
    assert (look_up(refined(status, detail)).kind is Kind.SUCCESS) == (status == "0000")
