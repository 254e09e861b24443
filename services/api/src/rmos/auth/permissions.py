"""Who may do what: the one table, for HTTP and for the monitor.

Rule 1: what has no row is forbidden to everybody. A test asks for a row for each route and each action.
Rule 2: who is limited to channels may use rows of `NARROWED` and `OPEN` alone; behind those, every answer is narrowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rmos.auth.identity import Identity
from rmos.domain.access import Role
from rmos.domain.entities import KINDS
from rmos.errors import ForbiddenError


@dataclass(frozen=True, slots=True)
class Rule:
    """What it takes.

    Attributes:
        least: The least role; None for everybody, known or not.
        is_narrowed: Whether also who is limited to channels may.
    """

    least: Role | None
    is_narrowed: bool = False


OPEN: Final = Rule(None, is_narrowed=True)
NARROWED: Final = Rule(Role.VIEWER, is_narrowed=True)
READ: Final = Rule(Role.VIEWER)
WRITE: Final = Rule(Role.OPERATOR)
ADMIN: Final = Rule(Role.ADMIN)

_ROUTES: Final[Mapping[Rule, str]] = {
    OPEN: """
        GET /health
        GET /healthz
        GET /readyz
        GET /docs
        GET /docs/start.js
        GET /docs/assets
        GET /redoc
        GET /openapi.json
        GET /asyncapi.json
        GET /asyncapi
        GET /asyncapi/style.css
        GET /ws/monitor
        GET /api/rmos/auth/me
        POST /api/rmos/auth/login
        POST /api/rmos/auth/logout
    """,
    NARROWED: """
        GET /sse/monitor
        GET /api/rmos/monitor/events
        GET /api/rmos/monitor/state
        POST /api/rmos/auth/token
        POST /api/rmos/auth/ticket
    """,
    READ: """
        GET /metrics
        GET /api/rmos/presets
        GET /api/rmos/patterns/{entity_id}/plan
        GET /api/rmos/stores/migration/status
        GET /api/rmos/stores/{kind}
        GET /api/rmos/stores/{kind}/statistics
        GET /api/rmos/stores/{kind}/export.csv
        GET /api/rmos/stores/{kind}/export.json
        GET /api/rmos/stores/{kind}/{entity_id}
        GET /api/rmos/stores/{kind}/{entity_id}/history
        GET /api/rmos/stores/patterns/search/name/{text}
        GET /api/rmos/stores/patterns/filter/rings/{value}
        GET /api/rmos/stores/joblogs/filter/status/{value}
        GET /api/rmos/stores/joblogs/filter/pattern/{value}
        GET /api/rmos/stores/joblogs/filter/type/{value}
        GET /api/rmos/stores/strip-families/search/name/{text}
        GET /api/rmos/stores/strip-families/filter/material/{value}
        GET /api/analytics/patterns/complexity
        GET /api/analytics/patterns/rings
        GET /api/analytics/patterns/geometry
        GET /api/analytics/patterns/families
        GET /api/analytics/patterns/popularity
        GET /api/analytics/patterns/{pattern_id}/details
        GET /api/analytics/materials/distribution
        GET /api/analytics/materials/consumption
        GET /api/analytics/materials/efficiency
        GET /api/analytics/materials/dimensions
        GET /api/analytics/materials/suppliers
        GET /api/analytics/materials/inventory
        GET /api/analytics/jobs/success-trends
        GET /api/analytics/jobs/duration
        GET /api/analytics/jobs/status
        GET /api/analytics/jobs/throughput
        GET /api/analytics/jobs/failures
        GET /api/analytics/jobs/types
        GET /api/analytics/jobs/recent
        GET /api/analytics/jobs/eta
        GET /api/analytics/jobs/eta/quality
        GET /api/analytics/advanced/correlation
        GET /api/analytics/advanced/correlations
        GET /api/analytics/advanced/anomalies/durations
        GET /api/analytics/advanced/anomalies/success
        POST /api/analytics/advanced/predict
        GET /api/analytics/advanced/predict/quality
        GET /api/analytics/charts/{measure}
        GET /api/analytics/shop
        GET /api/analytics/shop/flow
        GET /api/analytics/shop/losses
    """,
    WRITE: """
        POST /api/rmos/stores/{kind}
        PUT /api/rmos/stores/{kind}/{entity_id}
        PATCH /api/rmos/stores/{kind}/{entity_id}
        DELETE /api/rmos/stores/{kind}/{entity_id}
        POST /api/rmos/stores/{kind}/import
        POST /api/rmos/stores/bulk
    """,
    ADMIN: """
        GET /api/rmos/monitor/connections
        GET /api/rmos/audit/verify
        GET /api/rmos/audit/export
        GET /api/rmos/auth/users
        POST /api/rmos/auth/users
        PATCH /api/rmos/auth/users/{name}
        DELETE /api/rmos/auth/users/{name}
        GET /api/rmos/auth/keys
        POST /api/rmos/auth/keys
        DELETE /api/rmos/auth/keys/{key_id}
    """,
}
"""Method and path as the route declares them; `{kind}` stands for each kind of entity."""

ROUTES: Final[Mapping[str, Rule]] = {
    row.strip().replace("{kind}", kind.path): rule
    for rule, rows in _ROUTES.items()
    for row in rows.strip().splitlines()
    for kind in KINDS
}

ACTIONS: Final[Mapping[str, Rule]] = {
    "auth": OPEN,
    "ping": NARROWED,
    "subscribe": NARROWED,
    "unsubscribe": NARROWED,
    "state": NARROWED,
    "replay": NARROWED,
}
"""Commands of the monitor, by their action."""


def require(identity: Identity, rule: Rule | None, what: str) -> None:
    """Make sure that somebody who is known may do `what`; without a rule nobody may.

    Raises:
        ForbiddenError: they may not; the message says what it takes.
    """
    if rule is None:
        raise ForbiddenError(f"{what} is allowed to nobody")
    if identity.channels is not None and not rule.is_narrowed:
        raise ForbiddenError(f"{what} is not for who is limited to channels; only the monitor is")
    if rule.least is not None and not identity.role.includes(rule.least):
        raise ForbiddenError(f"{what} takes the role {rule.least}; yours is {identity.role}")
