# ruff: noqa: INP001 - bench is a folder of programs, no package
"""People with a PIN and a counter token, for the service, for the load generator, and for its peers."""

import hashlib
import uuid
from collections.abc import Iterator
from pathlib import Path

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.keys.ring_file import RingFile
from auth.memorised.pin import pin_value
from auth.otp.sealed import sealed_token
from auth.otp.token import SoftwareToken
from schema.secret import Secret
from schema.words import TokenKind

BASE = "dc=demo,dc=example"
SECRET = "bench-s3cret-of-sixteen"  # noqa: S105 - of a server that lives for minutes
LOOK_AHEAD = 10
_NAMESPACE = uuid.UUID("6d9a2c1e-8a61-4b0e-9d36-0c0f3ce6a0b1")
_GROUP = 50
_CONFIG = """\
[service]
state_directory = state
refusal_seconds = 0

[directory]
kind = ldif
file = directory.ldif

[radius]
host = 127.0.0.1
port = {port}
packets_per_second = 0

[http]
enabled = no

[node:vpn]
dirfactorAddress = 127.0.0.1
secret = file:radius.secret
dirfactorMember = cn=vpn-users,ou=groups,{base}
"""
_TOP = f"""\
version: 1

dn: {BASE}
objectClass: dcObject
objectClass: organization
dc: demo
o: Demo

dn: ou=people,{BASE}
objectClass: organizationalUnit
ou: people

dn: ou=groups,{BASE}
objectClass: organizationalUnit
ou: groups

dn: ou=policies,{BASE}
objectClass: organizationalUnit
ou: policies

dn: cn=staff,ou=policies,{BASE}
objectClass: dirfactorSecurityPolicy
cn: staff
dirfactorFirstMethod: token
dirfactorPinWithToken: TRUE
dirfactorTokenOrder: hotp
dirfactorHotpLookAhead: {LOOK_AHEAD}
dirfactorReplyAttribute: Filter-Id=staff
"""


def seed(number: int) -> bytes:
    """The seed of a person's token, 20 octets."""
    return hashlib.sha256(f"seed {number}".encode()).digest()[:20]


def pin(number: int) -> str:
    """A person's PIN."""
    return str(4711 + number % 1000)


def name(number: int) -> str:
    """A person's login name."""
    return f"user{number:06}"


def write_site(folder: Path, people: int, port: int) -> Path:
    """A directory, its keys and a config.ini for the service; the path of the last.

    Everybody is in a department of fifty, and all departments in the group that has the policy.
    """
    state = folder / "state"
    state.mkdir(mode=0o700)
    ring = RingFile(state / "keys.ring").made(SYSTEM_CLOCK, SYSTEM_ENTROPY)

    def records() -> Iterator[str]:
        yield _TOP
        for number in range(people):
            entry = uuid.uuid5(_NAMESPACE, name(number))
            token = SoftwareToken(TokenKind.HOTP, f"S{number}", seed(number))
            yield (
                f"dn: uid={name(number)},ou=people,{BASE}\n"
                "objectClass: inetOrgPerson\nobjectClass: dirfactorUser\n"
                f"entryUUID: {entry}\nuid: {name(number)}\ncn: Person {number}\nsn: {number}\n"
                f"mail: {name(number)}@demo.example\n"
                "dirfactorToken: hotp\n"
                f"dirfactorPin: {pin_value(ring, entry.bytes, Secret(pin(number)))}\n"
                f"dirfactorSecret: {sealed_token(ring, entry.bytes, token, SYSTEM_ENTROPY.octets(12))}\n"
            )
        for first in range(0, people, _GROUP):
            members = range(first, min(people, first + _GROUP))
            lines = "".join(f"member: uid={name(each)},ou=people,{BASE}\n" for each in members)
            yield f"dn: cn=d{first},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: d{first}\n{lines}"
        departments = "".join(f"member: cn=d{first},ou=groups,{BASE}\n" for first in range(0, people, _GROUP))
        yield (
            f"dn: cn=vpn-users,ou=groups,{BASE}\nobjectClass: groupOfNames\nobjectClass: dirfactorSubject\n"
            f"cn: vpn-users\ndirfactorPolicy: cn=staff,ou=policies,{BASE}\n{departments}"
        )

    (folder / "directory.ldif").write_text("\n".join(records()))
    secret = folder / "radius.secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    config = folder / "config.ini"
    config.write_text(_CONFIG.format(port=port, base=BASE))
    return config


def write_load(file: Path, people: int, kind: str, counter: int = 0) -> Path:
    """What the load generator types: hotp from a counter on with the PIN in front, totp alone, or a password."""
    written = {
        "hotp": lambda number: f"hotp:{pin(number)}:{seed(number).hex()}:{counter}",
        "totp": lambda number: f"totp::{seed(number).hex()}",
        "password": lambda number: f"Teapot-{number:06}",
    }[kind]
    file.write_text("".join(f"{name(number)} {written(number)}\n" for number in range(people)))
    return file
