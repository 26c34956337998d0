"""The audit's key: an Ed25519 key that signs checkpoints, and a key made of the same seed that seals every line."""

import base64
import binascii
import hashlib
import hmac
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from schema.errors import Fault

_SEAL_OCTETS = 16


class PublicKey:
    """Tells whether a checkpoint was signed by the audit's key."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        self.id = hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]

    @property
    def pem(self) -> str:
        """The key as openssl and others read it."""
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def has_signed(self, octets: bytes, signature: str) -> bool:
        """Whether this is the key's signature (RFC 8032) of the octets, in base64."""
        try:
            self._key.verify(base64.b64decode(signature, validate=True), octets)
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True


class AuditKey:
    """Signs and seals.

    Args:
        seed: 32 octets that nobody else knows.
    """

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = PublicKey(self._key.public_key())
        seal_key = hashlib.blake2b(b"dirfactor audit seal", key=seed, digest_size=32).digest()
        self._keyed = hashlib.blake2b(key=seal_key, digest_size=_SEAL_OCTETS)

    def sign(self, octets: bytes) -> str:
        """The signature in base64."""
        return base64.b64encode(self._key.sign(octets)).decode()

    def seal(self, octets: bytes) -> str:
        """A keyed BLAKE2b of 128 bits (RFC 7693), in hexadecimal digits."""
        keyed = self._keyed.copy()
        keyed.update(octets)
        return keyed.hexdigest()

    def has_sealed(self, octets: bytes, seal: str) -> bool:
        """Whether this is our seal of the octets."""
        return hmac.compare_digest(self.seal(octets).encode(), seal.encode())


def public_key(file: Path) -> PublicKey:
    """The key in a PEM file, as `dirfactor audit public-key` prints it.

    Raises:
        Fault: the file cannot be read, or holds no Ed25519 key.
    """
    try:
        key = load_pem_public_key(file.read_bytes())
    except OSError as error:
        raise Fault(f"{file} cannot be read: {error.strerror}", remedy="give a file that you may read") from error
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise Fault(f"{file} holds no Ed25519 public key", remedy="give what `dirfactor audit public-key` printed")
    return PublicKey(key)
