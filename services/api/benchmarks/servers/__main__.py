"""`python -m benchmarks.servers <shop-log | shop-ready | published | published-compressed>`: one server to measure."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn

from benchmarks.servers.hosting import Host
from rmos.settings import Settings


def main(name: str) -> None:
    """Serve until stdin ends. RMOS takes its settings from the environment, as ever."""
    # Each server loads only its own framework: memory is measured here, too.
    match name:
        case "published" | "published-compressed":
            from benchmarks.servers import published

            # uvicorn's defaults but for the access log, which nobody reads here; compression as the name says.
            config = _config(published.app, ws_per_message_deflate=name == "published-compressed")
            Host(config, published.PublishedDriver()).serve_anywhere()
        case "shop-log" | "shop-ready":
            from benchmarks.servers.shop import ShopDriver
            from rmos.web.app import create_app

            app = create_app(Settings())
            driver = ShopDriver(app, "log" if name == "shop-log" else "ready")
            Host(_config(app, ws_per_message_deflate=False), driver).serve_anywhere()
        case _:
            raise SystemExit(f"unknown server {name!r}")


def _config(app: Any, *, ws_per_message_deflate: bool) -> uvicorn.Config:  # Any: whatever uvicorn takes
    return uvicorn.Config(
        app,
        host="127.0.0.1",
        log_level="warning",
        access_log=False,
        ws_per_message_deflate=ws_per_message_deflate,
    )


if __name__ == "__main__":
    main(sys.argv[1])
