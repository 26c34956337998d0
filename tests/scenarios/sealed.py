"""People whose secrets stand sealed or digested in the directory, under the key ring of the service in a folder."""

import uuid
from datetime import timedelta
from pathlib import Path

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.keys.ring_file import RingFile
from auth.memorised.pin import pin_value
from auth.memorised.temporary_response import TemporaryResponse, response_value
from auth.otp.sealed import sealed_token
from auth.otp.token import SoftwareToken
from scenarios.company import Entry, Value, person
from schema.secret import Secret


class SealedPeople:
    """Makes entries with secrets in them; the ring is drawn before the service starts.

    Args:
        folder: the site's, which is still empty.
    """

    def __init__(self, folder: Path) -> None:
        state = folder / "state"
        state.mkdir(mode=0o700)
        self._ring = RingFile(state / "keys.ring").made(SYSTEM_CLOCK, SYSTEM_ENTROPY)

    def with_token(self, uid: str, token: SoftwareToken, *, pin: str = "", **attributes: Value) -> Entry:
        """Somebody with this token alone, of time or of events, and perhaps a PIN for it."""
        entry = id_of(uid)
        if pin:
            attributes["dirfactorPin"] = pin_value(self._ring, entry, Secret(pin))
        sealed = sealed_token(self._ring, entry, token, SYSTEM_ENTROPY.octets(12))
        return _known_by(person(uid, token.kind, dirfactorSecret=sealed, **attributes), entry)

    def with_pin(self, uid: str, pin: str, **attributes: Value) -> Entry:
        """Somebody with this PIN."""
        entry = id_of(uid)
        digest = pin_value(self._ring, entry, Secret(pin))
        return _known_by(person(uid, dirfactorPin=digest, **attributes), entry)

    def with_response(self, uid: str, response: str, *tokens: str, **attributes: Value) -> Entry:
        """Somebody with a temporary response that is good for an hour and may be used again."""
        entry, now = id_of(uid), SYSTEM_CLOCK.now()
        about = TemporaryResponse(now, now + timedelta(hours=1), multiple=True)
        digest = response_value(self._ring, entry, Secret(response), about)
        return _known_by(person(uid, *tokens, dirfactorTemporaryResponse=digest, **attributes), entry)


def id_of(uid: str) -> bytes:
    return uuid.uuid5(uuid.NAMESPACE_URL, uid).bytes


def _known_by(entry: Entry, entry_id: bytes) -> Entry:
    entry.attributes["entryUUID"] = str(uuid.UUID(bytes=entry_id))
    return entry
