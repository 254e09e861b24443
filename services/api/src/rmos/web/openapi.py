"""The description of the interface: what FastAPI cannot see because routes read bodies themselves is added here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from rmos.web.access_models import KeyCreate, Login, UserChange, UserCreate
from rmos.web.errors import PROBLEM_JSON
from rmos.web.models import CHANGE, CREATE, Bulk, Predict, Problem

_REF: Final = "#/components/schemas/{model}"
_BODIES: Final[Sequence[type[BaseModel]]] = (
    *CREATE.values(),
    *CHANGE.values(),
    Bulk,
    Predict,
    Login,
    UserCreate,
    UserChange,
    KeyCreate,
    Problem,
)


def body_of(model: type[BaseModel], *media_types: str) -> dict[str, Any]:
    """The request body of a route, as `openapi_extra`; a table is plain text."""
    json = {"schema": {"$ref": _REF.format(model=model.__name__)}}
    text = {"schema": {"type": "string"}}
    content = {name: text if name.startswith("text/") else json for name in media_types}
    return {"requestBody": {"required": True, "content": content}}


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole description, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        _, definitions = models_json_schema(
            [(model, "validation") for model in _BODIES], ref_template=_REF, by_alias=True
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(definitions["$defs"])
        for path in document["paths"].values():
            for operation in path.values():
                _answer_problems(operation)
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        app.openapi_schema = document
    return app.openapi_schema


def _answer_problems(operation: dict[str, Any]) -> None:
    """Every operation fails in one shape; FastAPI's own description of a 422 is not it."""
    responses = operation["responses"]
    responses.pop("422", None)
    responses["default"] = {
        "description": "Refused or failed",
        "content": {PROBLEM_JSON: {"schema": {"$ref": _REF.format(model=Problem.__name__)}}},
    }
