"""Every reason code is given by the program, met by a test, and stands in docs/reasons.md with all that helps."""

import ast
from collections.abc import Iterator
from pathlib import Path

from auth.reason import Reason
from auth.request import Refused

ROOT = Path(__file__).resolve().parents[1]
BY_NAME = {item.name: item for item in Reason}
BY_CODE = {item.value: item for item in Reason}
SEEN = {
    Reason.ACCEPTED: "is let in",
    Reason.CODE_SENT: "the prompt, with the masked address",
    Reason.CODE_WANTED: "the prompt",
    Reason.PASSWORD_WANTED: "the question for the password",
    Reason.CODE_WRONG_RETRY: "`That code was not right.` and the prompt",
    Reason.MESSAGE_DELIVERED: "nothing: it comes afterwards",
    Reason.MESSAGE_UNDELIVERED: "nothing: it comes afterwards",
    Reason.TEMPORARY_WANTED: "the question for the temporary response",
    Reason.PASSWORD_WRONG_RETRY: "`That password was not right.` and the question",
    Reason.PIN_WANTED: "the question for the PIN",
    Reason.PIN_WRONG_RETRY: "`That PIN was not right.` and the question",
    Reason.CODE_RESYNCHRONISE: "the question for the token's next code",
    Reason.PIN_EXPIRED: "the question for a new PIN, where one may be asked",
    Reason.PIN_UNFIT: "`That PIN will not do.` and the question, where one may be asked",
    Reason.FORWARD_ACCEPTED: "is let in",
    Reason.FORWARD_WANTED: "the other server's question",
    Reason.PASSWORD_PROTOCOL: "`PAP required`, which their client may show",
}
"""What the person sees where it is not the one wording of all refusals."""


def reason_table() -> str:
    said = f"`{Refused(Reason.INTERNAL_FAULT).message}`"
    rows = [f"| `{item.value}` | {item.meaning} | {item.remedy} | {SEEN.get(item, said)} |" for item in Reason]
    return "\n".join(["| code | what it means | what helps | what the person sees |", "|---|---|---|---|", *rows])


def named(source: str, *, by_code: bool) -> Iterator[Reason]:
    """The reasons that a module names: as `Reason.NAME`, and where it counts by their codes."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="Reason"), attr=name) if name in BY_NAME:
                yield BY_NAME[name]
            case ast.Constant(value=str(text)) if by_code and text.removeprefix("refused: ") in BY_CODE:
                yield BY_CODE[text.removeprefix("refused: ")]


def named_in(folder: str, *, by_code: bool, but: tuple[str, ...]) -> set[Reason]:
    files = (path for path in sorted((ROOT / folder).rglob("*.py")) if str(path.relative_to(ROOT)) not in but)
    return {reason for path in files for reason in named(path.read_text(), by_code=by_code)}


def test_every_reason_is_documented_with_its_remedy_and_what_the_person_sees():
    text = (ROOT / "docs" / "reasons.md").read_text()
    assert reason_table() in text, f"put this table into docs/reasons.md:\n{reason_table()}"


def test_every_reason_has_a_remedy_unless_it_is_good_news():
    asked = {item for item in Reason if item.value.endswith(("-wanted", "-retry", "-sent"))}
    good = {Reason.ACCEPTED, Reason.FORWARD_ACCEPTED, Reason.MESSAGE_DELIVERED, Reason.CODE_RESYNCHRONISE, *asked}
    assert {item for item in Reason if not item.remedy} <= good


def test_every_reason_is_given_somewhere():
    assert set(Reason) - named_in("auth", by_code=False, but=("auth/reason.py",)) == set()


def test_every_reason_is_met_by_a_test():
    assert set(Reason) - named_in("tests", by_code=True, but=("tests/test_reasons.py",)) == set()


def test_a_reason_in_a_comment_or_in_longer_words_does_not_count_as_named():
    text = "x = 'it is no-token then'  # Reason.NO_TOKEN\ny = 'refused: send-limit'\nz = Reason.CODE_EMPTY"
    assert set(named(text, by_code=True)) == {Reason.SEND_LIMIT, Reason.CODE_EMPTY}
    assert set(named(text, by_code=False)) == {Reason.CODE_EMPTY}
