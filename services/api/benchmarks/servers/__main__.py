"""`python -m benchmarks.servers <name>`: one server to measure.

shop-log, shop-ready               RMOS, and where its events come from
published, published-compressed    the published way
websockets, socketify, granian     competitors in Python
mosquitto, nats-server, nchan      brokers, and a publisher for them
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import uvicorn


def main(name: str) -> None:
    """Serve until stdin ends. RMOS takes its settings from the environment, as ever, and others where TLS begins."""
    # Each server loads only what it needs: memory is measured here, too, and competitors have nothing of ours.
    match name:
        case "published" | "published-compressed":
            from benchmarks.servers import published
            from benchmarks.servers.hosting import Host

            # uvicorn's defaults but for the access log, which nobody reads here; compression as the name says.
            config = _config(published.app, ws_per_message_deflate=name == "published-compressed")
            Host(config, published.PublishedDriver()).serve_anywhere()
        case "shop-log" | "shop-ready":
            from benchmarks.servers.hosting import Host
            from benchmarks.servers.shop import ShopDriver
            from rmos.cli.http import DeadlineProtocol, opening_monitors
            from rmos.settings import Settings
            from rmos.web.app import create_app
            from rmos.web.upgrade import Upgrades

            settings = Settings()
            app = create_app(settings)
            # As `rmos serve` does.
            http = opening_monitors(Upgrades(app)) if settings.lean_connections else DeadlineProtocol
            driver = ShopDriver(app, "log" if name == "shop-log" else "ready")
            Host(_config(app, ws_per_message_deflate=False, http=http), driver).serve_anywhere()
        case "websockets":
            from benchmarks.servers import websockets_broadcast

            websockets_broadcast.run()
        case "socketify":
            from benchmarks.servers import socketify_server

            socketify_server.run()
        case "granian":
            from benchmarks.servers import granian_server

            granian_server.run()
        case "mosquitto":
            from benchmarks.servers import broker, mosquitto

            broker.run(mosquitto.BROKER)
        case "nats-server":
            from benchmarks.servers import broker, nats_server

            broker.run(nats_server.BROKER)
        case "nchan":
            from benchmarks.servers import broker, nchan

            broker.run(nchan.BROKER)
        case _:
            raise SystemExit(f"unknown server {name!r}")


def _config(app: Any, *, ws_per_message_deflate: bool, **options: Any) -> uvicorn.Config:  # Any: what uvicorn takes
    import uvicorn

    return uvicorn.Config(
        app,
        host="127.0.0.1",
        log_level="warning",
        access_log=False,
        ws_per_message_deflate=ws_per_message_deflate,
        ssl_certfile=os.environ.get("RMOS_TLS_CERT"),
        ssl_keyfile=os.environ.get("RMOS_TLS_KEY"),
        **options,
    )


if __name__ == "__main__":
    main(sys.argv[1])
