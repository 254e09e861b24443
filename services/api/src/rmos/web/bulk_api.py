"""Many writes in one request and one transaction."""

from __future__ import annotations

import asyncio

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from rmos.domain.entities import JsonObject, JsonValue
from rmos.errors import ClientError, InvalidError
from rmos.services.bulk import BulkResult, run_bulk
from rmos.services.context import Context
from rmos.stores.base import Transaction
from rmos.web.answers import STORES_PREFIX, Answer
from rmos.web.deps import JSON, MAX_BULK_BYTES, media_type_of, parse_object, read_body
from rmos.web.errors import MAX_FIELD_ERRORS
from rmos.web.idempotency import write
from rmos.web.models import Bulk, BulkResults
from rmos.web.openapi import body_of
from rmos.web.queries import described_flag, flag

router = APIRouter(prefix=STORES_PREFIX, tags=["stores"])


@router.post(
    "/bulk",
    summary="Create, change and delete many entities",
    response_model=BulkResults,
    openapi_extra={
        **body_of(Bulk, JSON),
        "parameters": [described_flag("partial", "Keep what succeeds instead of all or nothing.")],
    },
)
async def bulk(request: Request) -> Response:
    """The operations run in order, and each sees what those before it did. All or nothing, unless `partial`."""
    partial = flag(request, "partial")
    media_type_of(request, (JSON,))
    body = await read_body(request, MAX_BULK_BYTES)
    # Megabytes take long enough to parse that other requests would wait for it on the loop.
    operations = await asyncio.to_thread(_operations, body)

    def work(tx: Transaction, context: Context) -> Answer:
        results = run_bulk(tx, operations, context, partial=partial)
        return Answer(200, (), orjson.dumps({"success": True, "results": [_told(result) for result in results]}))

    return await write(request, body, work)


def _operations(body: bytes) -> list[JsonValue]:
    given = parse_object(body)
    operations = given.get("operations")
    if not isinstance(operations, list):
        raise InvalidError.at("/operations", "expected a list of operations")
    for name in given.keys() - {"operations"}:
        raise InvalidError.at(f"/{name[:80]}", "unknown member; expected operations")
    return operations


def _told(result: BulkResult) -> JsonObject:
    told: JsonObject = {
        "index": result.index,
        "status": result.status,
        "id": result.id,
        "version": result.version,
    }
    return told if result.error is None else {**told, "error": _told_error(result.error)}


def _told_error(error: ClientError) -> JsonObject:
    errors = error.errors[:MAX_FIELD_ERRORS] if isinstance(error, InvalidError) else ()
    return {
        "code": error.code,
        "detail": error.message,
        "errors": [{"pointer": fault.pointer, "detail": fault.detail} for fault in errors],
    }
