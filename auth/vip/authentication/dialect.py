"""Our questions in the operations of the VIP Authentication Service. Pure: whoever is handed in as `ask` asks them."""

from dataclasses import dataclass
from functools import partial

from auth.vip.authentication.answers import parse
from auth.vip.authentication.messages import (
    ActivateToken,
    CheckOTP,
    GetServerTime,
    GetTokenInformation,
    Request,
    SendOTP,
    Synchronize,
    Validate,
    ValidateMultiple,
    build,
)
from auth.vip.credential import CredentialKind, credential
from auth.vip.dialect import Ask, Question
from auth.vip.reasons import NOT_ENABLED, Kind
from auth.vip.verdict import Response, TokenStatus
from schema.errors import Fault
from schema.secret import Secret


def question(request: Request) -> Question:
    """The request, ready to be asked."""

    def read(body: bytes, request_id: str) -> Response:
        return parse(body, request, request_id)

    return Question(request.path, request.repeatable, partial(build, request), read)


@dataclass(frozen=True, slots=True)
class Authentication:
    """See `auth.vip.dialect.Dialect`."""

    service_url: str = "https://services-auth.vip.symantec.com"

    async def validate(self, ask: Ask, credentials: tuple[str, ...], code: Secret) -> Response:
        """`Validate` for one, `ValidateMultiple` for several; a temporary security code counts as the code."""
        if len(credentials) == 1:
            return await ask(question(Validate(credentials[0], code)))
        return await ask(question(ValidateMultiple(credentials, code)))

    async def resynchronise(self, ask: Ask, credentials: tuple[str, ...], code1: Secret, code2: Secret) -> Response:
        """`Synchronize` for each that `GetTokenInformation` calls enabled, until one knows the codes.

        VIP does not say which of several has drifted. It is not documented that a disabled or locked one is refused.
        """
        answer = Response(NOT_ENABLED.code)
        for text in credentials:
            told = await self.describe(ask, text)
            if told.kind is not Kind.SUCCESS:
                if answer.reason_code == NOT_ENABLED.code or told.kind is Kind.SERVICE:
                    answer = told  # but what an enabled one said of the codes is not undone by another's state
                continue
            if told.information is None or told.information.status is not TokenStatus.ENABLED:
                continue
            answer = await ask(question(Synchronize(text, code1, code2)))
            if answer.kind in (Kind.SUCCESS, Kind.SERVICE):
                break
        return answer

    async def send(self, ask: Ask, credentials: tuple[str, ...]) -> Response:
        """`SendOTP` to the first telephone."""
        for text in credentials:
            if credential(text).kind in (CredentialKind.SMS, CredentialKind.VOICE):
                return await ask(question(SendOTP(text)))
        raise Fault(
            "VIP can send no code to these credentials",
            remedy="assign sms:NUMBER or voice:NUMBER, registered at VIP, in dirfactorVipCredential",
        )

    async def describe(self, ask: Ask, credential: str) -> Response:
        """`GetTokenInformation`."""
        return await ask(question(GetTokenInformation(credential)))

    async def possessed(self, ask: Ask, credential: str, code1: Secret, code2: Secret | None) -> Response:
        """`CheckOTP`."""
        return await ask(question(CheckOTP(credential, code1, code2)))

    async def activate(self, ask: Ask, credential: str, code1: Secret | None, code2: Secret | None) -> Response:
        """`ActivateToken`."""
        return await ask(question(ActivateToken(credential, code1, code2)))

    async def server_time(self, ask: Ask) -> Response:
        """`GetServerTime`."""
        return await ask(question(GetServerTime()))
