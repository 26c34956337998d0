# ruff: noqa: INP001 - bench is a folder of programs, no package
"""The peer over HTTP: privacyIDEA from pip under gunicorn with two workers, SQLite, and people of a slapd.

It does what its defaults do, but for three things, each of which makes it faster: tokens have no PIN (hashing one with
its argon2 costs more than all the rest), the directory is not asked for its schema, and what that said is kept for two
minutes.
"""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
import token_holders
from company import BASE, login_name
from processes import listens, running

from schema.errors import Fault

HOME = Path(__file__).resolve().parents[2] / ".cache" / "privacyidea"
"""Where tools/bootstrap puts it."""
_ADMIN = "admin"
_PASSWORD = "bench-adminpw"  # noqa: S105 - of a server that lives for minutes
_CONFIG = """\
import logging
SUPERUSER_REALM = ["super"]
SQLALCHEMY_DATABASE_URI = "sqlite:///{home}/tokens.sqlite"
SECRET_KEY = "a key of a server that lives for minutes"
PI_PEPPER = "likewise"
PI_ENCFILE = "{home}/enckey"
PI_AUDIT_KEY_PRIVATE = "{home}/private.pem"
PI_AUDIT_KEY_PUBLIC = "{home}/public.pem"
PI_LOGFILE = "{home}/privacyidea.log"
PI_LOGLEVEL = logging.ERROR
PI_UUID_FILE = "{home}/uuid"
"""
_SETUP = (
    ("setup", "create_enckey"),
    ("setup", "create_audit_keys"),
    ("setup", "create_tables"),
    ("admin", "add", _ADMIN, "-p", _PASSWORD),
)


@contextmanager
def privacyidea(
    home: Path, tokens: int, port: int, ldap: tuple[int, str], gateway: int, pin: Sequence[str]
) -> Iterator[int]:
    """A running server, in which the first `tokens` people have a counter token and as many others get texts.

    Args:
        home: for its files.
        tokens: how many of each.
        port: where it listens.
        ldap: port and password of the slapd that has the people.
        gateway: port of the gateway.
        pin: the command that binds it to its cores.

    Yields:
        The process id of gunicorn, whose children are the workers.

    Raises:
        Fault: it does not start, or take what it is given.
    """
    home.mkdir()
    config = home / "pi.cfg"
    config.write_text(_CONFIG.format(home=home))
    environment = {"PRIVACYIDEA_CONFIGFILE": str(config)}
    for command in _SETUP:
        done = subprocess.run([HOME / "bin" / "pi-manage", *command], env=environment, check=False, capture_output=True)
        if done.returncode:
            raise Fault(f"pi-manage {command[0]} failed", remedy=done.stderr.decode()[-2000:])
    application = f"privacyidea.app:create_app(config_name='production', config_file='{config}', silent=True)"
    bound = ["--workers", "2", "--bind", f"127.0.0.1:{port}", "--log-level", "error"]
    with running(pin, [HOME / "bin" / "gunicorn", *bound, application], **environment) as process:
        listens(port)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            administrator = _Administrator(client)
            administrator.people(*ldap)
            administrator.gateway(gateway)
            for number in range(tokens):
                administrator.tokens(number)
        yield process


class _Answer(msgspec.Struct, frozen=True):
    result: dict[str, object] = {}


class _Administrator:
    """Whoever sets privacyIDEA up over its own API."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        said = self._post("/auth", username=_ADMIN, password=_PASSWORD)
        client.headers["Authorization"] = msgspec.convert(said, type=dict[str, object])["token"]

    def people(self, port: int, password: str) -> None:
        """They are those of a slapd."""
        mapped = {"username": "uid", "mobile": "mobile", "surname": "sn", "givenname": "cn"}
        self._post(
            "/resolver/people",
            type="ldapresolver",
            LDAPURI=f"ldap://127.0.0.1:{port}",
            LDAPBASE=f"ou=people,{BASE}",
            BINDDN=f"cn=admin,{BASE}",
            BINDPW=password,
            LOGINNAMEATTRIBUTE="uid",
            LDAPSEARCHFILTER="(uid=*)(objectClass=inetOrgPerson)",
            USERINFO=msgspec.json.encode(mapped).decode(),
            UIDTYPE="entryUUID",
            CACHE_TIMEOUT="120",
            TIMEOUT="5",
            AUTHTYPE="Simple",
            SCOPE="SUBTREE",
            SIZELIMIT="50000",
            NOREFERRALS="1",
            NOSCHEMAS="1",
        )
        self._post("/realm/bench", resolvers="people")
        self._post("/defaultrealm/bench")

    def gateway(self, port: int) -> None:
        """Texts go there."""
        options = {
            "URL": f"http://127.0.0.1:{port}/sms",
            "HTTP_METHOD": "POST",
            "to": "{phone}",
            "text": "{otp}",
            "CHECK_SSL": "no",
        }
        module = "privacyidea.lib.smsprovider.HttpSMSProvider.HttpSMSProvider"
        self._post(
            "/smsgateway", name="sink", module=module, **{f"option.{name}": value for name, value in options.items()}
        )
        self._post("/system/setConfig", **{"sms.identifier": "sink"})

    def tokens(self, number: int) -> None:
        """One person has a counter token, and another gets texts."""
        seed = token_holders.seed(number).hex()
        self._post("/token/init", type="hotp", otpkey=seed, otplen="6", user=login_name(number), realm="bench")
        person, phone = token_holders.texted_name(number), token_holders.phone(number)
        self._post("/token/init", type="sms", genkey="1", phone=phone, user=person, realm="bench")

    def _post(self, path: str, **fields: str) -> object:
        answer = self._client.post(path, json=fields)
        result = msgspec.json.decode(answer.content, type=_Answer).result if answer.is_success else {}
        if not result.get("status"):
            raise Fault(f"privacyIDEA does not take {path}", remedy=answer.text[:2000])
        return result.get("value")
