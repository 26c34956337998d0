# ruff: noqa: INP001 - bench is a folder of programs, no package
"""How a logon is asked for and answered over HTTP: with our service, and with privacyIDEA."""

from typing import Protocol
from urllib.parse import urlencode

import msgspec
import token_holders
from company import login_name


class Said(msgspec.Struct, frozen=True):
    """What a server said to a step: whether that was the accept, and the challenge's handle if there is one."""

    accepted: bool
    handle: str = ""


class Dialect(Protocol):
    """A server's words."""

    def by_code(self, number: int, code: str) -> bytes:
        """The request of a person with a token."""

    def by_text(self, number: int) -> bytes:
        """The first request of a person that gets texts."""

    def answer(self, number: int, handle: str, code: str) -> bytes:
        """Their second one, with the code of the text."""

    def said(self, body: bytes) -> Said:
        """What the answer says."""


class Ours:
    """/v1/authenticate."""

    def by_code(self, number: int, code: str) -> bytes:
        """PIN and code in one field."""
        return _authenticate(user=login_name(number), passcode=token_holders.pin(number) + code)

    def by_text(self, number: int) -> bytes:
        """The password."""
        return _authenticate(user=token_holders.texted_name(number), password=token_holders.password(number))

    def answer(self, number: int, handle: str, code: str) -> bytes:
        """The code with the challenge's state."""
        return _authenticate(user=token_holders.texted_name(number), state=handle, passcode=code)

    def said(self, body: bytes) -> Said:
        """As docs/http.md has it."""
        said = msgspec.json.decode(body, type=_Outcome)
        return Said(said.outcome == "accepted", said.state)


class PrivacyIdea:
    """/validate/check, whose tokens have no PIN here: hashing one costs it a multiple of all the rest."""

    def by_code(self, number: int, code: str) -> bytes:
        """The code alone."""
        return _check(user=login_name(number), **{"pass": code})

    def by_text(self, number: int) -> bytes:
        """What has it send a text: the right PIN, which is empty."""
        return _check(user=token_holders.texted_name(number), **{"pass": ""})

    def answer(self, number: int, handle: str, code: str) -> bytes:
        """The code with the challenge's transaction id."""
        return _check(user=token_holders.texted_name(number), transaction_id=handle, **{"pass": code})

    def said(self, body: bytes) -> Said:
        """`result.value` is the outcome, `detail.transaction_id` the handle."""
        said = msgspec.json.decode(body, type=_Checked)
        return Said(said.result.value is True, said.detail.transaction_id)


DIALECTS: dict[str, Dialect] = {"dirfactor": Ours(), "privacyidea": PrivacyIdea()}


class _Outcome(msgspec.Struct, frozen=True):
    outcome: str
    state: str = ""


class _Result(msgspec.Struct, frozen=True):
    value: object = False


class _Detail(msgspec.Struct, frozen=True):
    transaction_id: str = ""


class _Checked(msgspec.Struct, frozen=True):
    result: _Result = _Result()
    detail: _Detail = _Detail()


def _authenticate(**fields: str) -> bytes:
    head = f"Authorization: Bearer {token_holders.API_KEY}\r\nContent-Type: application/json\r\n"
    return _post("/v1/authenticate", head, msgspec.json.encode(fields))


def _check(**fields: str) -> bytes:
    return _post("/validate/check", "Content-Type: application/x-www-form-urlencoded\r\n", urlencode(fields).encode())


def _post(path: str, head: str, body: bytes) -> bytes:
    start = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}Content-Length: {len(body)}\r\n\r\n"
    return start.encode() + body
