"""An SMS gateway that takes as long as a test wants: the demo's, with the phones beside it."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from auth.clock import SYSTEM_ENTROPY
from auth.demo.sms_gateway import SmsServer
from rig.ports import LOOPBACK
from rig.process import wait_for
from schema.secret import Secret

_CODE = re.compile(r"\b\d{6}\b")
PASSWORD = Secret("canary-Gateway-9")


@dataclass(frozen=True)
class Text:
    """What rang on a phone."""

    to: str
    body: str

    @property
    def code(self) -> str:
        """The code in it."""
        found = _CODE.search(self.body)
        assert found is not None
        return found[0]


class SlowGateway(SmsServer):
    """Takes texts at once, and says so after `delay` seconds; what it took is in `texts`, oldest first."""

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), "demo", PASSWORD, SYSTEM_ENTROPY)
        self.delay = 0.0
        self.texts: list[Text] = []
        self._changed = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_address[1]}/messages"

    def log(self, **event: object) -> None:
        """A text was taken; its answer goes out when this returns."""
        if event["event"] == "text":
            with self._changed:
                self.texts.append(Text(str(event["to"]), str(event["body"])))
            time.sleep(self.delay)

    def texts_to(self, number: str) -> list[Text]:
        """Every text that a number got so far."""
        with self._changed:
            return [text for text in self.texts if text.to == number]

    def wait_for_text(self, number: str, *, earlier: int = 0, timeout: float = 10.0) -> Text:
        """The text to a number that came after `earlier` others; raises ServerFailure when there is none in time."""

        def found() -> Text | None:
            texts = self.texts_to(number)
            return texts[earlier] if len(texts) > earlier else None

        return wait_for(found, timeout, lambda: f"no text number {earlier + 1} to {number} in {timeout} s")

    @contextmanager
    def slowed(self, seconds: float) -> Iterator[None]:
        """For as long as this lasts it answers after so many seconds."""
        self.delay = seconds
        try:
            yield
        finally:
            self.delay = 0.0


@contextmanager
def running_gateway() -> Iterator[SlowGateway]:
    with SlowGateway() as gateway:
        thread = threading.Thread(target=gateway.serve_forever, name="gateway")
        thread.start()
        try:
            yield gateway
        finally:
            gateway.shutdown()
            thread.join()
