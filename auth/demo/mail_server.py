"""A mail server on this machine: `python -m auth.demo.mail_server --help`.

It speaks SMTP, takes no mail before STARTTLS (RFC 3207), refuses what it does not understand, and keeps nothing.
Standard output carries JSON lines: `ready` with the port, then `mail` for each mail with recipient, subject and text.
"""

import argparse
import asyncio
import json
import re
import ssl
import sys
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path

_LARGEST = 1024 * 1024
_PATH = re.compile(rb"(?i)(?:FROM|TO):\s*<([^<>\s]*)>")


@dataclass(slots=True)
class Session:
    """One client's connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    tls: ssl.SSLContext
    encrypted: bool = False
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Serve until the client leaves."""
        await self._say(b"220 demo ESMTP")
        while line := await self.reader.readline():
            verb, _, rest = line.strip().partition(b" ")
            if verb.upper() == b"QUIT":
                return await self._say(b"221 bye")
            await self._command(verb.upper(), rest)
        return None

    async def _command(self, verb: bytes, rest: bytes) -> None:
        if verb in (b"EHLO", b"HELO"):
            extensions = (b"250-demo", b"250-SIZE 1048576", b"250 8BITMIME" if self.encrypted else b"250 STARTTLS")
            await self._say(*(extensions if verb == b"EHLO" else (b"250 demo",)))
        elif verb == b"STARTTLS" and not self.encrypted:
            await self._say(b"220 go ahead")
            await self.writer.start_tls(self.tls)
            self.encrypted = True
        elif verb == b"NOOP":
            await self._say(b"250 yes")
        elif verb == b"RSET":
            self.sender, self.recipients = None, []
            await self._say(b"250 forgotten")
        elif not self.encrypted:
            await self._say(b"530 5.7.0 Must issue a STARTTLS command first")
        else:
            await self._transaction(verb, rest)

    async def _transaction(self, verb: bytes, rest: bytes) -> None:
        path = _PATH.match(rest)
        if verb == b"MAIL" and path and self.sender is None:
            self.sender = path[1].decode()
            await self._say(b"250 ok")
        elif verb == b"RCPT" and path and self.sender is not None:
            self.recipients.append(path[1].decode())
            await self._say(b"250 ok")
        elif verb == b"DATA" and self.recipients:
            await self._data()
        else:
            await self._say(b"503 5.5.1 not now" if verb in (b"MAIL", b"RCPT", b"DATA") else b"500 5.5.2 unknown")

    async def _data(self) -> None:
        await self._say(b"354 end with a dot")
        octets = b""
        while (line := await self.reader.readline()) not in (b".\r\n", b""):
            octets += line[1:] if line.startswith(b"..") else line
            if len(octets) > _LARGEST:
                return await self._say(b"552 5.3.4 too large")
        mail = message_from_bytes(octets, policy=policy.default)
        part = mail.get_body(("plain",))
        text = part.get_content() if part else ""
        for recipient in self.recipients:
            event = {"event": "mail", "to": recipient, "subject": str(mail["Subject"]), "text": text}
            sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()
        self.sender, self.recipients = None, []
        return await self._say(b"250 2.0.0 delivered")

    async def _say(self, *lines: bytes) -> None:
        self.writer.write(b"".join(line + b"\r\n" for line in lines))
        await self.writer.drain()


async def serve(host: str, port: int, certificate: Path) -> None:
    """Serve until cancelled; `certificate` is PEM, key and chain."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.load_cert_chain(certificate)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Session(reader, writer, tls).run()
        except (OSError, ssl.SSLError, asyncio.LimitOverrunError, ValueError):
            pass  # the client's connection is the client's problem
        finally:
            writer.close()

    server = await asyncio.start_server(client, host, port)
    sys.stdout.write(json.dumps({"event": "ready", "port": server.sockets[0].getsockname()[1]}) + "\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> int:
    """Run until killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
    parser.add_argument("--certificate", type=Path, required=True, help="PEM file of key and certificate")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.host, arguments.port, arguments.certificate))
    return 0


if __name__ == "__main__":
    sys.exit(main())
