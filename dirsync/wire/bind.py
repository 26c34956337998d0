"""Asks a directory whether a password is right, by one simple bind."""

import re
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from threading import BoundedSemaphore
from typing import Final

from msgspec import structs

from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.password import PasswordVerdict
from dirsync.settings import DirectorySettings, SignIn
from dirsync.wire.complaints import CredentialsRefused
from dirsync.wire.connection import Connection
from dirsync.wire.connector import Connector
from dirsync.wire.password_policy import ASKING, verdict_of_success
from dirsync.wire.surroundings import Surroundings

MOST_CONNECTIONS: Final = 8
# The reason within AD's text, "80090308: LdapErr: DSID-..., comment: AcceptSecurityContext error, data 52e, v3839":
# a Windows error code in hex (MS-ERREF section 2.2). Wrong passwords and unknown accounts have no line here, nor has
# what we do not know: all that is just wrong.
_REASON: Final = re.compile(r"\bdata ([0-9a-f]{1,8})\b", re.IGNORECASE)
_VERDICTS: Final = {
    0x530: PasswordVerdict.HOURS,  # ERROR_INVALID_LOGON_HOURS
    0x531: PasswordVerdict.WORKSTATION,  # ERROR_INVALID_WORKSTATION
    0x532: PasswordVerdict.EXPIRED,  # ERROR_PASSWORD_EXPIRED
    0x533: PasswordVerdict.DISABLED,  # ERROR_ACCOUNT_DISABLED
    0x701: PasswordVerdict.ACCOUNT_EXPIRED,  # ERROR_ACCOUNT_EXPIRED
    0x773: PasswordVerdict.MUST_CHANGE,  # ERROR_PASSWORD_MUST_CHANGE
    0x775: PasswordVerdict.LOCKED,  # ERROR_ACCOUNT_LOCKED_OUT
}
# What 389 Directory Server says about an account, with unwillingToPerform and constraintViolation as well.
_OF_ACCOUNTS: Final = {
    "account inactivated": PasswordVerdict.DISABLED,
    "password retry limit": PasswordVerdict.LOCKED,
}
# And with invalidCredentials alone. A policy may take an expired password for a right one, so no other result, which
# says nothing about the password, can mean this.
_OF_PASSWORDS: Final = {"password expired": PasswordVerdict.EXPIRED}


class LdapPasswordCheck:
    """A `PasswordCheck` by simple binds over a few connections that serve nothing else.

    A password is sent to one server, once: a second try would count as a second wrong password there, and could lock
    the account. Any number of threads may use it.

    Args:
        settings: of the directory. Where Kerberos would encrypt the sync's connections to ldap://, StartTLS does here:
            a person's password is never sent without TLS, except over ldapi://.
        surroundings: for `Connector`.

    Raises:
        Fault: the settings do not lead to an encrypted connection.
    """

    def __init__(self, settings: DirectorySettings, surroundings: Surroundings) -> None:
        encrypted = settings.start_tls or settings.sign_in is SignIn.GSSAPI
        self._connector = Connector(structs.replace(settings, start_tls=encrypted), surroundings)
        self._patience = settings.timeout_seconds
        self._free = BoundedSemaphore(MOST_CONNECTIONS)
        self._idle: deque[Connection] = deque()

    def check(self, dn: str, password: str) -> PasswordVerdict:
        """Ask once.

        Some names and passwords are WRONG without asking, because servers take a bind with them for an anonymous one
        and let it succeed: empty ones (RFC 4513 section 5.1.2), and those that a server in C sees the end of at NUL.

        Args:
            dn: of the account.
            password: as it was typed.

        Returns:
            The directory's verdict; UNAVAILABLE when there is none. Never raises.
        """
        if not dn.strip() or not password or "\0" in dn + password or not _is_text(dn + password):
            return PasswordVerdict.WRONG
        if not self._free.acquire(timeout=self._patience):
            return PasswordVerdict.UNAVAILABLE
        try:
            return self._ask(dn, password)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close the connections that are not in use."""
        while self._idle:
            self._idle.pop().close()

    def _ask(self, dn: str, password: str) -> PasswordVerdict:
        try:
            connection = self._ready()
        except DirectoryUnavailable:
            return PasswordVerdict.UNAVAILABLE
        try:
            verdict = verdict_of_success(connection.bind(dn, password, (ASKING,)))
        except CredentialsRefused as refusal:
            verdict = verdict_of(refusal.diagnostic)
        except DirectoryUnavailable:
            self._connector.leave(connection)
            return PasswordVerdict.UNAVAILABLE
        except DirectoryRefused as refusal:
            connection.close()
            return _said(refusal.problem, _OF_ACCOUNTS, PasswordVerdict.UNAVAILABLE)
        self._idle.append(connection)
        return verdict

    def _ready(self) -> Connection:
        """A connection to send the bind over; until it is sent, another server may be tried.

        Raises:
            DirectoryUnavailable: no server answers.
        """
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if connection.is_quiet():
                    return connection
                connection.close()
        return self._connector.open()


def verdict_of(diagnostic: str) -> PasswordVerdict:
    """What a server's text to invalidCredentials means; WRONG when it gives no reason that we know.

    Args:
        diagnostic: the diagnosticMessage of the bind's result.
    """
    if reason := _REASON.search(diagnostic):
        return _VERDICTS.get(int(reason[1], 16), PasswordVerdict.WRONG)
    return _said(diagnostic, {**_OF_ACCOUNTS, **_OF_PASSWORDS}, PasswordVerdict.WRONG)


def _said(text: str, meanings: Mapping[str, PasswordVerdict], otherwise: PasswordVerdict) -> PasswordVerdict:
    words = text.lower()
    return next((verdict for said, verdict in meanings.items() if said in words), otherwise)


def _is_text(typed: str) -> bool:
    """Whether it can be written in UTF-8, as LDAP wants it; no directory has a password that cannot."""
    try:
        typed.encode()
    except UnicodeEncodeError:
        return False
    return True
