"""What a change in the directory takes from a user's second factor, as the tripwire counts it. Pure."""

from collections.abc import Callable

from auth.effective import effective_policy
from auth.otp.sealed import sealed_tokens
from auth.otp.token import SOFTWARE_KINDS
from dirsync.view import Person
from schema.entry import Policy
from schema.words import Method, TokenKind

_PARTS = {
    Method.NONE: frozenset[str](),
    Method.PASSWORD: frozenset({"password"}),
    Method.TOKEN: frozenset({"token"}),
    Method.PIN: frozenset({"PIN"}),
    Method.PASSWORD_THEN_TOKEN: frozenset({"password", "token"}),
    Method.TOKEN_THEN_PASSWORD: frozenset({"password", "token"}),
}


def loss_under(server_default: Policy | None) -> Callable[[Person, Person | None], str | None]:
    """The judge for a service with this [policy:default].

    What a policy of an access node would add is not looked at here: the tripwire asks about it by people who have
    nothing else. People whose account is disabled have nothing to lose.
    """

    def loss(before: Person, after: Person | None) -> str | None:
        if before.user.disabled:
            return None
        if after is None:
            return "is gone"
        if _tokens(before) and not _tokens(after):
            return f"loses {', '.join(sorted(_tokens(before)))} and has no token left"
        wanted, wants = _demands(before, server_default), _demands(after, server_default)
        if wanted is None or wants is None or not wanted - wants:
            return None
        return f"is no longer asked for {' and '.join(sorted(wanted - wants))}"

    return loss


def _tokens(person: Person) -> frozenset[TokenKind]:
    """The tokens assigned, without one that nothing could be asked of."""
    user = person.user
    seedless = {kind for kind in SOFTWARE_KINDS if kind in user.tokens and not sealed_tokens(user, kind)}
    return frozenset(user.tokens) - seedless - (set() if user.vip_credentials else {TokenKind.VIP})


def _demands(person: Person, server_default: Policy | None) -> frozenset[str] | None:
    """What the person must show; None when they are refused, than which nothing is stricter."""
    policy = effective_policy(person, "", None, server_default).policy
    if policy is None:
        return None
    shown = _shown(policy.first_method, person) | _shown(policy.second_method, person)
    return shown | {"PIN"} if policy.pin_with_token and "token" in shown else shown


def _shown(method: Method, person: Person) -> frozenset[str]:
    if method is Method.PASSWORD_UNTIL_TOKEN:
        return frozenset({"password", "token"} if _tokens(person) else {"password"})
    return _PARTS[method]
