"""The built single-page app, served from the package.

Rule 1: it is asked last, when no route knows the path, so it can hide nothing.
Rule 2: files under `assets/` carry a hash in their name and never change; everything else is asked for anew each time.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

WEBAPP_DIR: Final = Path(__file__).resolve().parents[1] / "webapp"
IMMUTABLE: Final = "public, max-age=31536000, immutable"
REVALIDATE: Final = "no-cache"

_NOT_BUILT: Final = """RMOS is running, but its web app is not built.

In a checkout: run `make web`, then load this page again.
The interface for programs is complete: see /docs.
"""
_API_WORDS: Final = frozenset({"api", "ws", "sse"})
"""First words of paths that are never pages, so that a mistyped one is told as such and not answered with a page."""


class CachedFiles(StaticFiles):
    """Files with the right Cache-Control."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file, or 304 where the browser has it."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = IMMUTABLE if Path(full_path).parent.name == "assets" else REVALIDATE
        return response


class WebApp(CachedFiles):
    """Answers with a file of the build, or with its `index.html` where a browser opens a page of the app."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory, check_dir=False)  # without it there is still the API

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        response = await self.get_response(self.get_path(scope), scope)
        await response(scope, receive, send)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at `path`, or the page of the app.

        Raises:
            HTTPException: 404, neither.
        """
        if scope["method"] != "GET" or path.split(os.sep, 1)[0] in _API_WORDS:
            raise HTTPException(404)
        if path == os.curdir:
            return await self._page(scope)
        try:
            return await super().get_response(path, scope)
        except HTTPException:
            if b"text/html" in dict(scope["headers"]).get(b"accept", b""):
                return await self._page(scope)
            raise

    async def _page(self, scope: Scope) -> Response:
        try:
            return await super().get_response("index.html", scope)
        except HTTPException:
            return PlainTextResponse(_NOT_BUILT, headers={"Cache-Control": REVALIDATE})
