"""All credentials and users of the VIP simulator's one account, and what becomes of a question about them."""

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from auth.demo.vip.credentials import Credential, Finding
from auth.demo.vip.misbehaviour import Misbehaviour
from schema.secret import Secret

USER_STATES = frozenset({"ACTIVE", "DISABLED", "LOCKED"})
_NOT_ACTIVE = frozenset({"NEW", "INACTIVE"})
_BARRED = {"DISABLED": "4993", "LOCKED": "4994"}
_MILLION = 1_000_000

Named = tuple[str, str]
"""A credential as it is asked about: its id and its type."""


@dataclass(slots=True)
class User:
    """A VIP user.

    Attributes:
        id: the name.
        status: one of `USER_STATES`.
        temporary: a temporary security code of the user; None for none.
    """

    id: str
    status: str = "ACTIVE"
    temporary: Secret | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A reason code, and what it is about.

    Attributes:
        code: reason code, four hexadecimal digits.
        credential: the credential whose code was right, that is described, or that was activated.
        unchanged: an activation found the credential already active.
        user: the user who is described.
        bound: the user's credentials.
        texted: the code that was sent, which the service also tells the caller.
    """

    code: str
    credential: Credential | None = None
    unchanged: bool = False
    user: User | None = None
    bound: tuple[Credential, ...] = ()
    texted: Secret | None = None


class Registry:
    """All credentials of one account; may be used by several threads."""

    def __init__(self, credentials: Iterable[Credential], users: Iterable[User] = ()) -> None:
        self._credentials = {credential.id: credential for credential in credentials}
        self._users = {each.user.casefold(): User(each.user) for each in self._credentials.values() if each.user}
        self._users |= {user.id.casefold(): user for user in users}
        self._lock = threading.Lock()

    @classmethod
    def load(cls, path: Path) -> "Registry":
        """What a JSON file lists: credentials, see `Credential.read`, and `{"user", "status", "temporary"?}`.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is no such list.
        """
        entries = json.loads(path.read_bytes())
        if not isinstance(entries, list):
            msg = "the credentials are a JSON list"
            raise ValueError(msg)  # noqa: TRY004 - one kind of error for whatever the file says wrong
        people = [entry for entry in entries if isinstance(entry, dict) and "id" not in entry and "user" in entry]
        things = [entry for entry in entries if entry not in people]
        return cls(map(Credential.read, things), map(_user, people))

    def misbehaviour(self, named: Sequence[Named]) -> Misbehaviour | None:
        """What to do wrong about the first of these credentials that asks for it."""
        known = (self._credentials[id_] for id_, _ in named if id_ in self._credentials)
        return next((each.misbehaviour for each in known if each.misbehaviour is not None), None)

    def validate(self, named: Sequence[Named], code: Secret, now: datetime) -> Result:
        """Is it the code of one of them? A wrong code counts against each one that could have been meant."""
        with self._lock:
            asked = [self._find(each) for each in named]
            active = [each for each in asked if each is not None and each.status not in _NOT_ACTIVE]
            return Result("4E03") if len(active) < len(asked) else _validated(active, code, now)

    def check(self, named: Named, codes: Sequence[Secret], now: datetime) -> Result:
        """Do the codes come from this credential, whatever its state?"""
        with self._lock:
            credential = self._find(named)
            if credential is None:
                return Result("4E03")
            finding = credential.holds(codes[0], now) if len(codes) == 1 else credential.synchronise(codes, now)
            return Result(finding, credential if finding is Finding.RIGHT else None)

    def synchronise(self, named: Named, codes: Sequence[Secret], now: datetime) -> Result:
        """Take two consecutive codes as those of now."""
        with self._lock:
            credential = self._find(named)
            if credential is None or credential.status in _NOT_ACTIVE:
                return Result("4E03")
            if credential.status in _BARRED:
                return Result(_BARRED[credential.status])
            finding = credential.synchronise(codes, now)
            if finding is not Finding.RIGHT:
                credential.miss()
                return Result(finding)
            return Result(finding, credential)

    def describe(self, named: Named) -> Result:
        """The credential itself."""
        with self._lock:
            credential = self._find(named)
            if credential is None:
                return Result("4E03")
            return Result("0000", credential, user=self._users.get(credential.user.casefold()))

    def activate(self, named: Named, codes: Sequence[Secret], now: datetime) -> Result:
        """Take a credential into use; of two codes the second must be the next one."""
        with self._lock:
            credential = self._find(named)
            if credential is None:
                return Result("4E03")
            if credential.status in _BARRED:
                return Result(_BARRED[credential.status])
            if codes and _first_and_next(credential, codes, now) is not Finding.RIGHT:
                credential.miss()
                return Result("49B5")
            unchanged = credential.status == "ENABLED"
            credential.status = "ENABLED"
            return Result("0000", credential, unchanged=unchanged)

    def send(self, named: Named, now: datetime, below: Callable[[int], int]) -> Result:
        """Draw a code for a telephone."""
        with self._lock:
            credential = self._find(named)
            if credential is None or credential.status in _NOT_ACTIVE:
                return Result("4E03")
            if not credential.type:
                return Result("4990")
            if credential.status in _BARRED:
                return Result(_BARRED[credential.status])
            credential.texted = (Secret(f"{below(_MILLION):06}"), now)
            return Result("0000", credential, texted=credential.texted[0])

    def user(self, id_: str) -> Result:
        """A user with the credentials that are bound to them."""
        with self._lock:
            user = self._users.get(id_.casefold())
            return Result("6003") if user is None else Result("0000", user=user, bound=self._bound(user))

    def authenticate_user(self, id_: str, code: Secret, now: datetime) -> Result:
        """Is it the code of one of the user's credentials, or the user's temporary one?"""
        with self._lock:
            user = self._users.get(id_.casefold())
            if user is None:
                return Result("6003")
            if user.status != "ACTIVE":
                return Result("601B")
            if user.temporary is not None and user.temporary.matches(code):
                return Result("0000")
            enabled = [each for each in self._bound(user) if each.status == "ENABLED"]
            return _validated(enabled, code, now) if enabled else Result("6008")

    def check_user(self, id_: str, codes: Sequence[Secret], now: datetime) -> Result:
        """Do the codes come from one of the user's credentials, even a locked one?"""
        with self._lock:
            user = self._users.get(id_.casefold())
            if user is None:
                return Result("6003")
            for credential in self._bound(user):
                found = credential.synchronise(codes, now)
                if found is Finding.RIGHT:
                    return Result("0000", credential)
            return Result("49B5")

    def telephone_of(self, id_: str, number: str, type_: str) -> Named | None:
        """The telephone of a user: the one with this number, or the first."""
        with self._lock:
            bound = (each for each in self._credentials.values() if each.user.casefold() == id_.casefold())
            fitting = (each for each in bound if each.type and number in ("", each.id) and type_ in ("", each.type))
            return next(((each.id, each.type) for each in fitting), None)

    def _find(self, named: Named) -> Credential | None:
        found = self._credentials.get(named[0])
        return found if found is not None and found.type == named[1] else None

    def _bound(self, user: User) -> tuple[Credential, ...]:
        return tuple(each for each in self._credentials.values() if each.user.casefold() == user.id.casefold())


def _validated(active: Sequence[Credential], code: Secret, now: datetime) -> Result:
    """A temporary code stands in for any state; other codes for what is enabled and has not ended."""
    temporary = next((each for each in active if each.is_temporary(code)), None)
    if temporary is not None:
        return Result("0000", temporary)
    usable = [each for each in active if each.status not in _BARRED and not each.has_ended(now)]
    if not usable:
        return Result(_BARRED.get(active[0].status, "4990"))
    findings = {credential.id: credential.judge(code, now) for credential in usable}
    for credential in usable:
        if findings[credential.id] is Finding.RIGHT:
            return Result("0000", credential)
    if Finding.DRIFTED in findings.values():
        return Result(Finding.DRIFTED)
    for credential in usable:
        credential.miss()
    return Result(Finding.WRONG)


def _first_and_next(credential: Credential, codes: Sequence[Secret], now: datetime) -> Finding:
    return credential.judge(codes[0], now) if len(codes) == 1 else credential.synchronise(codes, now)


def _user(entry: dict[str, object]) -> User:
    match entry:
        case {"user": str(id_), "status": str(status), **rest} if status in USER_STATES:
            temporary = rest.pop("temporary", None)
            if not rest and (temporary is None or isinstance(temporary, str)):
                return User(id_, status, Secret(temporary) if temporary else None)
    msg = 'a user is {"user": text, "status": state}'
    raise ValueError(msg)
