"""What VIP User Services answer: octets from outside become one closed value, or are refused. Pure."""

from xml.etree.ElementTree import Element

from auth.vip import soap
from auth.vip.credential import ours
from auth.vip.reasons import Kind, look_up, refined
from auth.vip.user_services.messages import (
    USER_SERVICES,
    AuthenticateCredentials,
    AuthenticateUser,
    CheckOtp,
    GetCredentialInfo,
    GetServerTime,
    GetUserInfo,
    Request,
    SendOtp,
)
from auth.vip.verdict import Response, TokenInformation, TokenStatus

_CREDENTIAL_STATES = {state.value: state for state in TokenStatus}
_USER_STATES = {
    "ACTIVE": TokenStatus.ENABLED,
    "DISABLED": TokenStatus.DISABLED,
    "LOCKED": TokenStatus.LOCKED,
}


def parse(body: bytes, expecting: Request, request_id: str) -> Response:
    """The answer in these octets, when it is the answer to this request.

    Elements are known by namespace and name, never by prefix. requestId must be ours.

    Args:
        body: the body of the HTTP response; the caller bounds its length.
        expecting: the request that was sent.
        request_id: the id that was sent with it.

    Raises:
        VipAnswerRefused: it is neither the operation's response nor a SOAP 1.1 Fault.
    """
    answer = soap.content(body)
    fault = soap.fault(answer)
    if fault is not None:
        return fault
    if answer.tag != _name(f"{type(expecting).__name__}Response"):
        raise soap.refused("it is the answer to another operation, or none")
    if soap.text(soap.one(answer, _name("requestId"))) != request_id:
        raise soap.refused("its requestId is not ours")
    status = soap.reason_code(soap.one(answer, _name("status")))
    detail = soap.at_most_one(answer, _name("detail"))
    reason_code = refined(status, None if detail is None else soap.reason_code(detail))
    words = (soap.optional_text(answer, _name(name)) for name in ("statusMessage", "detailMessage"))
    message = soap.line(": ".join(filter(None, words)))
    if look_up(reason_code).kind is not Kind.SUCCESS:
        return Response(reason_code, message)
    return _success(answer, expecting, reason_code, message)


def _success(answer: Element, expecting: Request, reason_code: str, message: str) -> Response:
    match expecting:
        case AuthenticateCredentials(texts):
            which = soap.optional_text(answer, _name("credentialId"))
            return Response(reason_code, message, _one_of(texts, which) if which else None)
        case AuthenticateUser() | CheckOtp():
            which = soap.line(soap.optional_text(answer, _name("credentialId")))
            return Response(reason_code, message, which or None)
        case SendOtp():
            return Response(reason_code, message)
        case GetUserInfo(user):
            return Response(reason_code, message, information=_of_user(answer, user))
        case GetCredentialInfo(text):
            return Response(reason_code, message, text, _of_credential(answer, text))
        case GetServerTime():
            written = soap.optional_text(answer, _name("timestamp"))
            return Response(reason_code, message, time=soap.instant(written) if written else None)


def _of_user(answer: Element, user: str) -> TokenInformation:
    # user ids are not case-sensitive at VIP
    if soap.text(soap.one(answer, _name("userId"))).casefold() != user.casefold():
        raise soap.refused("it names a user who was not asked about")
    state = soap.text(soap.one(answer, _name("userStatus")))
    bound = len(answer.findall(_name("credentialBindingDetail")))
    return TokenInformation(
        credential=f"user:{user}",
        status=_USER_STATES.get(state, TokenStatus.UNKNOWN),
        adapter=f"a VIP user with {bound} credential{'' if bound == 1 else 's'}",
        users=(user,) if state == "ACTIVE" else (),
    )


def _of_credential(answer: Element, text: str) -> TokenInformation:
    _one_of((text,), soap.text(soap.one(answer, _name("credentialId"))))
    state = soap.text(soap.one(answer, _name("credentialStatus")))
    return TokenInformation(
        credential=text,
        status=_CREDENTIAL_STATES.get(state, TokenStatus.UNKNOWN),
        adapter=soap.line(soap.optional_text(answer, _name("credentialType"))),
        users=tuple(filter(None, map(_bound_user, answer.findall(_name("userBindingDetail"))))),
    )


def _bound_user(binding: Element) -> str:
    """The user of a binding, when both are in force; else empty."""
    detail = soap.one(binding, _name("bindingDetail"))
    in_force = soap.text(soap.one(binding, _name("userStatus"))) == "ACTIVE"
    in_force = in_force and soap.text(soap.one(detail, _name("bindStatus"))) == "ENABLED"
    return soap.text(soap.one(binding, _name("userId"))) if in_force else ""


def _one_of(credentials: tuple[str, ...], named: str) -> str:
    found = ours(credentials, named)
    if found is None:
        raise soap.refused("it names a credential that was not asked about")
    return found


def _name(name: str) -> str:
    return f"{{{USER_SERVICES}}}{name}"
