# ruff: noqa: INP001 - bench is a folder of programs, no package
"""The peer: FreeRADIUS 3.2 with a list of passwords, with rlm_totp, and with rlm_ldap in front of a slapd."""

import base64
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import token_holders
from company import BASE, login_name

from auth.clock import SYSTEM_CLOCK
from auth.demo.service import free_port
from schema.errors import Fault

_START_SECONDS = 20.0
_LDAP = """\
 ldap {name} {{
  server = "ldap://127.0.0.1:{port}"
  identity = "cn=admin,{base}"
  password = {password}
  base_dn = "ou=people,{base}"
  {update}
  user {{
   base_dn = "ou=people,{base}"
   filter = "(uid=%{{User-Name}})"
  }}
  options {{
   chase_referrals = no
   res_timeout = 10
   srv_timelimit = 3
   net_timeout = 1
  }}
  pool {{
   start = 5
   min = 3
   max = 32
   spare = 10
   uses = 0
   lifetime = 0
   idle_timeout = 60
  }}
 }}
"""
_SERVER = """\
server {name} {{
 listen {{
  type = auth
  ipaddr = 127.0.0.1
  port = {port}
 }}
 authorize {{
  {authorize}
 }}
 authenticate {{
  {authenticate}
 }}
}}
"""
_MAIN = """\
prefix = /usr
sysconfdir = {home}
localstatedir = {home}
raddbdir = {home}
libdir = /usr/lib/freeradius
logdir = {home}
run_dir = {home}
name = bench
pidfile = {home}/bench.pid
max_request_time = 30
cleanup_delay = 5
max_requests = 65536
hostname_lookups = no
log {{
 destination = files
 file = {home}/radius.log
 auth = no
}}
security {{
 max_attributes = 200
 reject_delay = 0
 status_server = no
 allow_vulnerable_openssl = yes
}}
proxy_requests = no
client local {{
 ipaddr = 127.0.0.1
 secret = {secret}
 require_message_authenticator = yes
}}
thread pool {{
 start_servers = 5
 max_servers = 32
 min_spare_servers = 3
 max_spare_servers = 10
 max_requests_per_server = 0
 auto_limit_acct = no
}}
modules {{
 pap {{
  normalise = yes
 }}
 files files {{
  usersfile = {home}/passwords
  key = "%{{User-Name}}"
 }}
 files files_totp {{
  usersfile = {home}/seeds
  key = "%{{User-Name}}"
 }}
 totp {{ }}
{ldap}}}
{servers}"""
_FORMS = {
    "files": ("files\n  pap", "pap"),
    "totp": (
        (
            "files_totp\n  update control {\n   Auth-Type := totp\n  }\n"
            "  update request {\n   &TOTP-Password := &User-Password\n  }"
        ),
        "Auth-Type totp {\n   totp.authenticate\n  }",
    ),
    "bind": ("update control {\n   Auth-Type := ldap_bind\n  }", "Auth-Type ldap_bind {\n   ldap_bind\n  }"),
    "attribute": ("ldap_attribute\n  pap", "pap"),
}


@contextmanager
def freeradius(
    home: Path, people: int, ldap_port: int | None, password: str, pin: list[str]
) -> Iterator[dict[str, int]]:
    """A running server; port of each form: files, totp, and with a slapd bind and attribute. Its process id is `pid`.

    Raises:
        Fault: it does not start.
    """
    home.mkdir()
    (home / "passwords").write_text(
        "".join(f'{login_name(n)} Cleartext-Password := "{token_holders.password(n)}"\n' for n in range(people))
    )
    (home / "seeds").write_text(
        "".join(
            f'{login_name(n)} TOTP-Secret := "{base64.b32encode(token_holders.seed(n)).decode()}"\n'
            for n in range(people)
        )
    )
    forms = [form for form in _FORMS if ldap_port or form in ("files", "totp")]
    ports = {form: free_port(socket.SOCK_DGRAM) for form in forms}
    ldap = ""
    for name, update in (
        ("ldap_bind", ""),
        ("ldap_attribute", "update {\n   control:Password-With-Header += 'userPassword'\n  }"),
    ):
        if ldap_port:
            ldap += _LDAP.format(name=name, port=ldap_port, base=BASE, password=password, update=update)
    servers = "".join(
        _SERVER.format(name=f"s_{form}", port=ports[form], authorize=_FORMS[form][0], authenticate=_FORMS[form][1])
        for form in forms
    )
    (home / "radiusd.conf").write_text(_MAIN.format(home=home, secret=token_holders.SECRET, ldap=ldap, servers=servers))
    process = subprocess.Popen(
        [*pin, "freeradius", "-d", home, "-n", "radiusd", "-f", "-l", home / "radius.log"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = SYSTEM_CLOCK.monotonic() + _START_SECONDS
        log = home / "radius.log"
        while not (log.exists() and "Ready to process" in log.read_text(errors="replace")):
            if process.poll() is not None or SYSTEM_CLOCK.monotonic() > deadline:
                said = log.read_text(errors="replace")[-2000:] if log.exists() else "nothing"
                raise Fault("FreeRADIUS does not start", remedy=said)
        yield {**ports, "pid": process.pid}
    finally:
        process.kill()
        process.wait()
