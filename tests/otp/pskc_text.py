"""PSKC files in the form of RFC 6030's examples, with whatever in them a test wants otherwise."""

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

SEED = b"12345678901234567890"
KEY = bytes.fromhex("12345678901234567890123456789012")  # section 6.1: the pre-shared key
PASSWORD = "qwerty"  # section 6.2
PSKC = "urn:ietf:params:xml:ns:keyprov:pskc"
_AES = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
_HMAC = "http://www.w3.org/2000/09/xmldsig#hmac-sha1"


def base64_of(octets):
    return base64.b64encode(octets).decode()


def plain(value=SEED):
    return f"<Secret><PlainValue>{base64_of(value)}</PlainValue></Secret>"


def encrypted(key, value=SEED, mac_key=b"m" * 20, *, mac=True):
    """A seed in AES-128-CBC with its MAC, as in figure 6."""
    cipher = _encrypted(key, value)
    code = base64_of(hmac.digest(mac_key, cipher, hashlib.sha1)) if mac else ""
    method = f'<xenc:EncryptionMethod Algorithm="{_AES}"/>'
    return (
        f"<Secret><EncryptedValue>{method}<xenc:CipherData><xenc:CipherValue>{base64_of(cipher)}</xenc:CipherValue>"
        f"</xenc:CipherData></EncryptedValue>{f'<ValueMAC>{code}</ValueMAC>' if mac else ''}</Secret>"
    )


def ciphertext(cipher, mac):
    """A seed as a file has it."""
    return (
        f'<Secret><EncryptedValue><xenc:EncryptionMethod Algorithm="{_AES}"/><xenc:CipherData>'
        f"<xenc:CipherValue>{cipher}</xenc:CipherValue></xenc:CipherData></EncryptedValue><ValueMAC>{mac}</ValueMAC></Secret>"
    )


def _encrypted(key, value):
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(b"i" * 16)).encryptor()
    return b"i" * 16 + encryptor.update(padder.update(value) + padder.finalize()) + encryptor.finalize()


def package(
    secret,
    serial="987654321",
    algorithm="hotp",
    suite="",
    length=8,
    counter=0,
    interval="",
    user="",
    policy="",
    encoding="DECIMAL",
):
    counting = f"<Counter><PlainValue>{counter}</PlainValue></Counter>" if counter is not None else ""
    timing = f"<TimeInterval><PlainValue>{interval}</PlainValue></TimeInterval>" if interval else ""
    return (
        f"<KeyPackage><DeviceInfo><Manufacturer>Manufacturer</Manufacturer><SerialNo>{serial}</SerialNo>"
        f"{f'<UserId>{user}</UserId>' if user else ''}</DeviceInfo>"
        f'<Key Id="12345678" Algorithm="{PSKC}:{algorithm}"><Issuer>Issuer</Issuer><AlgorithmParameters>'
        f"{f'<Suite>{suite}</Suite>' if suite else ''}"
        f'<ResponseFormat Length="{length}" Encoding="{encoding}"/></AlgorithmParameters>'
        f"<Data>{secret}{counting}{timing}</Data>{policy}</Key></KeyPackage>"
    )


def container(*packages, head="", before=""):
    spaces = (
        f'xmlns="{PSKC}" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" '
        'xmlns:xenc11="http://www.w3.org/2009/xmlenc11#" '
        'xmlns:pkcs5="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#"'
    )
    return f'{before}<KeyContainer Version="1.0" {spaces}>{head}{"".join(packages)}</KeyContainer>'.encode()


def pre_shared(mac_key=None):
    """The head of section 6.1: a key that both sides have, and the MAC key encrypted under it."""
    mac_key = mac_key or base64_of(_encrypted(KEY, b"m" * 20))
    return "<EncryptionKey><ds:KeyName>Pre-shared-key</ds:KeyName></EncryptionKey>" + _mac_method(mac_key)


def by_password(iterations=1000, salt=b"salt of 8", mac_key=None):
    """The head of section 6.2: PBKDF2, and the key that it gives for the password."""
    key = hashlib.pbkdf2_hmac("sha1", PASSWORD.encode(), salt, min(iterations, 1000), 16)
    head = (
        "<EncryptionKey><xenc11:DerivedKey>"
        '<xenc11:KeyDerivationMethod Algorithm="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2">'
        f"<pkcs5:PBKDF2-params><Salt><Specified>{base64_of(salt)}</Specified></Salt>"
        f"<IterationCount>{iterations}</IterationCount><KeyLength>16</KeyLength></pkcs5:PBKDF2-params>"
        "</xenc11:KeyDerivationMethod><xenc11:MasterKeyName>My Password 1</xenc11:MasterKeyName>"
        "</xenc11:DerivedKey></EncryptionKey>"
    )
    return key, head + _mac_method(mac_key or base64_of(_encrypted(key, b"m" * 20)))


def _mac_method(mac_key):
    return (
        f'<MACMethod Algorithm="{_HMAC}"><MACKey><xenc:EncryptionMethod Algorithm="{_AES}"/><xenc:CipherData>'
        f"<xenc:CipherValue>{mac_key}</xenc:CipherValue></xenc:CipherData></MACKey></MACMethod>"
    )
