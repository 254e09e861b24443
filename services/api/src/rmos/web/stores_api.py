"""The stores: every route under `/api/rmos/stores`."""

from __future__ import annotations

from fastapi import APIRouter

from rmos.domain.entities import KINDS
from rmos.web import bulk_api
from rmos.web.entities_api import entity_routes
from rmos.web.lists_api import list_routes
from rmos.web.transfer_api import transfer_routes

__all__ = ["router"]

router = APIRouter()
# One flat list, see `app`. Within a kind the words (`statistics`) come before the ids, which would match them too.
for kind in KINDS:
    for routes in (list_routes(kind), transfer_routes(kind), entity_routes(kind)):
        router.routes.extend(routes.routes)
router.routes.extend(bulk_api.router.routes)
# Routes are tried in turn: the short paths, to which things are posted most, need not wait for all the others.
router.routes.sort(key=lambda route: getattr(route, "path", "").count("/"))
