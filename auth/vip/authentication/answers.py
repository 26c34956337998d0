"""What the VIP Authentication Service answers: octets from outside become one closed value, or are refused. Pure."""

from datetime import datetime
from xml.etree.ElementTree import Element

from auth.vip import soap
from auth.vip.authentication.messages import (
    VIP,
    ActivateToken,
    CheckOTP,
    GetServerTime,
    GetTokenInformation,
    Request,
    SendOTP,
    Synchronize,
    Validate,
    ValidateMultiple,
)
from auth.vip.credential import ours
from auth.vip.reasons import Kind, look_up
from auth.vip.verdict import Response, TokenInformation, TokenStatus


def parse(body: bytes, expecting: Request, request_id: str) -> Response:
    """The answer in these octets, when it is the answer to this request.

    Elements are known by namespace and name, never by prefix. RequestId must be ours. Only an ErrorResponse
    may lack it: the service may not have been able to read it, and an ErrorResponse never says yes.

    Args:
        body: the body of the HTTP response; the caller bounds its length.
        expecting: the request that was sent.
        request_id: the id that was sent with it.

    Raises:
        VipAnswerRefused: it is neither the operation's response nor an ErrorResponse nor a SOAP 1.1 Fault.
    """
    answer = soap.content(body)
    fault = soap.fault(answer)
    if fault is not None:
        return fault
    error = answer.tag == f"{{{VIP}}}ErrorResponse"
    if not error and answer.tag != f"{{{VIP}}}{type(expecting).__name__}Response":
        raise soap.refused("it is the answer to another operation, or none")
    echoed = answer.get("RequestId")
    if echoed != request_id and not (error and echoed is None):
        raise soap.refused("its RequestId is not ours")
    status = soap.one(answer, f"{{{VIP}}}Status")
    reason_code = soap.reason_code(soap.one(status, f"{{{VIP}}}ReasonCode"))
    words = (soap.optional_text(status, f"{{{VIP}}}{name}") for name in ("StatusMessage", "ErrorDetail"))
    message = soap.line(": ".join(filter(None, words)))
    if look_up(reason_code).kind is not Kind.SUCCESS:
        return Response(reason_code, message)
    if error:
        raise soap.refused("an ErrorResponse cannot mean success")
    return _success(answer, expecting, reason_code, message)


def _success(answer: Element, expecting: Request, reason_code: str, message: str) -> Response:
    match expecting:
        case Validate(text) | ActivateToken(text) | CheckOTP(text) | Synchronize(text) | SendOTP(text):
            return Response(reason_code, message, text)
        case ValidateMultiple(texts):
            which = soap.optional_text(answer, f"{{{VIP}}}SuccessfulTokenId")
            return Response(reason_code, message, _one_of(texts, which) if which else None)
        case GetTokenInformation(text):
            information = _information(soap.one(answer, f"{{{VIP}}}TokenInformation"), text)
            return Response(reason_code, message, text, information)
        case GetServerTime():
            return Response(reason_code, message, time=_time(answer))


def _time(answer: Element) -> datetime | None:
    written = soap.optional_text(answer, f"{{{VIP}}}Timestamp")
    return soap.instant(written) if written else None


def _information(element: Element, credential: str) -> TokenInformation:
    def text(name: str) -> str:
        return soap.text(soap.one(element, f"{{{VIP}}}{name}"))

    try:
        status = TokenStatus(text("TokenStatus"))
    except ValueError:
        raise soap.refused("its TokenInformation has an unknown state") from None
    return TokenInformation(
        credential=_one_of((credential,), text("TokenId")),
        status=status,
        adapter=soap.line(text("Adapter")),
        expires=soap.instant(text("ExpirationDate")),
    )


def _one_of(credentials: tuple[str, ...], named: str) -> str:
    found = ours(credentials, named)
    if found is None:
        raise soap.refused("it names a credential that was not asked about")
    return found
