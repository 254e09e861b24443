"""Who does something, when, and by which request."""

from __future__ import annotations

from dataclasses import dataclass

from rmos.clock import Timestamp


@dataclass(frozen=True, slots=True)
class Context:
    """What every event of one request has in common.

    Attributes:
        actor: Who acts, e.g. `local`.
        request_id: The HTTP request; None when there is none.
        now: The time of everything that is written.
    """

    actor: str
    request_id: str | None
    now: Timestamp
