"""Export and import of all entities of a kind, as CSV for spreadsheets or as JSON for programs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from rmos.domain.entities import Kind
from rmos.errors import InvalidError
from rmos.services.context import Context
from rmos.stores.base import ListQuery, Page, Stores, Transaction
from rmos.web.answers import STORES_PREFIX, Answer
from rmos.web.deps import CSV, JSON, MAX_BULK_BYTES, media_type_of, parse_json, read_body, runtime_of
from rmos.web.idempotency import write
from rmos.web.importing import import_rows
from rmos.web.models import LIST, ImportResult
from rmos.web.openapi import body_of
from rmos.web.queries import described_filters, list_query, parameters
from rmos.web.tables import Row, read_rows, write_rows

EXPORT_PAGE: Final = 200
"""Entities read at a time: at most 50 MiB of them are in memory, whatever the size of the shop."""


def transfer_routes(kind: Kind) -> APIRouter:
    """The routes of one kind. They must be matched before those of one entity: `export.csv` is not an id."""
    router = APIRouter(prefix=f"{STORES_PREFIX}/{kind.path}", tags=[kind.plural])
    filters = {"parameters": described_filters(kind)}

    @router.get(
        "/export.csv",
        summary=f"Export {kind.plural} as a table",
        response_class=Response,
        responses={200: {"description": "The table.", "content": {CSV: {}}}},
        openapi_extra=filters,
    )
    async def export_csv(request: Request) -> Response:
        """The oldest come first. Objects are JSON in their cell; `POST …/import` takes the table back."""
        pages = await _first_page_read(request, kind)
        return _download(_csv(kind, pages), CSV, f"{kind.plural}.csv")

    @router.get("/export.json", summary=f"Export {kind.plural} as JSON", openapi_extra=filters)
    async def export_json(request: Request) -> Response:
        """The oldest come first, in the envelope of a list. `POST …/import` takes it back."""
        pages = await _first_page_read(request, kind)
        return _download(_json(kind, pages), JSON, f"{kind.plural}.json")

    @router.post(
        "/import",
        summary=f"Import {kind.plural}",
        response_model=ImportResult,
        openapi_extra=body_of(LIST[kind.name], JSON, CSV),
    )
    async def import_all(request: Request) -> Response:
        """All or nothing. An entity whose id is known is changed, another one is created."""
        parameters(request, ())
        media_type = media_type_of(request, (JSON, CSV))
        body = await read_body(request, MAX_BULK_BYTES)
        # Megabytes take long enough to parse that other requests would wait for it on the loop.
        rows = await asyncio.to_thread(read_rows if media_type == CSV else _json_rows, kind, body)

        def work(tx: Transaction, context: Context) -> Answer:
            tally = import_rows(tx, kind, rows, context)
            return Answer(200, (), orjson.dumps({"success": True, **tally}))

        return await write(request, body, work)

    return router


async def _first_page_read(request: Request, kind: Kind) -> AsyncIterator[Page]:
    """The pages of an export. The first is read before the answer begins, so that a fault of it is still told."""
    query = replace(list_query(request, kind, paging=()), sort=(("created_at", False),), limit=EXPORT_PAGE)
    stores = runtime_of(request).stores
    return _pages(stores, kind, query, await stores.page(kind, query))


async def _pages(stores: Stores, kind: Kind, query: ListQuery, first: Page) -> AsyncIterator[Page]:
    page = first
    yield page
    while page.next is not None:
        page = await stores.page(kind, replace(query, after=page.next))
        yield page


async def _csv(kind: Kind, pages: AsyncIterator[Page]) -> AsyncIterator[bytes]:
    is_first = True
    async for page in pages:
        yield await asyncio.to_thread(write_rows, kind, page.items, header=is_first)
        is_first = False


async def _json(kind: Kind, pages: AsyncIterator[Page]) -> AsyncIterator[bytes]:
    separator = b'{"success":true,"%b":[' % kind.plural.encode()
    async for page in pages:
        if page.items:
            yield separator + b",".join(page.items)
            separator = b","
        elif separator != b",":
            yield separator
    yield b"]}"


def _download(content: AsyncIterator[bytes], media_type: str, name: str) -> StreamingResponse:
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(content, headers=disposition, media_type=media_type)


def _json_rows(kind: Kind, body: bytes) -> list[Row]:
    """The entities of what `export.json` gives, or of a plain list.

    Raises:
        BadRequestError: not JSON.
        InvalidError: neither of the two, or an entity that is no object.
    """
    value, pointer = parse_json(body), ""
    if isinstance(value, dict):
        value, pointer = value.get(kind.plural), f"/{kind.plural}"
    if not isinstance(value, list):
        raise InvalidError.at(pointer, f'expected a list of objects, or {{"{kind.plural}": [...]}}')
    rows = []
    for index, fields in enumerate(value):
        if not isinstance(fields, dict):
            raise InvalidError.at(f"{pointer}/{index}", "expected an object")
        rows.append(Row(f"{pointer}/{index}", f"entity {index + 1}", fields))
    return rows
