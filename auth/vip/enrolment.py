"""Taking a credential into use for a person: what VIP says of it first, and what its codes prove."""

from dataclasses import dataclass
from types import MappingProxyType

from auth.vip.client import VipClient
from auth.vip.credential import shown
from auth.vip.reasons import Kind, look_up
from auth.vip.verdict import Response, TokenInformation, TokenStatus, Verdict
from schema.errors import Fault
from schema.secret import Secret


class CredentialRefused(Fault):
    """VIP does not know the credential in our account, or the code is not its code: it is not to be assigned."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the administrator has of the credential.

    Attributes:
        code: a code that it shows; None for none.
        code2: the next one; None for none.
        activate: take it into use without a code.
    """

    code: Secret | None = None
    code2: Secret | None = None
    activate: bool = False


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What became of a credential.

    Attributes:
        credential: as it was asked about.
        status: its state at VIP, afterwards.
        told: what is to be said about it, a sentence.
        works: whether its codes open.
    """

    credential: str
    status: TokenStatus
    told: str
    works: bool

    @classmethod
    def refused(cls, credential: str, told: str) -> "Enrolled":
        """One that VIP does not have in this account."""
        return cls(credential, TokenStatus.UNKNOWN, told, works=False)


STATES = MappingProxyType(
    {
        TokenStatus.ENABLED: ("is enabled", ""),
        TokenStatus.NEW: ("was never activated in this VIP account", "repeat it with --code and a code that it shows"),
        TokenStatus.INACTIVE: ("was deactivated", "repeat it with --code and a code that it shows"),
        TokenStatus.DISABLED: (
            "is disabled, so that only a temporary security code opens",
            "enable it in VIP Manager",
        ),
        TokenStatus.LOCKED: ("is locked after too many wrong codes", "unlock it in VIP Manager"),
        TokenStatus.UNKNOWN: ("is in a state that VIP does not name", "look at it in VIP Manager"),
    }
)
"""State -> what it means for a credential, and what helps."""

_NOT_IN_USE = frozenset({TokenStatus.NEW, TokenStatus.INACTIVE})


async def enrol(client: VipClient, credential: str, proof: Proof, *, dry_run: bool = False) -> Enrolled:
    """Ask VIP about the credential, take it into use when it is not and there is proof, and check the proof.

    Args:
        client: asks VIP.
        credential: as `auth.vip.credential.Credential.text`.
        proof: what there is.
        dry_run: ask only; use up no code and change nothing.

    Raises:
        CredentialRefused: it must not be assigned.
        VipUnavailable: VIP could not be asked.
        Fault: it cannot be asked about.
    """
    response = await client.information(credential)
    if response.kind is not Kind.SUCCESS or response.information is None:
        raise _refused(credential, response)
    status = response.information.status
    if status in _NOT_IN_USE and (proof.code or proof.activate) and not dry_run:
        verdict = await client.activate(credential, proof.code, proof.code2)
        _demand_success(credential, verdict)
        return Enrolled(credential, TokenStatus.ENABLED, f"{shown(credential)} was activated at VIP", works=True)
    if status is TokenStatus.ENABLED and proof.code and not dry_run:
        _demand_success(credential, await client.possessed(credential, proof.code, proof.code2))
        return Enrolled(credential, status, f"{shown(credential)} is enabled, and the code is its code", works=True)
    return described(response.information)


def described(information: TokenInformation) -> Enrolled:
    """What the state of a credential means, without any proof."""
    meaning, remedy = STATES[information.status]
    told = f"{shown(information.credential)} {meaning}" + (f": {remedy}" if remedy else "")
    works = information.status is TokenStatus.ENABLED
    return Enrolled(information.credential, information.status, told, works)


def _demand_success(credential: str, verdict: Verdict) -> None:
    if verdict.kind is not Kind.SUCCESS:
        reason = look_up(verdict.reason_code)
        raise CredentialRefused(
            f"{shown(credential)} cannot be used: {reason.meaning} ({reason.code})", remedy=reason.remedy
        )


def _refused(credential: str, response: Response) -> CredentialRefused:
    reason = look_up(response.reason_code)
    return CredentialRefused(
        f"{shown(credential)} cannot be used: {reason.meaning} ({reason.code} {response.message})",
        remedy=reason.remedy,
    )
