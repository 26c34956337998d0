"""The double's authorization server: who may have a token for what, by RFC 6749 and 7523 as Microsoft words them."""

import base64
import hmac
import json
import time
import uuid
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_CREDENTIAL = {"client_secret"}
_FIELDS = {
    "grant_type",
    "client_id",
    "scope",
    "refresh_token",
    "client_assertion_type",
    "client_assertion",
} | _CREDENTIAL
_LONGEST_ASSERTION_SECONDS = 24 * 3600


class Refused(Exception):
    """A token is not given: status, error word, Microsoft's number."""

    def __init__(self, status: int, error: str, number: int) -> None:
        super().__init__(f"{error} {number}")
        self.status = status
        self.body = {
            "error": error,
            "error_description": f"AADSTS{number}: no token. Trace ID: {uuid.uuid4()}",
            "error_codes": [number],
            "correlation_id": str(uuid.uuid4()),
        }


@dataclass
class Authority:
    """One tenant with one application.

    Attributes:
        url: the token endpoint, as clients must name it.
        tenant: the tenant.
        client_id: the application.
        secret: its secret.
        certificate: its certificate.
        refresh_token: stands for the mailbox.
        resources: what tokens may be for.
        seconds: how long tokens are good.
        key: signs them.
        issued_after: tokens issued before are withdrawn.
    """

    url: str
    tenant: str
    client_id: str
    secret: str
    certificate: x509.Certificate
    refresh_token: str
    resources: tuple[str, ...]
    seconds: int
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    withdrawn: set[str] = field(default_factory=set)
    issued: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)

    def token(self, fields: dict[str, list[str]]) -> dict:
        """The answer to a request. Raises Refused."""
        if any(len(values) != 1 for values in fields.values()) or not fields.keys() <= _FIELDS:
            raise Refused(400, "invalid_request", 9002014)
        said = {key: values[0] for key, values in fields.items()}
        if said.get("client_id") != self.client_id:
            raise Refused(400, "unauthorized_client", 700016)
        self._check_client(said)
        match said.get("grant_type"):
            case "client_credentials" if "refresh_token" not in said:
                return self._given(self._resource(said.get("scope")))
            case "refresh_token":
                if not hmac.compare_digest(said.get("refresh_token", ""), self.refresh_token):
                    raise Refused(400, "invalid_grant", 700082)
                return self._given(self.resources[-1]) | {"refresh_token": self.refresh_token}
        raise Refused(400, "unsupported_grant_type", 70003)

    def withdraw(self) -> None:
        """Every token that was given so far is worth nothing any longer."""
        self.withdrawn |= self.issued

    def holder(self, token: str, resource: str) -> str | None:
        """The application of a token that is good for this resource; None for any other token."""
        try:
            head, claims, signed, signature = _taken_apart(token)
            self.key.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        except (ValueError, InvalidSignature):
            return None
        good = head == {"alg": "RS256", "typ": "JWT"} and claims["aud"] == resource and claims["exp"] > time.time()
        return claims["appid"] if good and claims["uti"] not in self.withdrawn else None

    def _check_client(self, said: dict[str, str]) -> None:
        if "client_assertion" in said or "client_assertion_type" in said:
            if said.get("client_assertion_type") != ASSERTION_TYPE or said.keys() & _CREDENTIAL:
                raise Refused(400, "invalid_request", 50027)
            self._check_assertion(said.get("client_assertion", ""))
        elif not hmac.compare_digest(said.get("client_secret", ""), self.secret):
            raise Refused(401, "invalid_client", 7000215)

    def _check_assertion(self, assertion: str) -> None:
        try:
            head, claims, signed, signature = _taken_apart(assertion)
        except ValueError:
            raise Refused(400, "invalid_request", 50027) from None
        thumbprint = base64.urlsafe_b64encode(self.certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
        if head != {"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint}:
            raise Refused(401, "invalid_client", 700027)
        try:
            salted = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
            self.certificate.public_key().verify(signature, signed, salted, hashes.SHA256())
        except InvalidSignature:
            raise Refused(401, "invalid_client", 700027) from None
        now, life = time.time(), claims.get("exp", 0) - claims.get("nbf", 0)
        ours = claims.get("iss") == claims.get("sub") == self.client_id and claims.get("aud") == self.url
        timely = claims.get("nbf", now + 1) <= now + 5 and claims.get("exp", 0) > now
        if not (ours and timely and 0 < life <= _LONGEST_ASSERTION_SECONDS):
            raise Refused(401, "invalid_client", 700024)
        uuid.UUID(claims["jti"])
        if claims["jti"] in self.seen:
            raise Refused(401, "invalid_client", 700025)
        self.seen.add(claims["jti"])

    def _resource(self, scope: str | None) -> str:
        if scope is None:
            raise Refused(400, "invalid_request", 900144)
        resource = scope.removesuffix("/.default")
        if not scope.endswith("/.default") or resource not in self.resources:
            raise Refused(400, "invalid_scope", 70011)
        return resource

    def _given(self, resource: str) -> dict:
        unique, now = str(uuid.uuid4()), int(time.time())
        self.issued.add(unique)
        claims = {"aud": resource, "appid": self.client_id, "exp": now + self.seconds, "iat": now, "uti": unique}
        signed = ".".join(
            _written(part) for part in ({"alg": "RS256", "typ": "JWT"}, claims | {"roles": ["Mail.Send"]})
        )
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        token = f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
        return {
            "token_type": "Bearer",
            "expires_in": self.seconds,
            "ext_expires_in": self.seconds,
            "access_token": token,
        }


def _written(part: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _octets(text: str) -> bytes:
    if "=" in text:
        msg = "padding"
        raise ValueError(msg)
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _taken_apart(token: str) -> tuple[dict, dict, bytes, bytes]:
    """Header, claims, what is signed, the signature (RFC 7515 section 5.2). Raises ValueError."""
    head, claims, signature = token.split(".")
    return json.loads(_octets(head)), json.loads(_octets(claims)), f"{head}.{claims}".encode(), _octets(signature)
