"""Whose business each reason code is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.vip.reasons import NOT_A_CODE, Kind, look_up

TABLE = {
    Kind.SUCCESS: ["0000"],
    Kind.PERSON: ["49B5", "6009", NOT_A_CODE.code],
    Kind.SERVICE: ["4879", "6005", "soap:Server"],
    Kind.RESYNCHRONISE: ["4923"],
    Kind.CONFIGURATION: [
        *("4952", "4953", "4990", "4993", "4994"),
        *("4E02", "4E03", "4E04", "4E1B"),
        *("6003", "6004", "6007", "6008"),
        *("soap:Client", "soap:VersionMismatch"),
    ],
}


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in TABLE.items() for code in codes])
def test_each_published_code_is_somebodys_business(kind, code):
    assert look_up(code).kind is kind


@pytest.mark.parametrize(("written", "code"), [("49b5", "49B5"), ("4e04", "4E04"), ("4E1b", "4E1B")])
def test_hexbinary_has_no_case(written, code):
    assert look_up(written) is look_up(code)


@pytest.mark.parametrize("code", [code for kind, codes in TABLE.items() if kind is not Kind.SUCCESS for code in codes])
def test_whatever_is_no_success_has_a_meaning_and_a_remedy(code):
    reason = look_up(code)
    assert reason.meaning
    assert reason.remedy


@given(st.text())
def test_only_0000_opens_and_only_three_codes_blame_the_person(code):
    kind = look_up(code).kind
    assert (kind is Kind.SUCCESS) == (code == "0000")
    assert (kind is Kind.PERSON) <= (code.upper() in {"49B5", "6009"} or code == "local")


@given(st.from_regex(r"[0-9A-Fa-f]{4}", fullmatch=True))
def test_a_code_that_nobody_published_neither_opens_nor_blames(code):
    if code.upper() not in {code for codes in TABLE.values() for code in codes}:
        assert look_up(code).kind is Kind.CONFIGURATION
        assert code in look_up(code).meaning
