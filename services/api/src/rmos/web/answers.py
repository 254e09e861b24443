"""The published envelopes, joined from stored bytes: a document is encoded once in its life, when it is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import quote

import orjson
from starlette.responses import Response

from rmos.domain.entities import JsonValue, Kind, Revision
from rmos.web.deps import JSON, etag

API_PREFIX: Final = "/api/rmos"
STORES_PREFIX: Final = f"{API_PREFIX}/stores"


class Answer(NamedTuple):
    """A finished answer, before it is sent; what an idempotency key remembers."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def response(self, *extra: tuple[str, str]) -> Response:
        """The answer for the web framework."""
        return Response(self.body, self.status, dict((*self.headers, *extra)), JSON)


def entity_answer(revision: Revision, *, status: int = 200) -> Answer:
    """One entity in its envelope, with its version as `ETag`; with `Location` when it was just created."""
    kind = revision.kind
    headers: tuple[tuple[str, str], ...] = (("ETag", etag(revision.version)), ("Cache-Control", "no-cache"))
    if status == 201:
        headers = (*headers, ("Location", f"{STORES_PREFIX}/{kind.path}/{quote(revision.id, safe='')}"))
    return Answer(status, headers, b'{"success":true,"%b":%b}' % (kind.name.encode(), revision.body))


def deleted_answer(kind: Kind, entity_id: str) -> Answer:
    """What DELETE says."""
    return Answer(200, (), orjson.dumps({"success": True, "message": f"{kind.label} deleted: {entity_id}"}))


def list_body(name: str, items: Iterable[bytes], **figures: int) -> bytes:
    """A list of encoded documents under `name`, then the figures, e.g. `total`."""
    tail = b"".join(b',"%b":%d' % (key.encode(), value) for key, value in figures.items())
    return b'{"success":true,"%b":[%b]%b}' % (name.encode(), b",".join(items), tail)


def success(**members: JsonValue) -> Response:
    """A small answer in the published envelope."""
    return Response(orjson.dumps({"success": True, **members}), media_type=JSON)


def created(**members: JsonValue) -> Response:
    """The same for something new, with 201."""
    return Response(orjson.dumps({"success": True, **members}), 201, media_type=JSON)
