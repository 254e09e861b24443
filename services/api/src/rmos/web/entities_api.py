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
from rmos.web.models import ANSWER, CHANGE, CREATE, Deleted, History
from rmos.web.openapi import body_of
from rmos.web.queries import described_flag, flag, parameters


def entity_routes(kind: Kind) -> APIRouter:
    """The routes of one kind."""
    router = APIRouter(prefix=STORES_PREFIX, tags=[kind.plural])
    collection, member = f"/{kind.path}", f"/{kind.path}/{{entity_id}}"
    answer = ANSWER[kind.name]

    @router.post(
        collection,
        status_code=201,
        summary=f"Create a {kind.label.lower()}",
        response_model=answer,
        openapi_extra=body_of(CREATE[kind.name], JSON),
    )
    async def create(request: Request) -> Response:
        """The answer has the entity's address in `Location` and its version in `ETag`."""
        parameters(request, ())
        media_type_of(request, (JSON,))
        body = await read_body(request, MAX_ENTITY_BYTES)
        fields = parse_object(body)
        return await write(
            request, body, lambda tx, context: entity_answer(entities.create(tx, kind, fields, context), status=201)
        )

    @router.get(member, summary=f"Read a {kind.label.lower()}", response_model=answer)
    async def read(request: Request, entity_id: str) -> Response:
        """With `If-None-Match` and the present `ETag` the answer is 304 without a body."""
        parameters(request, ())
        revision = await runtime_of(request).stores.get(kind, entity_id)
        if revision is None:
            raise NotFoundError(f"{kind.label} not found: {entity_id}")
        if has_version(request, revision.version):
            return Response(status_code=304, headers={"ETag": etag(revision.version), "Cache-Control": "no-cache"})
        return entity_answer(revision).response()

    @router.put(
        member,
        summary=f"Change a {kind.label.lower()}",
        response_model=answer,
        openapi_extra=body_of(CHANGE[kind.name], JSON),
    )
    async def replace_fields(request: Request, entity_id: str) -> Response:
        """Each given field is replaced whole, absent ones stay, null clears. With `If-Match` only that version."""
        media_type_of(request, (JSON,))
        return await _change(request, entity_id, merge=False)

    @router.patch(
        member,
        summary=f"Merge into a {kind.label.lower()}",
        response_model=answer,
        openapi_extra=body_of(CHANGE[kind.name], MERGE_PATCH, JSON),
    )
    async def merge_fields(request: Request, entity_id: str) -> Response:
        """As PUT, but objects merge deeply (RFC 7396): a member that is null is removed, an absent one stays."""
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

    @router.delete(
        member,
        summary=f"Delete a {kind.label.lower()}",
        response_model=Deleted,
        openapi_extra={"parameters": [described_flag("force", "Unlink what refers to it.")]},
    )
    async def delete(request: Request, entity_id: str) -> Response:
        """Refused with 409 while something refers to it, unless `force`."""
        force, if_match = flag(request, "force"), if_match_of(request)

        def work(tx: Transaction, context: Context) -> Answer:
            entities.delete(tx, kind, entity_id, context, if_match=if_match, force=force)
            return deleted_answer(kind, entity_id)

        return await write(request, b"", work)

    @router.get(f"{member}/history", summary=f"Versions of a {kind.label.lower()}", response_model=History)
    async def history(request: Request, entity_id: str) -> Response:
        """The oldest come first, each with who made it and what changed; also of what was deleted."""
        parameters(request, ())
        stores = runtime_of(request).stores
        versions = history_of(await stores.history(kind.key(entity_id)))
        if not versions and await stores.get(kind, entity_id) is None:
            raise NotFoundError(f"{kind.label} not found: {entity_id}")
        return success(history=[*versions])

    return router
