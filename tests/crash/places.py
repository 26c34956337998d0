"""Where it is killed: a company in a file, whose clock can be put forward, several workers, and an OpenLDAP server."""

import random
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from auth.audit.files import AuditFiles
from auth.otp.token import SoftwareToken
from crash.changes import DAYS_KEPT, DEFAULT_POLICY, DayChange, Edit, Reload
from crash.killing import Killing
from crash.logons import ByAuthenticator, ByText, Holders, WrongCodes
from crash.moment import Seen
from crash.rotation import Rotation
from crash.workers import WORKERS, AtWorkers
from rig.faked_time import FakedTime
from rig.fixtures import OPENLDAP_SCHEMA, running
from rig.slapd import PASSWORD, Slapd
from scenarios.at_slapd import fill_directory, following, write_password
from scenarios.company import ONE_ACCESS_NODE, Entry, person, phone, policy, policy_dn, texted, unit
from scenarios.office import beside, open_office
from scenarios.sealed import SealedPeople
from schema.words import TokenKind

_PATIENT = {"dirfactorLogonAttempts": "10", "dirfactorViolationLimit": "100"}
_SPEND = "\n[spend]\nper_user_hour = 1000\nper_user_day = 1000\nper_number_day = 1000\nper_prefix_day = 100000\n"
_TEXTED = [f"tess{number}" for number in range(24)]
_GOVERNED_BY_DEFAULT = [f"dolly{number}" for number in range(96)]
_SERVER_SECONDS = 2.0


@asynccontextmanager
async def in_a_file(folder: Path, dice: random.Random, seen: Seen) -> AsyncIterator[Killing]:
    """Logons, edits of the file, reloads, and a new day of the audit."""
    sealed, holders = SealedPeople(folder), _holders(24)
    entries = [
        *_with_tokens(sealed, holders),
        *(texted(uid, number, dirfactorPolicy=policy_dn("texts")) for number, uid in enumerate(_TEXTED)),
        policy("texts", dirfactorCodesPerWindow="100", **_PATIENT),
        *_without_policy(),
    ]
    audit = f"\n[audit]\ndays = {DAYS_KEPT}\n"
    clock = FakedTime(folder / "clock")
    async with open_office(
        folder,
        *entries,
        nodes=ONE_ACCESS_NODE,
        more_config=_SPEND + DEFAULT_POLICY + audit,
        environment=clock.environment,
    ) as office:
        moments = [
            ByAuthenticator(office, holders, dice, seen),
            ByText(office, _TEXTED, dice, seen),
            WrongCodes(office, holders, dice),
            Edit(office, _TEXTED, dice, seen),
            Reload(office, _GOVERNED_BY_DEFAULT),
            DayChange(office, AuditFiles(office.site.audit, folder / "state" / "audit.key"), clock),
        ]
        yield Killing(office, moments, dice, seen)


@asynccontextmanager
async def at_workers(folder: Path, dice: random.Random, seen: Seen) -> AsyncIterator[Killing]:
    """Logons and reloads at a service of several workers."""
    sealed, holders = SealedPeople(folder), _holders(24)
    entries = [
        *_with_tokens(sealed, holders),
        *(texted(uid, number, dirfactorPolicy=policy_dn("texts")) for number, uid in enumerate(_TEXTED)),
        policy("texts", dirfactorCodesPerWindow="100", **_PATIENT),
        *_without_policy(),
    ]
    async with open_office(folder, *entries, nodes=ONE_ACCESS_NODE, more_config=_SPEND + DEFAULT_POLICY) as first:
        _copy_keys(folder / "state", folder / "workers" / "state")
        at_several = f"workers = {WORKERS}\nrefusal_seconds"
        async with beside(first, "refusal_seconds", at_several, "workers") as office:
            moments = [
                ByAuthenticator(office, holders, dice, seen),
                Reload(office, _GOVERNED_BY_DEFAULT, WORKERS),
                ByText(office, _TEXTED, dice, seen),
                WrongCodes(office, holders, dice),
            ]
            yield Killing(office, [AtWorkers(each, office, dice) for each in moments], dice, seen)


@asynccontextmanager
async def at_a_server(folder: Path, dice: random.Random, seen: Seen) -> AsyncIterator[Killing]:
    """Keys are rotated, which writes to the directory."""
    sealed, holders = SealedPeople(folder), _holders(24)
    password = folder / "administrator.password"
    password.touch(mode=0o600)
    password.write_text(PASSWORD)
    with ExitStack() as stack:
        slapd = stack.enter_context(running(Slapd(folder / "slapd", OPENLDAP_SCHEMA, session_log=1000)))
        async with open_office(folder, *_with_tokens(sealed, holders), nodes=ONE_ACCESS_NODE) as office:
            fill_directory(slapd, office.company, folder / "company.ldif")
            write_password(slapd, folder)
            before = office.service.config.read_text()
            after = following(before, slapd, int(slapd.ldaps.rpartition(":")[2]), _SERVER_SECONDS)
            _copy_keys(folder / "state", folder / "following" / "state")
            signed_in = ("--bind", slapd.admin, "--password-file", str(password))
            async with beside(office, before, after, "following") as at_server:
                yield Killing(at_server, [Rotation(at_server, holders, signed_in, dice, seen)], dice, seen)


def _holders(number: int) -> Holders:
    tokens = {
        f"holly{each}": SoftwareToken(TokenKind.HOTP, f"T-{each}", bytes([each + 1]) * 20) for each in range(number)
    }
    return Holders(tokens)


def _with_tokens(sealed: SealedPeople, holders: Holders) -> list[Entry]:
    return [
        *(sealed.with_token(uid, token, dirfactorPolicy=policy_dn("codes")) for uid, token in holders.tokens.items()),
        policy("codes", dirfactorFirstMethod="token", dirfactorSecondMethod="none", **_PATIENT),
    ]


def _without_policy() -> list[Entry]:
    """Who may be sent a text or a mail: [policy:default] says which."""
    return [
        unit("others"),
        *(
            person(uid, "sms", "email", ou="others", mobile=phone(100 + number))
            for number, uid in enumerate(_GOVERNED_BY_DEFAULT)
        ),
    ]


def _copy_keys(state: Path, to: Path) -> None:
    to.mkdir(parents=True, mode=0o700)
    for key in ("server.key", "keys.ring"):
        (to / key).write_bytes((state / key).read_bytes())
        (to / key).chmod(0o600)
