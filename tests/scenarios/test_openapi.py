"""What the running door answers is what its OpenAPI document says, for whatever the document lets clients send."""

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import checks
from schemathesis.generation import GenerationMode

from scenarios.api import ADMINISTRATORS, KEYS, base
from scenarios.company import texted
from scenarios.office import Office, open_office

pytestmark = pytest.mark.asyncio(loop_scope="module")
EXAMPLES = 40
BOUNDED = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
ROLES = {"explain": "helpdesk", "events": "helpdesk", "status": "monitor", "sync_status": "monitor", "sync": "operator"}
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    folder = tmp_path_factory.mktemp("openapi")
    async with open_office(folder, texted("alice", 1), more_config=ADMINISTRATORS) as running:
        yield running


async def document(office: Office) -> dict[str, Any]:
    answer = await office.service.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def operations(described: dict[str, Any], url: str) -> Iterator[Any]:
    schema = schemathesis.openapi.from_dict(described)
    schema.config.update(base_url=url)
    for result in schema.get_all_operations():
        yield result.ok()


def conforms(case: Any, key: str) -> None:
    """The answer is one that the document has for this operation, and a bad request is told so."""
    answer = case.call(headers={"Authorization": f"Bearer {key}"}, timeout=20)
    case.validate_response(
        answer,
        checks=[
            checks.not_a_server_error,
            checks.status_code_conformance,
            checks.content_type_conformance,
            checks.response_headers_conformance,
            checks.response_schema_conformance,
        ],
    )
    assert answer.headers["cache-control"] == ["no-store"]
    if answer.status_code >= 400:
        told = msgspec.json.decode(answer.content)
        assert (told.keys(), told["status"]) == ({"title", "status", "detail"}, answer.status_code)


async def test_every_answer_conforms(office: Office):
    described = await document(office)
    seen = set()

    def examine() -> None:
        for operation in operations(described, base(office)):
            name = operation.definition.raw["operationId"]
            role = ROLES.get(name)
            key = KEYS[role].text if role else office.service.api_key.text
            for mode in MODES:
                if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query):
                    continue

                @BOUNDED
                @given(case=operation.as_strategy(generation_mode=mode), key=st.just(key))
                def run(case: Any, key: str) -> None:
                    conforms(case, key)

                run()
            seen.add(name)

    await asyncio.to_thread(examine)
    assert seen == {
        *ROLES,
        *("authenticate", "healthz", "readyz", "metrics", "openapi"),
    }


async def test_without_a_key_only_what_is_everybody_s_is_told(office: Office):
    described = await document(office)

    def examine() -> None:
        for operation in operations(described, base(office)):
            case = operation.Case(**({"body": {}, "media_type": "application/json"} if operation.body else {}))
            answer = case.call(headers={"Authorization": "Bearer nobody"}, timeout=20)
            case.validate_response(answer, checks=[checks.status_code_conformance, checks.response_schema_conformance])
            assert answer.status_code == (401 if operation.definition.raw["security"] else 200), operation.label

    await asyncio.to_thread(examine)


async def test_the_document_is_complete(office: Office):
    described = await document(office)
    assert described["openapi"] == "3.1.0"
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"].endswith("."), (path, method)
            assert operation["responses"]
    for name, schema in described["components"]["schemas"].items():
        assert schema.get("description"), name
        assert "Attributes:" not in schema["description"]
        for field, told in schema.get("properties", {}).items():
            assert told.get("type") != "object" or told.get("properties"), (name, field)
    body = described["components"]["schemas"]["AuthenticateBody"]
    assert body["additionalProperties"] is False
    assert body["properties"]["user"] == {"type": "string", "maxLength": 1024, "description": "login name."}
