"""What an error of python-ldap means to an operator: the fault, and what to do about it."""

import re
from typing import Any, Final
from urllib.parse import urlsplit

import ldap

from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.settings import DirectorySettings, SignIn
from schema.errors import Fault

_TRANSIENT: Final = (
    ldap.TIMEOUT,
    ldap.BUSY,
    ldap.UNAVAILABLE,
    ldap.TIMELIMIT_EXCEEDED,
    ldap.ADMINLIMIT_EXCEEDED,
    ldap.LOCAL_ERROR,
)
_ELSEWHERE: Final = re.compile(r"ldaps?://[^\s'\"]+", re.IGNORECASE)
_ENCRYPT: Final = "use ldaps://, or start_tls = yes, in [directory]"
_OTHER_KIND: Final = "check that url in [directory] names servers of the right kind"
# error -> remedy, where there is one for all cases
_REMEDIES: Final = {
    ldap.STRONG_AUTH_REQUIRED: _ENCRYPT,
    ldap.CONFIDENTIALITY_REQUIRED: _ENCRYPT,
    ldap.UNAVAILABLE_CRITICAL_EXTENSION: "check kind in [directory]; OpenLDAP needs the overlay syncprov, 389-ds the "
    "plug-in Content Synchronization",
}


class CredentialsRefused(DirectoryRefused):
    """The server answered a bind with invalidCredentials (RFC 4511 result code 49).

    Args:
        problem: as for every fault.
        remedy: as for every fault.
        diagnostic: what the server said about it; AD gives the reason in there.
    """

    def __init__(self, problem: str, *, remedy: str, diagnostic: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.diagnostic = diagnostic


class Unreached(DirectoryUnavailable):
    """There is no connection to the server: none at all, none that can be trusted, or one that has broken."""


class Untrusted(Unreached):
    """The server is there, and its certificate is not accepted: no outage, somebody has to do something about it."""


class Garbled(DirectoryUnavailable):
    """What the server sent is no LDAP."""


def garbled(server: str) -> Garbled:
    """The fault for octets that are no LDAP."""
    return Garbled(
        f"{server}: what it answers is no LDAP",
        remedy="check that url in [directory] names the port of an LDAP server, and that no proxy is between",
    )


class Interrupted(DirectoryUnavailable):
    """Somebody wants what is done over the connection to end now."""

    def __init__(self) -> None:
        super().__init__("the sync was stopped", remedy="start it again; nothing is lost")


def complaint(error: Any, server: str, settings: DirectorySettings) -> Fault:
    """The fault for an `ldap.LDAPError`.

    Args:
        error: what python-ldap raised.
        server: the URL of the server in question.
        settings: of the directory.
    """
    said = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    diagnostic = str(said.get("info", "")).strip(" \n\0")
    problem = f"{server}: {said.get('desc', type(error).__name__)}" + (f", {diagnostic}" if diagnostic else "")
    match error:
        case ldap.INVALID_CREDENTIALS():
            return CredentialsRefused(problem, remedy="check the password", diagnostic=diagnostic)
        case ldap.SERVER_DOWN() | ldap.CONNECT_ERROR():
            return Unreached(problem, remedy=_reach(server, settings))
        case ldap.DECODING_ERROR() | ldap.PROTOCOL_ERROR():
            return garbled(server)
        case error if isinstance(error, _TRANSIENT):
            return DirectoryUnavailable(problem, remedy="wait, or raise timeout_seconds in [directory] if it persists")
        case ldap.NO_SUCH_OBJECT():
            return DirectoryRefused(problem, remedy=_base(str(said.get("matched", "")), settings))
        case ldap.SIZELIMIT_EXCEEDED():
            return DirectoryRefused(
                f"{problem}: the server cuts off what it sends",
                remedy=f"let it send {_account(settings)} as many entries as there are: olcLimits with size=unlimited "
                "(OpenLDAP), nsSizeLimit: -1 at the account (389)",
            )
        case ldap.REFERRAL():
            return DirectoryRefused(problem, remedy=_referral(diagnostic))
        case ldap.INSUFFICIENT_ACCESS():
            return DirectoryRefused(problem, remedy=f"give {_account(settings)} the right to read")
        case _:
            return DirectoryRefused(problem, remedy=_REMEDIES.get(type(error), _OTHER_KIND))


def _reach(server: str, settings: DirectorySettings) -> str:
    authority = f"the file {settings.ca_file}" if settings.ca_file else "the system's list (or set ca_file)"
    return (
        "check that it runs and can be reached; if it does, its certificate was not accepted: it must "
        f"name {urlsplit(server).hostname} and come from an authority in {authority}"
    )


def _base(matched: str, settings: DirectorySettings) -> str:
    here = f"; of it, only {matched} is there" if matched else ""
    return f"set base in [directory]: {settings.base!r} is not there, or must not be seen by the account{here}"


def _referral(diagnostic: str) -> str:
    place = _ELSEWHERE.search(diagnostic)
    other = f"{place[0]}, as it says" if place else "another server"
    return f"base in [directory] is served by {other}: set base to what url serves, or url to whom serves base"


def _account(settings: DirectorySettings) -> str:
    if settings.sign_in is SignIn.SIMPLE:
        return f"the account {settings.bind_dn} (bind_dn of [directory])"
    return f"the account that signs in by {settings.sign_in}"
