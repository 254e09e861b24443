"""Lists, searches, filters and statistics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from rmos.domain.entities import JOBLOG, PATTERN, STRIP_FAMILY, Kind
from rmos.stores.base import ListQuery
from rmos.web.answers import STORES_PREFIX, list_body, success
from rmos.web.deps import JSON, runtime_of
from rmos.web.models import LIST, MATCHES, Statistics
from rmos.web.queries import (
    PAGING,
    described,
    described_paging,
    field_value,
    like_pattern,
    list_query,
    next_link,
    paged,
    parameters,
    searched,
)

FILTERS: Final[Mapping[str, Mapping[str, str]]] = {
    PATTERN.name: {"rings": "ring_count"},
    JOBLOG.name: {"status": "status", "pattern": "pattern_id", "type": "job_type"},
    STRIP_FAMILY.name: {"material": "material_type"},
}
"""The published `/filter/<word>/{value}` routes of each kind, and the field behind the word."""

SEARCHABLE_BY_NAME: Final = (PATTERN, STRIP_FAMILY)


def list_routes(kind: Kind) -> APIRouter:
    """The routes of one kind. They must be matched before those of one entity: `statistics` is not an id."""
    router = APIRouter(prefix=f"{STORES_PREFIX}/{kind.path}", tags=[kind.plural])

    @router.get(
        "", summary=f"List {kind.plural}", response_model=LIST[kind.name], openapi_extra={"parameters": described(kind)}
    )
    async def list_all(request: Request) -> Response:
        """The newest come first. `total` counts all that match, `count` those on this page."""
        page = await runtime_of(request).stores.page(kind, list_query(request, kind))
        body = list_body(kind.plural, page.items, total=page.total, count=len(page.items))
        return Response(body, headers=next_link(request, page.next), media_type=JSON)

    @router.get("/statistics", summary=f"Figures over all {kind.plural}", response_model=Statistics)
    async def statistics(request: Request) -> Response:
        """Counts are 0 and averages null while there is nothing."""
        parameters(request, ())
        return success(statistics=await runtime_of(request).stores.statistics(kind))

    if kind in SEARCHABLE_BY_NAME:

        @router.get(
            "/search/name/{text}",
            summary=f"Search {kind.plural} by name",
            response_model=MATCHES[kind.name],
            openapi_extra={"parameters": described_paging()},
        )
        async def search_name(request: Request, text: str) -> Response:
            """Names that contain the text, without case. A text with `%` at both ends is taken as a LIKE pattern."""
            given = parameters(request, PAGING)
            return await _matches(request, kind, paged(given, name_like=like_pattern(searched(text, "/text"))))

    for word, field in FILTERS[kind.name].items():
        _add_filter(router, kind, word, field)

    return router


def _add_filter(router: APIRouter, kind: Kind, word: str, field: str) -> None:
    @router.get(
        f"/filter/{word}/{{value}}",
        name=f"filter_{kind.plural}_by_{word}",
        summary=f"List {kind.plural} with this {field}",
        response_model=MATCHES[kind.name],
        openapi_extra={"parameters": described_paging()},
    )
    async def filtered(request: Request, value: str) -> Response:
        """The newest come first. `count` counts those on this page."""
        where = {field: field_value(kind, field, value)}
        return await _matches(request, kind, paged(parameters(request, PAGING), where=where))


async def _matches(request: Request, kind: Kind, query: ListQuery) -> Response:
    """The answer of a search or filter."""
    page = await runtime_of(request).stores.page(kind, query)
    body = list_body(kind.plural, page.items, count=len(page.items))
    return Response(body, headers=next_link(request, page.next), media_type=JSON)
