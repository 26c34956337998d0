# ruff: noqa: INP001 - bench is a folder of programs, no package
"""The directory behind the peers: slapd with the same people, and salted passwords."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import token_holders
from company import BASE, TOP, login_name

from auth.clock import SYSTEM_CLOCK
from schema.errors import Fault

PASSWORD = "bench-rootpw"  # noqa: S105 - of a server that lives for minutes
_START_SECONDS = 20.0
_CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {home}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
threads 8
database mdb
suffix "{base}"
rootdn "cn=admin,{base}"
rootpw {password}
directory {home}/db
maxsize 1073741824
dbnosync
index objectClass,uid eq
sizelimit unlimited
"""


@contextmanager
def openldap(home: Path, people: int, port: int, pin: list[str]) -> Iterator[int]:
    """A running slapd on a port of loopback; its process id.

    Raises:
        Fault: it does not start.
    """
    (home / "db").mkdir(parents=True)
    (home / "slapd.conf").write_text(_CONFIG.format(home=home, base=BASE, password=PASSWORD))
    (home / "people.ldif").write_text("\n".join(_records(people)))
    add = ["slapadd", "-q", "-f", home / "slapd.conf", "-l", home / "people.ldif"]
    subprocess.run(add, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"ldap://127.0.0.1:{port}"
    process = subprocess.Popen(
        [*pin, "slapd", "-f", home / "slapd.conf", "-h", url, "-d", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = SYSTEM_CLOCK.monotonic() + _START_SECONDS
        ask = ["ldapsearch", "-x", "-H", url, "-b", BASE, "-s", "base"]
        while subprocess.run(ask, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            if process.poll() is not None or SYSTEM_CLOCK.monotonic() > deadline:
                raise Fault("slapd does not start", remedy=f"run it by hand with -d 1 in {home}")
        yield process.pid
    finally:
        process.kill()
        process.wait()


def _records(people: int) -> Iterator[str]:
    yield TOP.removeprefix("version: 1\n\n")  # slapadd takes no version
    names = [(login_name(number), number, "") for number in range(people)]
    names += [
        (token_holders.texted_name(number), number, f"mobile: {token_holders.phone(number)}\n")
        for number in range(token_holders.TEXTED)
    ]
    for name, number, mobile in names:
        yield (
            f"dn: uid={name},ou=people,{BASE}\nobjectClass: inetOrgPerson\n"
            f"uid: {name}\ncn: Person {number}\nsn: {number}\n{mobile}userPassword: {token_holders.stored(number)}\n"
        )
