# ruff: noqa: INP001 - bench is a folder of programs, no package
"""People with a PIN and a counter token, others that get texts: for the service, the load and the peers."""

import base64
import hashlib
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import count
from pathlib import Path

from company import BASE, TOP, group, login_name

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.demo.service import free_port
from auth.keys.ring import Ring
from auth.keys.ring_file import RingFile
from auth.memorised.pin import pin_value
from auth.otp.sealed import sealed_token
from auth.otp.token import SoftwareToken
from schema.secret import Secret
from schema.words import TokenKind

SECRET = "bench-s3cret-of-sixteen"  # noqa: S105 - of a server that lives for minutes
API_KEY = hashlib.sha256(b"bench").hexdigest()
LOOK_AHEAD = 10
_CODES = 150
"""How many of each person's are used in a run, at the most."""
TEXTED = 1000
"""How many people get texts. In each area of North America 555-0100 to 0199 are nobody's numbers, a hundred of them."""
_AREAS = ("202", "206", "212", "213", "303", "305", "312", "404", "415", "512")
_NAMESPACE = uuid.UUID("6d9a2c1e-8a61-4b0e-9d36-0c0f3ce6a0b1")
_GROUP = 50
_CONFIG = """\
[service]
state_directory = state
refusal_seconds = 0

[directory]
{directory}

[radius]
host = 127.0.0.1
port = {port}
packets_per_second = 0

[http]
port = {http_port}

[sms:sink]
url = http://127.0.0.1:{gateway_port}/sms
sender = dirfactor
body = form
fields =
    to = {{phone}}
    text = {{text}}
success_status = 200
success_body = OK

[spend]
per_user_hour = 1000000
per_user_day = 1000000
per_number_day = 1000000
per_prefix_day = 100000000
per_day = 100000000

[node:vpn]
dirfactorAddress = 127.0.0.1
secret = file:radius.secret
dirfactorMember = cn=vpn-users,ou=groups,{base}

[node:portal]
dirfactorNodeType = http
dirfactorApiKeyHash = {api_key_hash}
dirfactorMember = cn=vpn-users,ou=groups,{base}
"""
_POLICIES = f"""\
dn: ou=groups,{BASE}
objectClass: organizationalUnit
ou: groups

dn: cn=staff,ou=policies,{BASE}
objectClass: dirfactorSecurityPolicy
cn: staff
dirfactorFirstMethod: token
dirfactorPinWithToken: TRUE
dirfactorTokenOrder: hotp
dirfactorHotpLookAhead: {LOOK_AHEAD}
dirfactorReplyAttribute: Filter-Id=staff

dn: cn=texts,ou=policies,{BASE}
objectClass: dirfactorSecurityPolicy
cn: texts
dirfactorFirstMethod: password
dirfactorSecondMethod: token
dirfactorTokenOrder: sms
dirfactorSmsEnabled: TRUE
dirfactorCodesPerWindow: 100
"""


@dataclass(frozen=True)
class Ports:
    """Where the service listens, and where it finds its gateway, on loopback."""

    radius: int
    http: int
    gateway: int

    @classmethod
    def free(cls) -> "Ports":
        """Ports that nobody has just now."""
        return cls(free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM))


@cache
def seed(number: int) -> bytes:
    """The seed of a person's token, 20 octets.

    None of its first codes comes again within the look-ahead: such a one uses up all positions that have it, and the
    codes between them are refused, as they should be. It happens to one person in a thousand who logs on a hundred
    times, and would end the measurement.
    """
    return next(made for made in map(partial(_seed, number), count()) if not _repeats(made))


def _seed(number: int, attempt: int) -> bytes:
    return hashlib.sha256(f"seed {number} {attempt}".encode()).digest()[:20]


def _repeats(made: bytes) -> bool:
    codes = SoftwareToken(TokenKind.HOTP, "S", made).codes(range(_CODES))
    return any(code in codes[at + 1 : at + 1 + LOOK_AHEAD] for at, code in enumerate(codes))


def pin(number: int) -> str:
    """A person's PIN."""
    return str(4711 + number % 1000)


def password(number: int) -> str:
    """A person's password."""
    return f"Teapot-{number:06}"


def stored(number: int) -> str:
    """The same as a directory stores it."""
    salt = seed(number)[:8]
    digest = hashlib.sha1(password(number).encode() + salt).digest()  # noqa: S324 - SSHA is what slapd has
    return "{SSHA}" + base64.b64encode(digest + salt).decode()


def phone(number: int) -> str:
    """Where the texts of one of the first `TEXTED` go."""
    return f"+1{_AREAS[number // 100]}555{100 + number % 100:04}"


def texted_name(number: int) -> str:
    """The login name of one who gets texts; they have the same number's password."""
    return f"text{number:06}"


def records(people: int, ring: Ring) -> Iterator[str]:
    """The directory below its top, as LDIF.

    Everybody is in a department of fifty, and all departments in the group that has the policy of PIN and code. As many
    as `TEXTED` more have a policy of their own: password, then a text.

    Args:
        people: how many have tokens.
        ring: seals their PINs and seeds.
    """
    yield _POLICIES
    for number in range(people):
        entry = uuid.uuid5(_NAMESPACE, login_name(number))
        token = SoftwareToken(TokenKind.HOTP, f"S{number}", seed(number))
        yield (
            f"dn: uid={login_name(number)},ou=people,{BASE}\n"
            "objectClass: inetOrgPerson\nobjectClass: dirfactorUser\n"
            f"entryUUID: {entry}\nuid: {login_name(number)}\ncn: Person {number}\nsn: {number}\n"
            f"mail: {login_name(number)}@demo.example\n"
            "dirfactorToken: hotp\n"
            f"dirfactorPin: {pin_value(ring, entry.bytes, Secret(pin(number)))}\n"
            f"dirfactorSecret: {sealed_token(ring, entry.bytes, token, SYSTEM_ENTROPY.octets(12))}\n"
        )
    for number in range(TEXTED):
        yield (
            f"dn: uid={texted_name(number)},ou=people,{BASE}\n"
            "objectClass: inetOrgPerson\nobjectClass: dirfactorUser\nobjectClass: dirfactorSubject\n"
            f"entryUUID: {uuid.uuid5(_NAMESPACE, texted_name(number))}\nuid: {texted_name(number)}\n"
            f"cn: Person {number}\nsn: {number}\nmobile: {phone(number)}\nuserPassword: {stored(number)}\n"
            f"dirfactorToken: sms\ndirfactorPolicy: cn=texts,ou=policies,{BASE}\n"
        )
    firsts = range(0, people, _GROUP)
    for first in firsts:
        members = range(first, min(people, first + _GROUP))
        yield group(f"d{first}", "groupOfNames", (f"uid={login_name(each)},ou=people,{BASE}" for each in members))
    everybody = (
        *(f"cn=d{first},ou=groups,{BASE}" for first in firsts),
        *(f"uid={texted_name(number)},ou=people,{BASE}" for number in range(TEXTED)),
    )
    vpn_users = group("vpn-users", "groupOfNames\nobjectClass: dirfactorSubject", everybody)
    yield f"{vpn_users}dirfactorPolicy: cn=staff,ou=policies,{BASE}\n"


def new_ring(folder: Path) -> Ring:
    """The keys of a service whose config.ini is in this folder."""
    state = folder / "state"
    state.mkdir(mode=0o700)
    return RingFile(state / "keys.ring").made(SYSTEM_CLOCK, SYSTEM_ENTROPY)


def write_site(folder: Path, people: int, ports: Ports) -> Path:
    """A directory in a file, its keys and a config.ini for the service; the path of the last."""
    (folder / "directory.ldif").write_text("\n".join((TOP, *records(people, new_ring(folder)))))
    return write_config(folder, ports, "kind = ldif\nfile = directory.ldif", BASE)


def write_config(folder: Path, ports: Ports, directory: str, base: str) -> Path:
    """A config.ini with this [directory], whose people stand below this base; its path."""
    secret = folder / "radius.secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    config = folder / "config.ini"
    config.write_text(
        _CONFIG.format(
            directory=directory,
            port=ports.radius,
            http_port=ports.http,
            gateway_port=ports.gateway,
            base=base,
            api_key_hash=hashlib.sha256(API_KEY.encode()).hexdigest(),
        )
    )
    return config


def write_load(file: Path, people: int, kind: str, counter: int = 0) -> Path:
    """What the load generator types: hotp from a counter on with the PIN in front, totp alone, or a password."""
    written = {
        "hotp": lambda number: f"hotp:{pin(number)}:{seed(number).hex()}:{counter}",
        "totp": lambda number: f"totp::{seed(number).hex()}",
        "password": password,
    }[kind]
    file.write_text("".join(f"{login_name(number)} {written(number)}\n" for number in range(people)))
    return file
