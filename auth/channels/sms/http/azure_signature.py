"""The HMAC-SHA256 signature of Azure Communication Services for one request. No I/O.

How it is made: "HMAC header authentication" in the service's REST documentation.
"""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import urlsplit

from schema.errors import Fault
from schema.secret import Secret


def azure_key(access_key: Secret) -> bytes:
    """The octets of an access key.

    Raises:
        Fault: it is no access key.
    """
    try:
        return base64.b64decode(access_key.text, validate=True)
    except (binascii.Error, ValueError):
        raise Fault(
            "password is no access key of Azure, which is Base64",
            remedy="take the part after `accesskey=` of the connection string that the Azure portal shows",
        ) from None


def azure_headers(key: bytes, method: str, url: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers that a request needs besides its own: its date, the digest of its body and its Authorization.

    Args:
        key: from `azure_key`.
        method: of the request.
        url: as it will be sent.
        body: as it will be sent.
        now: the date, in UTC; Azure takes it for a few minutes.
    """
    address = urlsplit(url)
    question = f"{address.path}?{address.query}" if address.query else address.path
    stamp = format_datetime(now, usegmt=True)
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    to_sign = f"{method}\n{question}\n{stamp};{address.netloc};{digest}"
    signature = base64.b64encode(hmac.digest(key, to_sign.encode(), "sha256")).decode()
    return {
        "x-ms-date": stamp,
        "x-ms-content-sha256": digest,
        "Authorization": f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}",
    }
