"""Gives tests running servers: one of each for the whole run, started when the first test asks for it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import pytest

from rig.dnsmasq import Dnsmasq
from rig.ds389 import DirectoryServer389
from rig.kannel import FAKESMSC, Kannel
from rig.kerberos import SERVICES, Realm
from rig.ports import loopback_address
from rig.postfix import Postfix
from rig.process import SYSTEM_ENVIRONMENT
from rig.rsyslog import Rsyslog
from rig.samba import LDAPS_PORT, DomainController
from rig.samba_template import samba_template
from rig.slapd import Slapd
from rig.smsc import Smsc
from rig.valkey import Valkey

OPENLDAP_SCHEMA = Path(__file__).parents[2] / "ldif" / "openldap.ldif"
DS389_SCHEMA = Path(__file__).parents[2] / "ldif" / "389-ds.ldif"

# How Postfix answers for these recipients: some may be tried again, some may not.
FULL_MAILBOX = "full@example.test"
NO_MAILBOX = "nobody@example.test"
REFUSALS = {
    FULL_MAILBOX: "452 4.2.2 Mailbox full",
    NO_MAILBOX: "550 5.1.1 No such mailbox",
    "greylisted@example.test": "450 4.2.0 Greylisted, come back later",
    "local-fault@example.test": "451 4.3.0 Local fault",
    "closing@example.test": "421 4.3.2 Shutting down",
    "moved@example.test": "551 5.1.6 User not local",
    "misspelt@example.test": "553 5.1.3 Mailbox name not allowed",
    "banned@example.test": "550 5.7.1 We do not like you",
}
MAIL_ACCOUNT = ("dirfactor", "canary-Mail-4")


class Server(Protocol):
    """What all servers of the rig have in common."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


AnyServer = TypeVar("AnyServer", bound=Server)


def need(*programs: str) -> None:
    """Fails the test when one of a server's programs is not installed; a test of `make test` never skips for that."""
    for program in programs:
        if shutil.which(program, path=SYSTEM_ENVIRONMENT["PATH"]) is None:
            pytest.fail(f"{program} is not installed: run tools/bootstrap servers", pytrace=False)


def need_valkey() -> None:
    """Fails the test when there is neither Valkey nor Redis."""
    if not any(shutil.which(name, path=SYSTEM_ENVIRONMENT["PATH"]) for name in ("valkey-server", "redis-server")):
        pytest.fail("neither valkey-server nor redis-server is installed: run tools/bootstrap servers", pytrace=False)


def need_root() -> None:
    """Fails the test when it does not run as root."""
    if os.geteuid() != 0:
        pytest.fail("this server must be started as root: run make test", pytrace=False)


def need_tun() -> None:
    """Fails the test when this machine has no tunnels."""
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as error:
        pytest.fail(f"/dev/net/tun cannot be opened, and a VPN needs it: {error.strerror}", pytrace=False)


@contextmanager
def running(server: AnyServer) -> Iterator[AnyServer]:
    """Starts a server and stops it in the end, also when it got stuck half-way."""
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _cache() -> Path:
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "dirfactor-tests"


@pytest.fixture(scope="session")
def samba_dc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DomainController]:
    """The run's domain controller, in the state in which the last test left it; work in an OU of your own.

    A fixture that wants it with a schema asks for `samba_dc.become("schema", apply_schema)`.
    """
    need("samba", "samba-tool", "ldbmodify", "ldapmodify")
    need_root()
    with loopback_address(_cache(), LDAPS_PORT) as address:
        home = tmp_path_factory.mktemp("samba")
        with running(DomainController(home, address, samba_template(_cache()))) as dc:
            yield dc


@pytest.fixture
def fresh_dc(samba_dc: DomainController) -> Iterator[DomainController]:
    """The domain controller with nothing in it, for tests that change what cannot be undone."""
    samba_dc.reset()
    yield samba_dc
    samba_dc.reset()


@pytest.fixture(scope="session")
def realm_dc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DomainController, Realm]]:
    """A domain controller of its own that also issues Kerberos tickets; work in an OU of your own."""
    need("samba", "samba-tool", "ldbmodify", "ldapmodify")
    need_root()
    with loopback_address(_cache(), LDAPS_PORT) as address:
        home = tmp_path_factory.mktemp("realm")
        dc = DomainController(home / "dc", address, samba_template(_cache()), services=SERVICES)
        with running(dc):
            realm = Realm(dc, home / "realm")
            realm.name_the_address()
            yield dc, realm


@pytest.fixture(scope="session")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """The run's OpenLDAP server, with the product's schema; work in an OU of your own."""
    need("slapd", "ldapmodify")
    with running(Slapd(tmp_path_factory.mktemp("slapd"), OPENLDAP_SCHEMA)) as server:
        yield server


@pytest.fixture
def fresh_slapd(slapd: Slapd) -> Iterator[Slapd]:
    """The OpenLDAP server with its almost empty tree, for tests that restart it or need to know all of it."""
    slapd.reset()
    yield slapd
    slapd.reset()


@pytest.fixture
def dns(tmp_path: Path) -> Iterator[Dnsmasq]:
    """A DNS server that knows nothing yet."""
    need("dnsmasq")
    with running(Dnsmasq(tmp_path / "dns")) as server:
        yield server


@pytest.fixture(scope="session")
def ds389(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DirectoryServer389]:
    """The run's 389 Directory Server, with the product's schema; work in an OU of your own."""
    need("ns-slapd", "certutil", "ldapmodify")
    need_root()
    with running(DirectoryServer389(tmp_path_factory.mktemp("ds389"), DS389_SCHEMA)) as server:
        yield server


@pytest.fixture(scope="session")
def rsyslog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rsyslog]:
    """The run's syslog receiver."""
    need("rsyslogd")
    with running(Rsyslog(tmp_path_factory.mktemp("rsyslog"))) as receiver:
        yield receiver


@pytest.fixture(scope="session")
def kannel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kannel]:
    """The run's SMS gateway, connected to a fake SMS centre; use a number of your own."""
    need("bearerbox", "smsbox", FAKESMSC)
    with running(Kannel(tmp_path_factory.mktemp("kannel"))) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def smsc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Smsc]:
    """The run's SMS centre, which speaks SMPP; use a number of your own."""
    need("perl")
    if subprocess.run(["perl", "-MNet::SMPP", "-e", "1"], capture_output=True, check=False).returncode:
        pytest.fail("Net::SMPP is not installed: run tools/bootstrap servers", pytrace=False)
    with running(Smsc(tmp_path_factory.mktemp("smsc"))) as centre:
        yield centre


@pytest.fixture(scope="session")
def postfix() -> Iterator[Postfix]:
    """The run's mail server, see REFUSALS for whom it refuses; use an address of your own."""
    need("postfix", "postconf", "saslpasswd2")
    need_root()
    # Not pytest's own directory: only root may enter that, and Postfix delivers as somebody else.
    with (
        tempfile.TemporaryDirectory(prefix="dirfactor-postfix-") as home,
        running(Postfix(Path(home), REFUSALS, MAIL_ACCOUNT)) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """The run's Valkey or Redis, which forgets everything when it ends; use a prefix of your own, and flush nothing."""
    need_valkey()
    with running(Valkey(tmp_path_factory.mktemp("valkey"))) as server:
        yield server


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A server of the test's own, to be killed, flushed and misconfigured."""
    need_valkey()
    with running(Valkey(tmp_path / "valkey")) as server:
        yield server
