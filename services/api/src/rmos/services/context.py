"""Who does something, when, by which request, and because of what."""

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
        cause: What brings it about besides the request: `delete pattern/<id>` for what a forced deletion unlinks, the
            cursor of the evidence for what the server finds by itself; None when the request is all there is.
    """

    actor: str
    request_id: str | None
    now: Timestamp
    cause: str | None = None
