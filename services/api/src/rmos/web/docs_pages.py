"""`/docs` (Swagger UI) and `/redoc` (ReDoc), without a network: workshops are often offline.

The scripts come from the package `fastapi-offline`, which carries the released builds of both; its code is not used.
The pages are our own, because inline scripts are forbidden here. Without that package (2.8 MB that only developers
miss) both addresses say what to install; `/openapi.json` is there in any case.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from rmos.web.webapp import CachedFiles

ASSETS_PATH: Final = "/docs/assets"
_PACKAGE: Final = "fastapi_offline"

_NOT_INSTALLED: Final = """The interface is described at /openapi.json, the live monitor at /asyncapi.

To read it here as a page: pip install fastapi-offline, then restart RMOS.
"""
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Both pages style themselves from scripts, and ReDoc searches in a worker that it makes itself."""

_SWAGGER: Final = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>RMOS: interface</title>
<link rel="icon" href="{ASSETS_PATH}/favicon.png">
<link rel="stylesheet" href="{ASSETS_PATH}/swagger-ui.css">
</head>
<body>
<p>The live monitor is described at <a href="/asyncapi">/asyncapi</a>.</p>
<div id="swagger-ui"></div>
<script src="{ASSETS_PATH}/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_SWAGGER_START: Final = (
    'SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null});\n'
)
_REDOC: Final = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>RMOS: interface</title>
<link rel="icon" href="{ASSETS_PATH}/favicon.png">
</head>
<body>
<redoc spec-url="/openapi.json" disable-search="false"></redoc>
<script src="{ASSETS_PATH}/redoc.standalone.js"></script>
</body>
</html>
"""


def add_docs_pages(app: FastAPI) -> None:
    """Serve both pages, or say what they need."""
    assets = _assets_dir()
    if assets is None:
        app.add_api_route("/docs", _say_what_is_missing, include_in_schema=False)
        app.add_api_route("/redoc", _say_what_is_missing, include_in_schema=False)
        return

    @app.get("/docs", include_in_schema=False)
    async def swagger() -> Response:
        return HTMLResponse(_SWAGGER, headers={"Content-Security-Policy": _POLICY})

    @app.get("/docs/start.js", include_in_schema=False)
    async def swagger_start() -> Response:
        return Response(_SWAGGER_START, media_type="text/javascript")

    @app.get("/redoc", include_in_schema=False)
    async def redoc() -> Response:
        return HTMLResponse(_REDOC, headers={"Content-Security-Policy": _POLICY})

    app.mount(ASSETS_PATH, CachedFiles(directory=assets))


async def _say_what_is_missing() -> Response:
    return PlainTextResponse(_NOT_INSTALLED)


def _assets_dir() -> Path | None:
    spec = find_spec(_PACKAGE)  # without importing it
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / "static"
