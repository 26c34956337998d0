"""VIP on this machine: `python -m auth.demo.vip --help`.

It speaks both dialects, demands a client certificate of its own authority, keeps its credentials in memory and refuses
what the real service refuses. Standard output carries JSON lines: one that says `ready` with the port, one for each
request, without its codes, and one for each code that it sends, as a telephone would show it.
"""

import argparse
import sys
from datetime import UTC
from pathlib import Path

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.demo.certificates import CertificateFolder
from auth.demo.vip.misbehaviour import Misbehaviour, Wrong
from auth.demo.vip.registry import Registry
from auth.demo.vip.server import VipServer, server_tls


def main() -> int:
    """Make certificates, or serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m auth.demo.vip", description="A VIP service to try with.")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--make-certificates", type=Path, metavar="DIR", help="write throw-away certificates, and end")
    action.add_argument("--credentials", type=Path, metavar="FILE", help='JSON list of {"id", "seed", "status"}')
    parser.add_argument("--certificates", type=Path, metavar="DIR", help="what --make-certificates wrote")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
    parser.add_argument(
        "--misbehave",
        type=Misbehaviour.read,
        metavar="HOW",
        help=f"go wrong always: {', '.join(Wrong)}; reason, hang and status take a value, as hang:3",
    )
    arguments = parser.parse_args()
    if arguments.make_certificates:
        CertificateFolder(arguments.make_certificates).make(SYSTEM_CLOCK.now().astimezone(UTC), SYSTEM_ENTROPY)
        return 0
    if not arguments.certificates:
        parser.error("--credentials needs --certificates")
    try:
        registry = Registry.load(arguments.credentials)
        tls = server_tls(CertificateFolder(arguments.certificates))
    except (OSError, ValueError) as error:
        parser.error(str(error))
    with VipServer(
        (arguments.host, arguments.port), tls, registry, arguments.misbehave, SYSTEM_CLOCK, SYSTEM_ENTROPY
    ) as server:
        server.log(event="ready", port=server.server_address[1])
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
