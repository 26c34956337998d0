"""The RADIUS shared secret of an access node, sealed in dirfactorSharedSecret. Pure."""

from auth.keys.ring import Ring
from auth.keys.sealing import SealBroken, sealed, unsealed
from auth.keys.text import Purpose
from schema.entry import EntryId
from schema.secret import Secret


def sealed_shared_secret(ring: Ring, entry: EntryId, secret: Secret, nonce: bytes) -> str:
    """What dirfactorSharedSecret of the node with this entry holds; see `auth.keys.sealing.sealed`."""
    return sealed(ring, Purpose.SHARED_SECRET, entry, (), secret.octets, nonce)


def unsealed_shared_secret(ring: Ring, entry: EntryId, text: str) -> Secret:
    """The shared secret in a value. Raises as `auth.keys.sealing.unsealed`."""
    try:
        return Secret(unsealed(ring, Purpose.SHARED_SECRET, entry, text, 0).octets.decode())
    except UnicodeDecodeError as error:
        raise SealBroken("a sealed shared secret is no text", remedy="set it anew: dirfactor node secret") from error
