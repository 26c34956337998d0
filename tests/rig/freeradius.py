"""FreeRADIUS in front of us, which ends PEAP and TTLS and asks what is inside; and behind us, as the old server."""

import os
from dataclasses import dataclass
from enum import Enum
from grp import getgrgid
from pathlib import Path
from pwd import getpwuid
from string import Template

from docs.blocks import ROOT, blocks
from rig.certificates import issue
from rig.ports import LOOPBACK
from rig.process import Process, copy_tree
from rig.sections import change, leave_out, settings_of

_AS_IT_COMES = Path("/etc/freeradius/3.0")


class Inside(Enum):
    """How FreeRADIUS asks us about EAP inside PEAP; what is inside TTLS it asks by the protocol that it finds there."""

    AS_EAP = "yes"  # the packets as they are
    AS_MSCHAPV2 = "no"  # EAP-MSCHAPv2 becomes MS-CHAPv2


@dataclass(frozen=True)
class Behind:
    """The server that is asked.

    Attributes:
        port: of its RADIUS door.
        secret: shared with it.
    """

    port: int
    secret: str


def freeradius(folder: Path, port: int, secret: str, behind: Behind, inside: Inside) -> Process:
    """A FreeRADIUS that listens and is ready: as Debian's package comes, changed as docs/radius.md says.

    Args:
        folder: for its files; made when missing.
        port: free on 127.0.0.1.
        secret: shared with the switch or VPN.
        behind: whom it asks.
        inside: how.

    Raises:
        ServerFailure: a setting of the page is in no section that FreeRADIUS comes with.
    """
    copy_tree(_AS_IT_COMES, folder)
    _say_what_is_of_this_machine(folder, port, secret)
    said = {block.name: block.text for block in blocks(ROOT / "docs" / "radius.md") if block.kind == "text"}
    with (folder / "proxy.conf").open("a") as proxy:
        proxy.write(
            said["proxy.conf"]
            .replace("192.0.2.20", LOOPBACK)
            .replace("port = 1812", f"port = {behind.port}")
            .replace("the shared secret of this access node", behind.secret)
        )
    for name in ("sites-enabled/inner-tunnel", "mods-enabled/eap"):
        settings = settings_of(said[name].replace("as_eap = yes", f"as_eap = {inside.value}"))
        change(folder / name, settings)
    return _started(folder)


def _say_what_is_of_this_machine(folder: Path, port: int, secret: str) -> None:
    """Its own certificate, ports, client, account and folders."""
    files = issue(folder, "radius.example.org")
    tls = ("eap", "tls-config tls-common")
    places = {(name,): str(folder) for name in ("raddbdir", "logdir", "run_dir")}
    account = {
        ("security", "user"): getpwuid(os.getuid()).pw_name,
        ("security", "group"): getgrgid(os.getgid()).gr_name,
    }
    change(folder / "radiusd.conf", places | account)
    change(folder / "clients.conf", {("client localhost", "secret"): f'"{secret}"'})
    change(
        folder / "mods-enabled" / "eap",
        {
            (*tls, "private_key_file"): str(files.key),
            (*tls, "certificate_file"): str(files.certificate),
            (*tls, "ca_file"): str(files.ca),
        },
    )
    for site in ("default", "inner-tunnel"):
        leave_out(folder / "sites-enabled" / site, "listen")
    with (folder / "radiusd.conf").open("a") as config:
        config.write(f"listen {{\n type = auth\n ipaddr = {LOOPBACK}\n port = {port}\n virtual_server = default\n}}\n")


def old_freeradius(folder: Path, port: int, secret: str, users: str) -> Process:
    """A FreeRADIUS that a company had before us.

    Args:
        folder: for its files; made when missing.
        port: free on 127.0.0.1.
        secret: shared with us.
        users: its file of users.
    """
    folder.mkdir(exist_ok=True)
    (folder / "users").write_text(users)
    (folder / "radiusd.conf").write_text(Template(_ALWAYS + _OLD).substitute(folder=folder, port=port, secret=secret))
    return _started(folder)


def _started(folder: Path) -> Process:
    log = folder / "radiusd.log"
    server = Process(["freeradius", "-f", "-l", "stdout", "-d", str(folder), "-n", "radiusd"], log=log)
    server.start(lambda: "Ready to process requests" in log.read_text(errors="replace"))
    return server


_ALWAYS = """\
prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = $folder
logdir = $folder
run_dir = $folder
name = radiusd
log {
    destination = stdout
}
security {
    max_attributes = 200
    reject_delay = 0
    status_server = no
}
"""
_OLD = """\
proxy_requests = no
client dirfactor {
    ipaddr = 127.0.0.1
    secret = "$secret"
}
modules {
    files {
        usersfile = $folder/users
    }
    pap {
    }
    always ok {
        rcode = ok
    }
}
server old {
    listen {
        type = auth
        ipaddr = 127.0.0.1
        port = $port
    }
    authorize {
        files
        pap
    }
    authenticate {
        Auth-Type PAP {
            pap
        }
    }
}
"""
