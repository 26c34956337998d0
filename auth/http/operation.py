"""A route with what it takes and answers: the door serves from these, and the OpenAPI document is made of them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from auth.http.answer import Answer
from auth.http.call import Call


class Access(StrEnum):
    """Who may call; the words are those of the OpenAPI document."""

    EVERYBODY = "everybody"
    NODE = "an access node"
    ADMINISTRATOR = "an administrator"
    PROVIDER = "a provider of texts"
    METRICS = "this host, an access node or an administrator"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    Attributes:
        method: GET or POST.
        path: whole.
        name: for generated clients.
        summary: what it is for, in a line.
        access: who may call.
        handle: answers; raises Problem for what is no good.
        takes: type of the body; None for none.
        asks: type of the query; None for none.
        answers: type of each answer that is no problem, by status.
        media_type: of those answers.
        problems: statuses of the problems that it may answer with, besides those that every route has.
    """

    method: str
    path: str
    name: str
    summary: str
    access: Access
    handle: Callable[[Call], Awaitable[Answer]]
    takes: Any = None
    asks: Any = None
    answers: Mapping[HTTPStatus, Any] = field(default_factory=dict)
    media_type: str = "application/json"
    problems: tuple[HTTPStatus, ...] = ()
