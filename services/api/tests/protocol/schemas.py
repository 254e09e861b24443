"""The JSON Schemas of protocol/schema, ready to validate."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tests.protocol.vectors import PROTOCOL

SCHEMA = PROTOCOL / "schema"


@cache
def documents() -> dict[str, Any]:
    """Every schema by its file name."""
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(SCHEMA.glob("*.json"))}


@cache
def validator(name: str) -> Draft202012Validator:
    """The validator of one schema; references between the files are resolved by their names."""
    resources = [(file, Resource.from_contents(document)) for file, document in documents().items()]
    registry: Registry[Any] = Registry().with_resources(resources)
    return Draft202012Validator(documents()[name], registry=registry)


def problems(name: str, value: object) -> list[str]:
    """What is wrong with a value, in words; empty when it is valid."""
    return [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(value)]
