"""Every route of the OpenAPI document, asked for all that it allows and for what it forbids: nothing breaks the server.

The requests are drawn from the document itself by Schemathesis and sent to a real server that asks who one is: by
nobody, and by an admin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.processes import WAIT_S, Server

EXAMPLES: Final = 5
"""Requests of each kind to each route."""
STREAMS: Final = frozenset({"/sse/monitor"})
"""Answers without an end; tests/monitor holds them against what may be asked of them."""
_ADMIN: Final = "Admin token, shown this once: "
_DRAWN: Final = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("shop"), RMOS_AUTH="required")
    try:
        yield running.wait_until_ready()
    finally:
        running.kill()


@pytest.fixture(scope="module")
def admin(server: Server) -> dict[str, str]:
    """The header of who may do everything."""
    token = next(line.removeprefix(_ADMIN) for line in server.lines if line.startswith(_ADMIN))
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def operations(server: Server) -> list[schemathesis.APIOperation]:
    document = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    found = [result.ok() for result in document.get_all_operations()]
    assert len(found) > 80
    return [operation for operation in found if operation.path not in STREAMS]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_request_of_an_admin_breaks_the_server(
    operations: list[schemathesis.APIOperation], admin: dict[str, str], mode: GenerationMode
) -> None:
    """And what is answered is what the document says."""
    asked = 0
    for operation in operations:

        def ask(case: schemathesis.Case) -> None:
            nonlocal asked
            asked += 1
            answer = case.call(headers=admin, timeout=WAIT_S)
            case.validate_response(
                answer, checks=[not_a_server_error, content_type_conformance, response_schema_conformance]
            )

        draw(operation, mode, ask)
    assert asked > EXAMPLES * 40


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_request_of_nobody_breaks_the_server_or_gets_in(
    operations: list[schemathesis.APIOperation], mode: GenerationMode
) -> None:
    got_in: set[str] = set()
    for operation in operations:

        def ask(case: schemathesis.Case) -> None:
            answer = case.call(timeout=WAIT_S)
            case.validate_response(answer, checks=[not_a_server_error])
            if answer.status_code != 401:
                got_in.add(case.operation.label)

        draw(operation, mode, ask)
    assert got_in <= {
        "GET /health",
        "GET /healthz",
        "GET /readyz",
        "GET /ws/monitor",
        "GET /asyncapi.json",
        "GET /api/rmos/auth/me",
        "POST /api/rmos/auth/login",
        "POST /api/rmos/auth/logout",
    }


def draw(operation: schemathesis.APIOperation, mode: GenerationMode, ask: Callable[[schemathesis.Case], None]) -> None:
    """Send some requests of this kind to a route; none where it has nothing that could be wrong."""
    run = given(operation.as_strategy(generation_mode=mode))(ask)
    try:
        _DRAWN(seed(1)(run))()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, operation.label
