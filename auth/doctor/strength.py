"""The checks of what secrets and factors are worth: RADIUS shared secrets, and codes by SMS and e-mail."""

from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from functools import partial

from auth.doctor.catalogue import Check
from auth.doctor.report import Finding, Status
from auth.doctor.runner import Examination
from auth.settings import Settings
from dirsync.errors import ReplicaUnavailable
from dirsync.examination.session import NotExaminedError
from dirsync.replica import Replica
from schema.secret import Secret

_FEWEST = 16  # RFC 2865 section 3
_FEWEST_DIFFERENT = 6
# What manuals of NASes and RADIUS servers print.
_WELL_KNOWN = frozenset(
    {
        "testing123",
        "secret",
        "radius",
        "radiussecret",
        "sharedsecret",
        "shared-secret",
        "password",
        "cisco",
        "cisco123",
        "mysecret",
        "mikrotik",
        "changeme",
        "swordfish",
    }
)
_DRAW = "draw a new one for each access node: openssl rand -hex 24"


def strength_examinations(settings: Settings) -> Iterator[Examination]:
    """The examinations of shared secrets and of the factors that are offered."""
    yield Examination(Check.SHARED_SECRETS, "", partial(_shared_secrets, settings))
    yield Examination(Check.FACTORS, "", partial(_factors, settings))


def shared_secrets(holders: Mapping[str, Secret]) -> Iterator[Finding]:
    """What is weak about the secrets of access nodes; nothing of a secret is said but its length.

    Args:
        holders: name of an access node -> its shared secret.
    """
    for name, secret in holders.items():
        if secret.text.lower() in _WELL_KNOWN:
            yield Finding(Status.FAILED, f"{name}: its shared secret stands in manuals", _DRAW)
        elif len(secret.text) < _FEWEST:
            detail = f"{name}: its shared secret has {len(secret.text)} characters, fewer than {_FEWEST}"
            yield Finding(Status.WARNING, detail, _DRAW)
        elif len(set(secret.text)) < _FEWEST_DIFFERENT:
            yield Finding(Status.WARNING, f"{name}: its shared secret repeats a few characters", _DRAW)
    owners: dict[str, list[str]] = {}
    for name, secret in holders.items():
        owners.setdefault(secret.text, []).append(name)
    for names in owners.values():
        if len(names) > 1:
            yield Finding(Status.WARNING, f"{' and '.join(names)} have the same shared secret", _DRAW)


def _shared_secrets(settings: Settings) -> Iterator[Finding]:
    holders = {name: node.secret for name, node in settings.nodes.items() if node.secret}
    with suppress(ReplicaUnavailable), closing(Replica(settings.service.replica_file)) as replica:
        for item in replica.nodes():
            secret = settings.secrets.get(item.node.shared_secret_name or "")
            holders |= {item.node.name: secret} if secret else {}
    if not holders:
        raise NotExaminedError("no access node has a shared secret here")
    weak = list(shared_secrets(holders))
    yield from weak or [Finding(Status.OK, f"shared secrets: {len(holders)}, each long and used once")]


def _factors(settings: Settings) -> Iterator[Finding]:
    if settings.email:
        yield Finding(
            Status.INFO,
            "codes go out by e-mail, which NIST SP 800-63B-4 does not take as an authenticator",
            "where that matters, give people another token, and set dirfactorEmailEnabled to FALSE in their policies",
        )
    if settings.sms:
        yield Finding(
            Status.INFO,
            "codes go out by SMS, which NIST SP 800-63B-4 restricts: tell people of the risk, and offer another token",
            "move those people to VIP or another token whose account is worth it",
        )
    if not settings.email and not settings.sms:
        yield Finding(Status.OK, "no code goes out by SMS or e-mail")
