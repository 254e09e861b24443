"""`/asyncapi.json`: the monitor described for programs, and `/asyncapi`, the same to read.

The description is made from protocol/schema by scripts/generate_asyncapi.py, and carried in the package as it is.
"""

from __future__ import annotations

import json
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from rmos.web.deps import JSON

DESCRIPTION: Final = Path(__file__).with_name("asyncapi.json")

_STYLE: Final = """:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; }
h3 { margin-bottom: 0; }
code, pre { font: 0.875rem/1.5 ui-monospace, monospace; }
pre { padding: 1rem; overflow-x: auto; border: 1px solid; border-radius: 0.5rem; }
a { color: LinkText; }
summary { cursor: pointer; }
"""
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>RMOS: monitor</title>
<link rel="stylesheet" href="/asyncapi/style.css">
</head>
<body>
<h1>{title} <small>{version}</small></h1>
<p>{description}</p>
<p>For programs: <a href="/asyncapi.json">asyncapi.json</a>. REST: <a href="/docs">to try out</a>,
<a href="/redoc">to read</a>.</p>
{channels}
<h2>Messages</h2>
{messages}
<h2>Shared definitions</h2>
{schemas}
</body>
</html>
"""

router = APIRouter(include_in_schema=False)


@router.get("/asyncapi.json")
async def asyncapi() -> Response:
    """The description, AsyncAPI 3.0."""
    return Response(_description(), media_type=JSON)


@router.get("/asyncapi")
async def page() -> Response:
    """The description to read."""
    return HTMLResponse(_page())


@router.get("/asyncapi/style.css")
async def style() -> Response:
    """How the page looks."""
    return Response(_STYLE, media_type="text/css")


@cache
def _description() -> bytes:
    return DESCRIPTION.read_bytes()


@cache
def _page() -> str:
    document = json.loads(_description())
    messages, schemas = document["components"]["messages"], document["components"]["schemas"]
    shared = [name for name in schemas if name not in messages]
    return _PAGE.format(
        **{name: escape(document["info"][name]) for name in ("title", "version", "description")},
        channels="\n".join(_channel(name, channel, document) for name, channel in document["channels"].items()),
        messages="\n".join(_message(name, message, schemas[name]) for name, message in messages.items()),
        schemas="\n".join(f'<h3 id="{escape(name)}">{escape(name)}</h3>{_schema(schemas[name])}' for name in shared),
    )


def _channel(name: str, channel: dict[str, Any], document: dict[str, Any]) -> str:
    operations = [one for one in document["operations"].values() if one["channel"]["$ref"] == f"#/channels/{name}"]
    lists = "".join(
        f"<h3>{escape(one['summary'])}</h3><p>{', '.join(_link(message['$ref']) for message in one['messages'])}</p>"
        for one in operations
    )
    return (
        f"<h2>{escape(channel['title'])}</h2><p><code>{escape(channel['address'])}</code></p>"
        f"<p>{escape(channel['description'])}</p>{lists}"
    )


def _link(reference: str) -> str:
    name = escape(reference.rpartition("/")[2])
    return f'<a href="#{name}">{name}</a>'


def _message(name: str, message: dict[str, Any], schema: dict[str, Any]) -> str:
    heading = f'<h3 id="{escape(name)}">{escape(message["title"])}</h3>'
    return f"{heading}<p>{escape(message.get('summary', ''))}</p>{_schema(schema)}"


def _schema(schema: dict[str, Any]) -> str:
    text = escape(json.dumps(schema, indent=2, ensure_ascii=False))
    return f"<details><summary>Schema</summary><pre>{text}</pre></details>"
