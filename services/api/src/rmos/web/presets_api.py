"""Rosettes to begin with and the species they are made of."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from rmos.domain.presets import catalogue
from rmos.web.answers import API_PREFIX, success
from rmos.web.models import Presets
from rmos.web.queries import parameters

router = APIRouter(prefix=API_PREFIX, tags=["patterns"])

_CACHE: Final = "public, max-age=3600"
"""They change with the version of the program alone; an hour is a short time to an upgrade."""


@router.get("/presets", summary="Presets and species", response_model=Presets)
async def presets(request: Request) -> Response:
    """Geometries to make patterns of, and the colours and densities of their woods."""
    parameters(request, ())
    response = success(**catalogue())
    response.headers["Cache-Control"] = _CACHE
    return response
