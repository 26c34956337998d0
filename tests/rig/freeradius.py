"""FreeRADIUS in front of us, which ends PEAP and TTLS and asks what is inside; and behind us, as the old server."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from string import Template

from rig.certificates import issue
from rig.process import Process


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
    """A FreeRADIUS that listens and is ready.

    Args:
        folder: for its files; made when missing.
        port: free on 127.0.0.1.
        secret: shared with the switch or VPN.
        behind: whom it asks.
        inside: how.
    """
    files = issue(folder, "radius.example.org")
    (folder / "radiusd.conf").write_text(
        Template(_ALWAYS + _CONFIG).substitute(
            folder=folder,
            port=port,
            secret=secret,
            back_port=behind.port,
            back_secret=behind.secret,
            as_eap=inside.value,
            key=files.key,
            certificate=files.certificate,
            ca=files.ca,
        )
    )
    log = folder / "radiusd.log"
    server = Process(["freeradius", "-f", "-l", "stdout", "-d", str(folder), "-n", "radiusd"], log=log)
    server.start(lambda: "Ready to process requests" in log.read_text(errors="replace"))
    return server


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
_CONFIG = """\
proxy_requests = yes
proxy server {
    default_fallback = no
}
home_server us {
    type = auth
    ipaddr = 127.0.0.1
    port = $back_port
    secret = "$back_secret"
    response_window = 20
    status_check = none
}
home_server_pool us {
    type = fail-over
    home_server = us
}
realm us {
    auth_pool = us
    nostrip
}
client switch {
    ipaddr = 127.0.0.1
    secret = "$secret"
}
modules {
    eap {
        default_eap_type = peap
        tls-config tls {
            private_key_file = $key
            certificate_file = $certificate
            ca_file = $ca
            tls_min_version = "1.2"
            tls_max_version = "1.2"
        }
        peap {
            tls = tls
            default_eap_type = mschapv2
            use_tunneled_reply = yes
            proxy_tunneled_request_as_eap = $as_eap
            virtual_server = inside
        }
        ttls {
            tls = tls
            default_eap_type = mschapv2
            use_tunneled_reply = yes
            virtual_server = inside
        }
        mschapv2 {
        }
    }
    mschap {
    }
}
server front {
    listen {
        type = auth
        ipaddr = 127.0.0.1
        port = $port
    }
    authorize {
        eap
    }
    authenticate {
        eap
    }
    post-proxy {
        eap
    }
}
server inside {
    authorize {
        update control {
            &Proxy-To-Realm := "us"
        }
        eap
    }
    authenticate {
        Auth-Type MS-CHAP {
            mschap
        }
        eap
    }
    post-proxy {
        eap
    }
}
"""
