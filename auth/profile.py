"""What is known about a user, for a helpdesk to read: entry, tokens, policies by level, violations. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from auth.guessing import day_line
from auth.outlook import Outlook, warnings
from auth.prompts import destination
from auth.standing import Standing
from auth.tokens import Unusable, Usable
from auth.vip.credential import shown
from auth.what_to_tell import what_to_tell
from auth.why.report import candidate_data, candidate_line
from schema.entry import User


@dataclass(frozen=True, slots=True)
class Profile:
    """One user as of now.

    Attributes:
        dn: of the entry.
        user: the entry.
        ahead: how the next logon will be.
        standing: violations; None where there is no state to ask.
        now: the present.
    """

    dn: str
    user: User
    ahead: Outlook
    standing: Standing | None
    now: datetime

    @property
    def name(self) -> str:
        """What the user is called in messages."""
        return self.user.sam or self.user.upn or self.dn


def token_rows(user: User, ahead: Outlook) -> list[dict[str, Any]]:
    """Each assigned token: its kind, whether it can be used, and where its code goes or why not."""
    known = {token.kind: token for token in ahead.tokens}
    return [{"kind": kind, **_about(known.get(kind))} for kind in user.tokens]


def _about(token: Usable | Unusable | None) -> dict[str, Any]:
    match token:
        case Usable():
            return {
                "usable": True,
                "about": destination(token) or ", ".join((*map(shown, token.credentials), *token.serials)),
            }
        case Unusable(why=why):
            return {"usable": False, "about": why}
        case _:
            return {"usable": False, "about": "no policy can govern"}


def token_lines(user: User, ahead: Outlook) -> list[str]:
    """The same for a terminal."""
    rows = token_rows(user, ahead)
    lines = [f"  {row['kind']:<12} {'usable' if row['usable'] else 'not usable'}: {row['about']}" for row in rows]
    return lines or ["  none is assigned"]


def as_data(profile: Profile) -> dict[str, Any]:
    """The profile for --json."""
    user = profile.user
    return {
        "dn": profile.dn,
        "names": _names(user),
        "account": _account(user),
        "tokens": token_rows(user, profile.ahead),
        "policies": [candidate_data(candidate) for candidate in profile.ahead.effective.candidates],
        "violations": violations_data(profile.standing, profile.now),
        "malformed": [
            {"attribute": item.attribute, "value": item.value, "expected": item.expected} for item in user.malformed
        ],
        "tell": what_to_tell(profile.name, profile.ahead),
        "warnings": warnings(profile.name, profile.ahead),
    }


def as_text(profile: Profile) -> str:
    """The profile for a terminal."""
    user, ahead = profile.user, profile.ahead
    known = (_names(user) | _account(user)).items()
    lines = [profile.dn, *(f"  {what:<12} {value}" for what, value in known if value)]
    lines += ["tokens", *token_lines(user, ahead)]
    lines += ["policies that could govern", *map(candidate_line, ahead.effective.candidates)]
    lines += ["violations", f"  {violations_line(profile.standing, profile.now)}"]
    lines += [f"! {item}" for item in user.malformed]
    tell = what_to_tell(profile.name, ahead)
    lines += [tell] if tell else []
    return "\n".join([*lines, *(f"! {note}" for note in warnings(profile.name, ahead))])


def violations_data(standing: Standing | None, now: datetime) -> dict[str, Any] | None:
    """Where a user stands, for --json; None where it is not known."""
    if standing is None:
        return None
    return {
        "wrong_codes": standing.failures,
        "violations": standing.violations,
        "locked_until": standing.locked_until if standing.locked(now) else None,
        "wrong_codes_today": standing.today,
    }


def violations_line(standing: Standing | None, now: datetime) -> str:
    """Where a user stands, in a line."""
    if standing is None:
        return "not known here: ask with the config.ini of the service"
    line = f"{standing.violations} violations, {standing.failures} wrong codes"
    if standing.locked(now):
        line += f", locked until {standing.locked_until:%Y-%m-%d %H:%M:%S} UTC"
    return f"{line}; {day_line(standing.today)}"


def _names(user: User) -> dict[str, str | None]:
    return {
        "sam": user.sam,
        "upn": user.upn,
        "mail": user.mail,
        "login_name": user.login_name,
        "display_name": user.display_name,
    }


def _account(user: User) -> dict[str, str | None]:
    return {
        "disabled": "yes" if user.disabled else None,
        "starts_at": _minute(user.starts_at),
        "expires_at": _minute(user.expires_at),
        "locked_at": _minute(user.locked_at),
        "unlocked_at": _minute(user.unlocked_at),
    }


def _minute(instant: datetime | None) -> str | None:
    return f"{instant:%Y-%m-%d %H:%M} UTC" if instant else None
