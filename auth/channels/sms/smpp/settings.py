"""The [sms:NAME] section of config.ini with `driver = smpp`: an account at an SMS centre."""

from enum import StrEnum
from pathlib import Path

import msgspec

from auth.channels.base import OnUnknown
from auth.channels.sms.driver import Driver
from schema.secret import Secret


class LongTexts(StrEnum):
    """How a text that does not fit into one part is handed over."""

    PARTS = "parts"  # cut by us, each part with a header that phones put them together by
    PAYLOAD = "payload"  # whole, in message_payload; the centre cuts it


class SmppSettings(msgspec.Struct, frozen=True):
    """A [sms:NAME] section with `driver = smpp`: one bound connection that texts are submitted over.

    Attributes:
        host: name or address of the SMS centre.
        system_id: our account there.
        password: reference to its password; the protocol takes eight characters, centres often more.
        driver: smpp.
        port: TCP port.
        tls: whether the connection is encrypted.
        ca_file: PEM file of the authorities to trust; the system's when absent.
        allow_plain_smpp: whether tls = no is allowed to another host, though anybody on the way can read codes.
        system_type: what some centres want to be told at the bind.
        service_type: what some centres want to be told with each text.
        sender: who texts come from: a number in international form, a short number, or a name.
        sender_ton: type of number of the sender, when the centre wants another than its form suggests.
        sender_npi: numbering plan of the sender, likewise.
        long_texts: parts or payload.
        receipts: whether the centre is asked for delivery receipts.
        decimal_receipts: whether receipts write in decimal the ids that the centre gives in hexadecimal, as some do.
        window: how many texts may wait for an answer at a time.
        enquire_seconds: after this time without a word the centre is asked whether it is still there.
        timeout_seconds: how long the centre may take for a text, connection and bind included.
        on_unknown: stop or failover, when the centre gave no answer and may have taken the text.
    """

    host: str
    system_id: str
    password: Secret
    driver: Driver = Driver.SMPP
    port: int = 2775
    tls: bool = True
    ca_file: Path | None = None
    allow_plain_smpp: bool = False
    system_type: str = ""
    service_type: str = ""
    sender: str = ""
    sender_ton: int | None = None
    sender_npi: int | None = None
    long_texts: LongTexts = LongTexts.PARTS
    receipts: bool = True
    decimal_receipts: bool = False
    window: int = 10
    enquire_seconds: float = 30.0
    timeout_seconds: float = 3.0
    on_unknown: OnUnknown = OnUnknown.STOP
