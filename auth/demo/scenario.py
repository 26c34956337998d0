"""`dirfactor demo`: the real service on a small directory, logged on to by SMS, e-mail and VIP, with a transcript."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from auth.clock import SYSTEM_CLOCK, Clock
from auth.demo.service import Reply, audit_lines
from auth.demo.site import Site, open_site

_PATIENCE = 5.0
_PASSWORDS = {"alice": "violet-Teapot-41", "bob": "marble-Kettle-52", "carol": "copper-Ladder-63"}
Ask = Callable[..., Awaitable[Reply]]


@dataclass(slots=True)
class Transcript:
    """What the demo prints, and whether everything was as it should be."""

    console: Console
    failures: int = 0
    width: int = field(default=11)

    def title(self, text: str) -> None:
        """A heading."""
        self.console.print(f"\n[bold]{text}[/bold]")

    def line(self, who: str, text: str) -> None:
        """Somebody does or sees something."""
        self.console.print(f"  {who:<{self.width}} {text}", markup=False)

    def verdict(self, reply: Reply, wanted: str, *, note: str = "") -> None:
        """What the door said; wrong is counted and shown in red."""
        right = reply.outcome == wanted
        self.failures += not right
        text = f"{reply.outcome}{note}" if right else f"{reply.outcome}, but {wanted} was expected{note}"
        self.console.print(f"  {'dirfactor':<{self.width}} {text}", style="green" if right else "red", markup=False)


async def run_demo(console: Console, *, keep: bool, clock: Clock = SYSTEM_CLOCK) -> bool:
    """Run the demo and print its transcript.

    Args:
        console: where the transcript goes.
        keep: leave the demo's folder behind.
        clock: for the measured time between an edit and its effect.

    Returns:
        Whether every logon ended as it should.

    Raises:
        Fault: a part of the demo could not be started.
    """
    folder = Path(tempfile.mkdtemp(prefix="dirfactor-demo-"))
    transcript = Transcript(console)
    begun = clock.monotonic()
    async with AsyncExitStack() as stack:
        if not keep:
            stack.callback(_remove, folder)
        site = await stack.enter_async_context(open_site(folder))
        transcript.title("dirfactor demo")
        transcript.line(
            "running", "dirfactor serve, an SMS gateway, a mail server and a VIP service, all on this machine"
        )
        transcript.line("directory", str(site.directory))
        transcript.line("ready in", f"{clock.monotonic() - begun:.1f} s")
        await _logons(site, transcript)
        await _edit(site, transcript, clock)
        await _refusals(site, transcript)
        _audit(site, transcript)
        transcript.title("That was all." if not transcript.failures else f"{transcript.failures} steps went wrong.")
        if keep:
            transcript.line("kept", str(folder))
    return not transcript.failures


async def _logons(site: Site, transcript: Transcript) -> None:
    """Each kind of token over each door."""
    for door, ask in (("RADIUS", site.by_radius), ("HTTP", site.by_http)):
        transcript.title(f"Alice, by SMS over {door}")
        await _by_message(site, transcript, ask, "alice", site.text_code)
        transcript.title(f"Bob, by e-mail over {door}")
        await _by_message(site, transcript, ask, "bob", site.mail_code)
    transcript.title("Carol, by VIP over RADIUS, with the first of her two credentials")
    await _by_vip(site, transcript, site.by_radius, "carol", "VSST10000003")
    transcript.title("Carol, by VIP over HTTP, with the second")
    await _by_vip(site, transcript, site.by_http, "carol", "VSST10000004")


async def _by_message(
    site: Site, transcript: Transcript, ask: Ask, user: str, code_of: Callable[[int], Awaitable[str]]
) -> None:
    mark = site.mark()
    transcript.line(user, f"password {_PASSWORDS[user]}")
    reply = await ask(user, _PASSWORDS[user])
    transcript.verdict(reply, "challenged", note=f': "{reply.message}"')
    if reply.state is None:
        return
    code = await code_of(mark)
    transcript.line(user, f"code {code}, as it arrived")
    transcript.verdict(await ask(user, code, reply.state), "accepted")


async def _by_vip(site: Site, transcript: Transcript, ask: Ask, user: str, credential: str) -> None:
    transcript.line(user, f"password {_PASSWORDS[user]}")
    reply = await ask(user, _PASSWORDS[user])
    transcript.verdict(reply, "challenged", note=f': "{reply.message}"')
    if reply.state is None:
        return
    code = site.vip_code(credential)
    transcript.line(user, f"code {code}, as credential {credential} shows it")
    transcript.verdict(await ask(user, code, reply.state), "accepted")


async def _edit(site: Site, transcript: Transcript, clock: Clock) -> None:
    """An attribute is edited, and the next logon shows it."""
    transcript.title("An administrator gives Alice a VIP credential instead of texts")
    transcript.line("admin", "dirfactorToken of alice: sms -> vip, and saves the file")
    site.edit("dirfactorToken: sms", "dirfactorToken: vip")
    begun = clock.monotonic()
    while clock.monotonic() - begun < _PATIENCE:
        reply = await site.by_http("alice", _PASSWORDS["alice"])
        if reply.method == "vip":
            break
        await asyncio.sleep(0.1)
    took = clock.monotonic() - begun
    transcript.verdict(reply, "challenged", note=f' {took:.2f} s after the edit: "{reply.message}"')
    if reply.method != "vip" or reply.state is None:
        transcript.verdict(reply, "asking for VIP")
        return
    code = site.vip_code("VSST10000001")
    transcript.line("alice", f"code {code}, as credential VSST10000001 shows it")
    transcript.verdict(await site.by_http("alice", code, reply.state), "accepted")


async def _refusals(site: Site, transcript: Transcript) -> None:
    """What must not open."""
    transcript.title("A wrong code, then a used one")
    mark = site.mark()
    first = await site.by_radius("bob", _PASSWORDS["bob"])
    code = await site.mail_code(mark)
    wrong = f"{(int(code) + 1) % 10 ** len(code):0{len(code)}d}"
    transcript.line("bob", f"code {wrong}, one digit off")
    second = await site.by_radius("bob", wrong, first.state)
    transcript.verdict(second, "challenged", note=f': "{second.message}"')
    transcript.line("bob", f"code {code}, the right one")
    transcript.verdict(await site.by_radius("bob", code, second.state), "accepted")
    transcript.line("somebody", f"code {code} once more, with the same State")
    transcript.verdict(await site.by_radius("bob", code, second.state), "refused")
    transcript.title("A wrong password, an unknown user, a user without a token")
    transcript.line("somebody", "alice with password secret")
    transcript.verdict(await site.by_radius("alice", "secret"), "refused")
    transcript.line("somebody", "mallory with password secret")
    transcript.verdict(await site.by_http("mallory", "secret"), "refused")
    transcript.line("dora", "password silver-Anchor-74; nobody has given her a token")
    transcript.verdict(await site.by_http("dora", "silver-Anchor-74"), "refused")


def _audit(site: Site, transcript: Transcript) -> None:
    """Everybody heard the same words; the audit knows why."""
    transcript.title("What the audit says of the refusals (everybody at the keyboard saw the same words)")
    for line in audit_lines(site.audit):
        if line["outcome"] == "refused":
            transcript.line(line["name"], f"{line['reason']:<18} {line['door']:<7} {line['correlation']}")


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()
