"""Whatever an operation fails with, its caller is answered, and neither caller nor log hears what it held."""

import json
import logging

import pytest

from auth.http.answer import Answer
from auth.http.call import Call
from auth.http.door import HttpDoor
from auth.http.operation import Access, Operation
from auth.http.problem import MEDIA_TYPE
from schema.errors import Fault

SECRET = "what-somebody-has-typed"


def failing(error):
    """A door whose operation fails with this, and what it has counted."""

    async def handle(_call) -> Answer:
        raise error

    counted = []
    operation = Operation("POST", "/v1/authenticate", "", "", Access.NODE, handle)
    return HttpDoor([operation], lambda *answer: counted.append(answer)), counted


async def answered(door):
    return await door.answer(Call("POST", "/v1/authenticate", "", {}, SECRET.encode(), "127.0.0.1"))


@pytest.mark.parametrize(
    "error", [ValueError(SECRET), KeyError(SECRET), RecursionError(SECRET), AssertionError(SECRET)]
)
async def test_an_error_of_ours_is_a_problem_document_that_tells_nothing_of_it_and_a_line_of_the_log(error, caplog):
    """RFC 9457 section 5: a problem document is for whoever uses the interface, and shows nothing of the inside."""
    door, counted = failing(error)
    with caplog.at_level(logging.DEBUG):
        answer = await answered(door)
    assert (answer.status, answer.media_type) == (500, MEDIA_TYPE)
    document = {"title": "Internal Server Error", "status": 500, "detail": "a fault of ours, see the log"}
    assert json.loads(answer.body) == document
    [record] = caplog.records
    assert (record.levelno, record.exc_info) == (logging.ERROR, None)
    line = f"POST /v1/authenticate: a fault of ours: {type(error).__name__} in test_door.py line "
    assert record.getMessage().startswith(line)
    assert SECRET not in caplog.text
    assert counted == [("/v1/authenticate", 500)]


async def test_the_log_has_the_words_and_the_remedy_of_a_fault_and_the_caller_has_not(caplog):
    door, _ = failing(Fault("the state file is full", remedy="make room on the disk"))
    answer = await answered(door)
    assert answer.status == 500
    assert b"state file" not in answer.body
    assert "the state file is full (make room on the disk)" in caplog.text
