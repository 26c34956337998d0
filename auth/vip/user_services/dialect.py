"""Our questions in the operations of VIP User Services. Pure: whoever is handed in as `ask` asks them."""

from dataclasses import dataclass
from functools import partial

from auth.vip.credential import CredentialKind, credential, ours
from auth.vip.dialect import Ask, Question
from auth.vip.reasons import NOT_ENABLED, NOT_OURS, Kind
from auth.vip.user_services.answers import parse
from auth.vip.user_services.messages import (
    AuthenticateCredentials,
    AuthenticateUser,
    CheckOtp,
    GetCredentialInfo,
    GetServerTime,
    GetUserInfo,
    Request,
    SendOtp,
    build,
)
from auth.vip.verdict import Response, TokenStatus
from schema.errors import Fault
from schema.secret import Secret

_ONE_USER = "assign either one VIP user or the ids of credentials in dirfactorVipCredential"


def question(request: Request) -> Question:
    """The request, ready to be asked."""

    def read(body: bytes, request_id: str) -> Response:
        return parse(body, request, request_id)

    return Question(request.path, request.repeatable, partial(build, request), read)


@dataclass(frozen=True, slots=True)
class UserServices:
    """See `auth.vip.dialect.Dialect`."""

    service_url: str = "https://userservices-auth.vip.symantec.com"

    async def validate(self, ask: Ask, credentials: tuple[str, ...], code: Secret) -> Response:
        """`AuthenticateUser` for a VIP user, `AuthenticateCredentials` for ids.

        Temporary security codes belong to users here, so that only the former takes them.
        """
        user = _user(credentials)
        if user is not None:
            return await ask(question(AuthenticateUser(user, code)))
        return await ask(question(AuthenticateCredentials(credentials, code)))

    async def resynchronise(self, ask: Ask, credentials: tuple[str, ...], code1: Secret, code2: Secret) -> Response:
        """`CheckOtp` with both, for the user whom the credentials are bound to.

        It is answered for locked credentials as well. So user and binding must be in force before, and the credential
        that knew the codes must be one of ours, and enabled.
        """
        answer = Response(NOT_ENABLED.code)
        asked: set[str] = set()
        for text in credentials:
            user, told = await self._holder(ask, text)
            if user is None:
                if answer.reason_code == NOT_ENABLED.code or told.kind is Kind.SERVICE:
                    answer = told
            elif user not in asked:
                asked.add(user)
                answer = await ask(question(CheckOtp(user, code1, code2)))
                if answer.kind is Kind.SUCCESS:
                    return await self._in_force(ask, credentials, user, answer)
                if answer.kind is Kind.SERVICE:
                    break
        return answer

    async def _in_force(self, ask: Ask, credentials: tuple[str, ...], user: str, answer: Response) -> Response:
        """The answer to the two codes, when the credential that knew them is ours, enabled and bound to the user."""
        which = answer.credential
        if _user(credentials) is None:
            which = ours(credentials, which) if which is not None else None
        if which is None:
            return Response(NOT_OURS.code)
        told = await ask(question(GetCredentialInfo(which)))
        found = told.information
        if (
            found is not None
            and found.status is TokenStatus.ENABLED
            and user.casefold() in map(str.casefold, found.users)
        ):
            return Response(answer.reason_code, answer.message, which)
        return told if told.kind is not Kind.SUCCESS else Response(NOT_ENABLED.code)

    async def send(self, ask: Ask, credentials: tuple[str, ...]) -> Response:
        """`SendOtp` to the first telephone, or to the VIP user's own."""
        user = _user(credentials)
        if user is not None:
            return await ask(question(SendOtp(user)))
        for text in credentials:
            if credential(text).kind in (CredentialKind.SMS, CredentialKind.VOICE):
                holder, answer = await self._holder(ask, text)
                return answer if holder is None else await ask(question(SendOtp(holder, text)))
        raise Fault(
            "VIP can send no code to these credentials",
            remedy="assign sms:NUMBER, voice:NUMBER or user:NAME, registered at VIP, in dirfactorVipCredential",
        )

    async def describe(self, ask: Ask, credential: str) -> Response:
        """`GetUserInfo` for a VIP user, `GetCredentialInfo` for an id."""
        user = _user((credential,))
        return await ask(question(GetCredentialInfo(credential) if user is None else GetUserInfo(user)))

    async def possessed(self, ask: Ask, credential: str, code1: Secret, code2: Secret | None) -> Response:
        """`AuthenticateUser` or `AuthenticateCredentials`, as at a logon."""
        user = _user((credential,))
        if user is not None:
            return await ask(question(AuthenticateUser(user, code1)))
        return await ask(question(AuthenticateCredentials((credential,), code1, code2)))

    async def activate(self, ask: Ask, credential: str, code1: Secret | None, code2: Secret | None) -> Response:
        """`AuthenticateCredentials` with `activate`."""
        if code1 is None:
            raise Fault("VIP User Services activate a credential with its code only", remedy="give --code")
        return await ask(question(AuthenticateCredentials((credential,), code1, code2, activate=True)))

    async def server_time(self, ask: Ask) -> Response:
        """`GetServerTime`."""
        return await ask(question(GetServerTime()))

    async def _holder(self, ask: Ask, text: str) -> tuple[str | None, Response]:
        """The active VIP user behind a credential that is enabled; None, and why, when there is none."""
        answer = await self.describe(ask, text)
        told = answer.information
        if told is not None and told.status is TokenStatus.ENABLED and told.users:
            return told.users[0], answer
        return None, answer if answer.kind is not Kind.SUCCESS else Response(NOT_ENABLED.code)


def _user(credentials: tuple[str, ...]) -> str | None:
    """The VIP user who stands in place of credentials."""
    meant = [each for each in map(credential, credentials) if each.kind is CredentialKind.USER]
    if not meant:
        return None
    if len(credentials) > 1:
        raise Fault("a VIP user stands beside other credentials", remedy=_ONE_USER)
    return meant[0].id
