"""A connection with a bound session: a question finds its answer, silence is noticed, receipts are passed on."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Final

from auth.channels.sms.smpp.pdu import Delivery, MalformedPdu, Pdu, Submission
from auth.channels.sms.smpp.session import Answered, Delivered, Ended, Session
from auth.channels.sms.smpp.settings import SmppSettings

_FAREWELL_SECONDS: Final = 0.5


class ConnectionLostError(Exception):
    """The connection ended before the answer came."""


class Connection:
    """One bound session; it is open until it is lost, and never opens again.

    Args:
        settings: of the gateway.
        streams: an open connection.
        on_delivery: is handed what the centre delivers.
    """

    def __init__(
        self,
        settings: SmppSettings,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        on_delivery: Callable[[Delivery], None],
    ) -> None:
        self._settings = settings
        self._reader, self._writer = streams
        self._on_delivery = on_delivery
        self._session = Session()
        self._waiting: dict[int, asyncio.Future[Answered]] = {}
        self._heard = asyncio.Event()
        self._window = asyncio.Semaphore(settings.window)
        self._tasks: set[asyncio.Task[None]] = {asyncio.create_task(self._listen())}
        self.lost = False

    @classmethod
    async def open(
        cls, settings: SmppSettings, tls: ssl.SSLContext | None, on_delivery: Callable[[Delivery], None]
    ) -> tuple["Connection", Answered]:
        """Connect and bind.

        Returns:
            The connection, and how the centre answered the bind; with a status other than 0 the connection is lost.

        Raises:
            OSError: it cannot be reached.
            ConnectionLostError: it hung up.
        """
        streams = await asyncio.open_connection(
            settings.host, settings.port, ssl=tls, server_hostname=settings.host if tls else None
        )
        self = cls(settings, streams, on_delivery)
        try:
            bind = self._session.bind(settings.system_id, settings.password, settings.system_type)
            answer = await self._ask(bind)
        except BaseException:
            self._lose()
            raise
        if answer.status:
            self._lose()
        else:
            self._tasks.add(asyncio.create_task(self._keep_alive()))
        return self, answer

    @property
    def idle(self) -> bool:
        """Whether nobody waits for an answer."""
        return not self._waiting

    async def submit(self, submission: Submission, begun: Callable[[], None]) -> Answered:
        """Hand over one submit_sm and wait for its answer.

        Args:
            submission: what is sent.
            begun: is called when the first octet is about to leave.

        Raises:
            ConnectionLostError: no answer will come; the text may have been taken if it was begun.
        """
        async with self._window:
            return await self._ask(self._session.submit(submission), begun)

    def abort(self) -> None:
        """Hang up."""
        self._lose()

    async def aclose(self) -> None:
        """Say farewell, to a centre that may not answer."""
        if not self.lost:
            with contextlib.suppress(ConnectionLostError, OSError, TimeoutError):
                async with asyncio.timeout(_FAREWELL_SECONDS):
                    await self._ask(self._session.unbind())
        self._lose()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _ask(self, pdu: Pdu, begun: Callable[[], None] = lambda: None) -> Answered:
        if self.lost:
            raise ConnectionLostError
        answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._waiting[pdu.sequence] = answer
        begun()
        try:
            self._writer.write(pdu.encode())
            return await answer
        finally:
            self._waiting.pop(pdu.sequence, None)

    async def _listen(self) -> None:
        try:
            while octets := await self._reader.read(65536):
                self._heard.set()
                events, answers = self._session.receive(octets)
                if answers:
                    self._writer.write(answers)
                for event in events:
                    self._take(event)
        except (OSError, MalformedPdu):
            pass  # lost as well
        finally:
            self._lose()

    def _take(self, event: Answered | Delivered | Ended) -> None:
        match event:
            case Answered(sequence=sequence):
                waiting = self._waiting.get(sequence)
                if waiting is not None and not waiting.done():
                    waiting.set_result(event)
            case Delivered(delivery=delivery):
                self._on_delivery(delivery)
            case Ended():
                self.lost = True  # nothing more is asked; answers to what was asked may still come, for as long as that
                asyncio.get_running_loop().call_later(self._settings.timeout_seconds, self._lose)

    async def _keep_alive(self) -> None:
        """Ask after silence, as section 2.7 wants it; a centre that does not answer is gone."""
        while not self.lost:
            self._heard.clear()
            try:
                async with asyncio.timeout(self._settings.enquire_seconds):
                    await self._heard.wait()
            except TimeoutError:
                await self._enquire()

    async def _enquire(self) -> None:
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                await self._ask(self._session.enquire())
        except (ConnectionLostError, TimeoutError):
            self._lose()

    def _lose(self) -> None:
        self.lost = True
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionLostError())
        self._writer.transport.abort()
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()
