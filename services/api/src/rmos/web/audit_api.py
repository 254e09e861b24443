"""The audit trail: whether the log is what it was, and parts of it that prove themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from rmos.domain.entities import JsonObject
from rmos.eventlog.audit import Epoch, Walk
from rmos.services import audit as auditing
from rmos.web.answers import API_PREFIX, success
from rmos.web.deps import runtime_of
from rmos.web.log_models import VerificationAnswer
from rmos.web.queries import described_text, parameters

JSON_LINES: Final = "application/jsonl"

router = APIRouter(prefix=f"{API_PREFIX}/audit", tags=["audit"])


@router.get(
    "/verify",
    summary="Verify the event log",
    response_model=VerificationAnswer,
    openapi_extra={
        "parameters": [described_text("head", "A head noted before, `<offset>:<hash>`; the log must still have it.")]
    },
)
async def verify(request: Request) -> Response:
    """Names the first event that is not what it was. A second for some 100,000 events; the shop goes on meanwhile."""
    given = parameters(request, ("head",))
    known = [auditing.parse_noted(given["head"], "head")] if "head" in given else []
    audit = runtime_of(request).stores.audit
    walk = await auditing.verify(audit, known, is_abandoned=request.is_disconnected)
    return success(verification=_verification(walk, await audit.epochs()))


@router.get(
    "/export",
    summary="Export events with their proof",
    response_class=Response,
    responses={200: {"description": "The bundle.", "content": {JSON_LINES: {}}}},
    openapi_extra={
        "parameters": [
            described_text("from", "First offset, or a time; default: the oldest event kept."),
            described_text("to", "Last offset, or a time; default: the newest event."),
        ]
    },
)
async def export(request: Request) -> Response:
    """One JSON object a line; `rmos verify FILE` checks them without the database."""
    given = parameters(request, ("from", "to"))
    runtime = runtime_of(request)
    audit = runtime.stores.audit
    first, last = await auditing.range_of(audit, given.get("from"), given.get("to"))
    lines = auditing.export(audit, first, last, now=runtime.clock())
    # Read before the answer begins, so that a fault of the first page is still told.
    beginning = await anext(lines)
    disposition = {"Content-Disposition": f'attachment; filename="rmos-audit-{first}-{last}.jsonl"'}
    return StreamingResponse(_joined(beginning, lines), headers=disposition, media_type=JSON_LINES)


async def _joined(beginning: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield beginning
    async for lines in rest:
        yield lines


def _verification(walk: Walk, epochs: list[Epoch]) -> JsonObject:
    ends, fault = walk.ends, walk.fault
    assert ends is not None  # noqa: S101  # a walk has read one page at least
    return {
        "ok": fault is None,
        "checked": walk.checked,
        "compared": walk.compared,
        "fault": None if fault is None else {"offset": fault.offset, "reason": fault.reason},
        "epoch": ends.epoch,
        "oldest": ends.oldest,
        "anchor": ends.anchor.hex(),
        "head": ends.head,
        "hash": ends.hash.hex(),
        "noted": auditing.noted(ends),
        "epochs": [
            {"epoch": epoch.name, "from": epoch.start, "reason": epoch.reason, "time": epoch.time} for epoch in epochs
        ],
    }
