"""AWS Signature Version 4 for one request. No I/O.

How it is made: "Create a signed AWS API request" in the AWS Identity and Access Management User Guide.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, quote, urlsplit

from schema.secret import Secret

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class AwsKey:
    """Who signs, and for what.

    Attributes:
        identity: access key id.
        secret: secret access key.
        region: such as eu-central-1.
        service: name of the service in the credential scope.
    """

    identity: str
    secret: Secret
    region: str
    service: str


def aws_headers(
    key: AwsKey, method: str, url: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> dict[str, str]:
    """The headers that a request needs besides its own: its date and its Authorization.

    Args:
        key: who signs.
        method: of the request.
        url: as it will be sent.
        headers: that are signed, besides Host and the date.
        body: as it will be sent.
        now: the date; AWS takes it for a quarter of an hour.
    """
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    address = urlsplit(url)
    signed = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    signed |= {"host": address.netloc, "x-amz-date": stamp}
    names = ";".join(sorted(signed))
    canonical = "\n".join(
        [
            method,
            quote(address.path or "/"),
            _canonical_query(address.query),
            *(f"{name}:{signed[name]}" for name in sorted(signed)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = f"{stamp[:8]}/{key.region}/{key.service}/aws4_request"
    to_sign = "\n".join([_ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signature = _mac(_signing_key(key, stamp[:8]), to_sign).hex()
    credential = f"{_ALGORITHM} Credential={key.identity}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {"X-Amz-Date": stamp, "Authorization": credential}


def _canonical_query(query: str) -> str:
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in parse_qsl(query, True))
    return "&".join(f"{name}={value}" for name, value in pairs)


def _signing_key(key: AwsKey, day: str) -> bytes:
    derived = f"AWS4{key.secret.text}".encode()
    for part in (day, key.region, key.service, "aws4_request"):
        derived = _mac(derived, part)
    return derived


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
