"""What is sent for a step, and what an answer means. Pure."""

from collections.abc import Mapping

import msgspec

from auth.client.outcome import Accepted, Challenged, Outcome, Refused, RequestRefused, ServiceUnavailable
from auth.http.messages import AcceptedAnswer, AuthenticateAnswer, AuthenticateBody, ChallengedAnswer

PATH = "/v1/authenticate"
_LARGEST_ANSWER = 256 * 1024
_answers = msgspec.json.Decoder(AuthenticateAnswer)


class _Problem(msgspec.Struct):
    """RFC 9457, as far as it is looked at."""

    detail: str = ""


_problems = msgspec.json.Decoder(_Problem)


def first_step(user: str, password: str | None, passcode: str | None) -> bytes:
    """The body of a first step."""
    return msgspec.json.encode(AuthenticateBody(user, password, passcode))


def later_step(challenge: Challenged, typed: str) -> bytes:
    """The body of the answer to a challenge."""
    return msgspec.json.encode(AuthenticateBody(challenge.user, passcode=typed, state=challenge.state))


def headers(api_key: str | None) -> Mapping[str, str]:
    """What goes with each request."""
    key = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    return {"Content-Type": "application/json", "Accept-Encoding": "identity", **key}


def outcome(status: int, body: bytes, user: str) -> Outcome:
    """What an answer says.

    Args:
        status: HTTP status.
        body: whole.
        user: whom the step was about.

    Raises:
        RequestRefused: the service does not take such a request.
        ServiceUnavailable: it could not serve it, or the answer cannot be used.
    """
    if status >= 500 or len(body) > _LARGEST_ANSWER:  # noqa: PLR2004 - RFC 9110 section 15.6
        raise ServiceUnavailable(f"the service answers with status {status}")
    if status != 200:  # noqa: PLR2004 - the one status of an outcome
        raise RequestRefused(status, _detail(body))
    try:
        said = _answers.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ServiceUnavailable("the answer is none of ours: is this the address of dirfactor?") from None
    if isinstance(said, AcceptedAnswer):
        attributes: dict[str, tuple[str, ...]] = {}
        for item in said.reply_attributes:
            attributes[item.name] = (*attributes.get(item.name, ()), item.value)
        return Accepted(said.correlation, attributes)
    if isinstance(said, ChallengedAnswer):
        return Challenged(said.correlation, said.message, said.method, said.expires_in, user, said.state)
    return Refused(said.correlation, said.message)


def _detail(body: bytes) -> str:
    try:
        return _problems.decode(body).detail
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "no reason given"
