"""Create, read, change and delete one entity; the same routes for each kind."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from rmos.domain.entities import MAX_ENTITY_BYTES, Kind
from rmos.errors import NotFoundError
from rmos.services import entities
from rmos.services.context import Context
from rmos.services.history import history_of
from rmos.stores.base import Transaction
from rmos.web.answers import STORES_PREFIX, Answer, deleted_answer, entity_answer, success
from rmos.web.deps import (
    JSON,
    MERGE_PATCH,
    etag,
    has_version,
    if_match_of,
    media_type_of,
    parse_object,
    read_body,
    runtime_of,
)
from rmos.web.idempotency import write
from rmos.web.queries import flag, parameters


def entity_routes(kind: Kind) -> APIRouter:
    """The routes of one kind."""
    router = APIRouter(prefix=STORES_PREFIX, tags=[kind.plural])
    collection, member = f"/{kind.path}", f"/{kind.path}/{{entity_id}}"

    @router.post(collection)
    async def create(request: Request) -> Response:
        parameters(request, ())
        media_type_of(request, (JSON,))
        body = await read_body(request, MAX_ENTITY_BYTES)
        fields = parse_object(body)
        return await write(
            request, body, lambda tx, context: entity_answer(entities.create(tx, kind, fields, context), status=201)
        )

    @router.get(member)
    async def read(request: Request, entity_id: str) -> Response:
        parameters(request, ())
        revision = await runtime_of(request).stores.get(kind, entity_id)
        if revision is None:
            raise NotFoundError(f"{kind.label} not found: {entity_id}")
        if has_version(request, revision.version):
            return Response(status_code=304, headers={"ETag": etag(revision.version), "Cache-Control": "no-cache"})
        return entity_answer(revision).response()

    @router.put(member)
    async def replace_fields(request: Request, entity_id: str) -> Response:
        media_type_of(request, (JSON,))
        return await _change(request, entity_id, merge=False)

    @router.patch(member)
    async def merge_fields(request: Request, entity_id: str) -> Response:
        media_type_of(request, (MERGE_PATCH, JSON))
        return await _change(request, entity_id, merge=True)

    async def _change(request: Request, entity_id: str, *, merge: bool) -> Response:
        parameters(request, ())
        if_match = if_match_of(request)
        body = await read_body(request, MAX_ENTITY_BYTES)
        changes = parse_object(body)
        return await write(
            request,
            body,
            lambda tx, context: entity_answer(
                entities.update(tx, kind, entity_id, changes, context, if_match=if_match, merge=merge)
            ),
        )

    @router.delete(member)
    async def delete(request: Request, entity_id: str) -> Response:
        force, if_match = flag(request, "force"), if_match_of(request)

        def work(tx: Transaction, context: Context) -> Answer:
            entities.delete(tx, kind, entity_id, context, if_match=if_match, force=force)
            return deleted_answer(kind, entity_id)

        return await write(request, b"", work)

    @router.get(f"{member}/history")
    async def history(request: Request, entity_id: str) -> Response:
        parameters(request, ())
        stores = runtime_of(request).stores
        versions = history_of(await stores.history(kind.key(entity_id)))
        if not versions and await stores.get(kind, entity_id) is None:
            raise NotFoundError(f"{kind.label} not found: {entity_id}")
        return success(history=[*versions])

    return router
