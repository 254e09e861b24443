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
for kind in KINDS:
    router.include_router(list_routes(kind))
    router.include_router(transfer_routes(kind))
    router.include_router(entity_routes(kind))
router.include_router(bulk_api.router)
