"""Documents as bytes. One is encoded once; the same bytes are stored, answered and sent to every client."""

from __future__ import annotations

import orjson

from rmos.domain.entities import MAX_ENTITY_BYTES, JsonObject
from rmos.errors import TooLargeError


def encode(document: JsonObject) -> bytes:
    """The document as UTF-8 JSON. It was checked before (`domain.documents.json_faults`), so nothing is altered.

    Raises:
        TooLargeError: over `MAX_ENTITY_BYTES`.
    """
    body = orjson.dumps(document)
    if len(body) > MAX_ENTITY_BYTES:
        raise TooLargeError(f"{len(body)} bytes; at most {MAX_ENTITY_BYTES} are kept of one entity")
    return body
