"""The HTTP door as an administrator's program calls it."""

import hashlib
from typing import Any

import httpx

from scenarios.office import Office
from schema.secret import Secret

KEYS = {role: Secret(f"the key of a {role} of the test") for role in ("monitor", "helpdesk", "operator")}
ADMINISTRATORS = "".join(
    f"\n[admin:{role}]\napi_key_hash = {hashlib.sha256(key.octets).hexdigest()}\nroles = {role}\n"
    for role, key in KEYS.items()
)


def base(office: Office) -> str:
    return f"http://127.0.0.1:{office.service.http_port}"


async def call(office: Office, role: str, method: str, path: str, **arguments: Any) -> httpx.Response:
    """One request with the key of somebody with this role."""
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        headers = {"Authorization": f"Bearer {KEYS[role].text}"}
        return await client.request(method, base(office) + path, headers=headers, **arguments)
