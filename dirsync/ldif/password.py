"""Whether a password is right when the directory is an LDIF file: `userPassword` of the entry, as the file has it."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Final

from dirsync.errors import DirectoryUnavailable
from dirsync.ldif.file import Stamp, read_whole, stamp
from dirsync.ldif.rfc2849 import Addition, read_ldif
from dirsync.password import PasswordVerdict
from schema.dn import fold
from schema.ldif_lines import BrokenLdif

# RFC 2307 section 5.3 and its usual extensions: a digest of password and salt, then the salt
_DIGESTS: Final[Mapping[str, str]] = {
    f"{salted}{name}": algorithm
    for salted in ("", "S")
    for name, algorithm in {"SHA": "sha1", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}.items()
}
_ACCOUNT_DISABLED: Final = 0x2  # userAccountControl, MS-ADTS 2.2.16


@dataclass(frozen=True, slots=True)
class _Account:
    passwords: tuple[bytes, ...] = field(repr=False)
    disabled: bool


class LdifPasswordCheck:
    """Checks passwords against an LDIF file; a `dirsync.password.PasswordCheck`.

    The file is read again whenever its stamp has changed; nothing else is remembered. While the file is broken or
    missing nobody can say what is right: UNAVAILABLE.

    Args:
        file: the LDIF file.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = Lock()
        self._stamp: Stamp | None = None
        self._accounts: Mapping[str, _Account] = {}

    def check(self, dn: str, password: str) -> PasswordVerdict:
        """Ask once. An empty password is WRONG without asking, and so is one for an entry that is not there."""
        if not password:
            return PasswordVerdict.WRONG
        try:
            octets = password.encode()
            account = self._current().get(fold(dn))
        except DirectoryUnavailable:
            return PasswordVerdict.UNAVAILABLE
        except ValueError:  # no Unicode, no DN
            return PasswordVerdict.WRONG
        if account is None or not any(_matches(stored, octets) for stored in account.passwords):
            return PasswordVerdict.WRONG
        # as AD does: only who has the right password is told about the account
        return PasswordVerdict.DISABLED if account.disabled else PasswordVerdict.RIGHT

    def _current(self) -> Mapping[str, _Account]:
        with self._lock:
            if self._stamp is None or stamp(self._file) != self._stamp:
                self._stamp, self._accounts = read_whole(self._file, _accounts)
            return self._accounts


def _accounts(octets: bytes) -> dict[str, _Account]:
    """Folded DN -> account, for every entry with a password. Raises BrokenLdif."""
    accounts: dict[str, _Account] = {}
    for record in read_ldif(octets):
        try:
            folded = fold(record.dn)
        except ValueError as error:
            raise BrokenLdif(record.line, "what follows `dn: ` is no DN") from error
        passwords = record.attributes.get("userpassword")
        if passwords and not isinstance(record, Addition):
            accounts[folded] = _Account(tuple(passwords), _disabled(record.attributes.get("useraccountcontrol", [])))
    return accounts


def _disabled(control: list[bytes]) -> bool:
    try:
        return any(int(value) & _ACCOUNT_DISABLED for value in control)
    except ValueError:
        return True  # nobody can say that the account may be used


def _matches(stored: bytes, password: bytes) -> bool:
    """Whether a stored value is that of the password; in a scheme that is not known nothing is."""
    head, brace, value = stored.partition(b"}")
    scheme = head.decode(errors="replace").upper().removeprefix("{")
    if not (head.startswith(b"{") and brace):
        return False
    if scheme == "CLEARTEXT":
        return hmac.compare_digest(value, password)
    if scheme not in _DIGESTS:
        return False
    try:
        octets = base64.b64decode(value, validate=True)
    except binascii.Error:
        return False
    size = hashlib.new(_DIGESTS[scheme]).digest_size
    digest, salt = octets[:size], octets[size:]
    if bool(salt) != scheme.startswith("SSHA"):
        return False
    return hmac.compare_digest(digest, hashlib.new(_DIGESTS[scheme], password + salt).digest())
