"""Makes throw-away certificate authorities and server certificates."""

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class ServerFiles:
    """PEM files that a server is configured with: `ca` for its clients, `certificate` and `key` its own."""

    ca: Path
    certificate: Path
    key: Path


def issue(directory: Path, *names: str) -> ServerFiles:
    """Writes a certificate of a new authority for a server.

    Args:
        directory: where the three files go; made when missing.
        names: host names and addresses that clients will connect to (subjectAltName).
    """
    directory.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    server = authority.issue_cert(*names)
    files = ServerFiles(directory / "ca.pem", directory / "server.pem", directory / "server.key")
    authority.cert_pem.write_to_path(str(files.ca))
    for number, part in enumerate(server.cert_chain_pems):
        part.write_to_path(str(files.certificate), append=number > 0)
    # Samba and Postfix refuse a key that others may read.
    files.key.touch(mode=0o600)
    server.private_key_pem.write_to_path(str(files.key))
    return files
