"""Texts through a program: started once for each text, no retry; its exit status says what became of it."""

import asyncio
import math
import os
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from auth.addresses import PhoneNumber
from auth.channels.base import DeliveryFailed, Message, Receipt
from auth.channels.sms.command.run import Ended, Run
from auth.channels.sms.command.settings import CommandSettings
from schema.errors import Fault

# sysexits.h
_TAKEN: Final = 0
_NO_USER: Final = 67
_TEMPORARY: Final = 75
_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_SHOWN_ID = re.compile(rb"[!-~]{1,100}")
_DIGITS = re.compile(r"\d{4,}", re.ASCII)
_AT_ONCE: Final = 32
_MAYBE_SENT: Final = "see in the program's log whether the text was sent; on_unknown says whether another is tried"


class CommandGateway:
    """`auth.channels.base.Gateway` for phone numbers.

    Args:
        name: its name in config.ini.
        settings: its section.

    Raises:
        Fault: the section cannot work.
    """

    def __init__(self, name: str, settings: CommandSettings) -> None:
        self.name = name
        self.on_unknown = settings.on_unknown
        self._settings = settings
        # their own: in the loop's, programs that are slow would hold up the look-up of every other gateway's name
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix=f"sms {name}")
        try:
            _check(settings)
        except Fault as fault:
            raise fault.about(f"[sms:{name}]") from None

    async def send(self, to: PhoneNumber, message: Message, *, seconds: float = math.inf) -> Receipt:
        """Run the program once; see `Gateway.send`."""
        seconds = min(seconds, self._settings.timeout_seconds)
        run = Run(arguments(self._settings, to), environment(self._settings, to))
        try:
            ended = await asyncio.get_running_loop().run_in_executor(
                self._threads, run.wait, message.text.encode(), seconds
            )
        except OSError as error:
            failure = DeliveryFailed(
                f"the program could not be started ({type(error).__name__})",
                remedy="check program of its section: it must exist, and the service's user may execute it",
            )
        except BaseException:
            run.kill()
            raise
        else:
            if ended.status == _TAKEN:
                return Receipt(self.name, _message_id(ended.output, (to, message.text)))
            failure = _failed(ended, seconds)
        raise failure

    async def aclose(self) -> None:
        """Start no more programs; those that run end by themselves, or at the end of their time."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def arguments(settings: CommandSettings, to: PhoneNumber) -> tuple[str, ...]:
    """The program and its arguments for a number."""
    values = _values(settings, to)
    return (str(settings.program), *(_PLACE.sub(lambda place: values[place[1]], line) for line in settings.arguments))


def environment(settings: CommandSettings, to: PhoneNumber) -> dict[str, str]:
    """All that the program finds in its environment: nothing of ours gets there by chance."""
    own = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    own |= {name.upper(): value for name, value in _values(settings, to).items()}
    return own | ({"PASSWORD": settings.password.text} if settings.password else {})


def _values(settings: CommandSettings, to: PhoneNumber) -> dict[str, str]:
    return {"phone": to, "phone_digits": to.removeprefix("+"), "sender": settings.sender}


def _failed(ended: Ended, seconds: float) -> DeliveryFailed:
    if ended.status is None:
        return DeliveryFailed(
            f"the program did not end within {seconds:g} s and was killed", remedy=_MAYBE_SENT, unknown=True
        )
    if ended.status < 0:
        return DeliveryFailed(f"the program was ended by signal {-ended.status}", remedy=_MAYBE_SENT, unknown=True)
    permanent = ended.status == _NO_USER
    remedies = {
        _NO_USER: "check the person's phone number",
        _TEMPORARY: "wait; if it stays like this, look into the program's log or add another gateway",
    }
    return DeliveryFailed(
        f"the program ended with status {ended.status}",
        remedy=remedies.get(ended.status, "look into the program's log; 0 would mean that the text was taken"),
        permanent=permanent,
    )


def _message_id(output: bytes, sent: tuple[str, ...]) -> str | None:
    """The first line of what the program wrote, unless it echoes digits of what was sent."""
    line = output.partition(b"\n")[0].strip()
    if not _SHOWN_ID.fullmatch(line):
        return None
    shown = line.decode("ascii")
    return None if any(digits in shown for text in sent for digits in _DIGITS.findall(text)) else shown


def _check(settings: CommandSettings) -> None:
    if not settings.program.is_absolute() or not os.access(settings.program, os.X_OK) or settings.program.is_dir():
        raise Fault(
            f"program {settings.program} is no program that this user may execute",
            remedy="give the path of one; chmod +x it",
        )
    for name in (name for line in settings.arguments for name in _PLACE.findall(line)):
        if name not in ("phone", "phone_digits", "sender"):
            raise Fault(
                f"unknown placeholder {{{name}}} in arguments",
                remedy="use {phone}, {phone_digits} and {sender}; the text is on standard input, never an argument",
            )
    if not settings.timeout_seconds > 0:
        raise Fault("timeout_seconds is not positive", remedy="give seconds, such as 3")
