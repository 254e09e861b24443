"""Nchan: the nginx module for publishing over HTTP to WebSockets. One worker, messages kept in its memory."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks.servers.broker import Broker

MODULE: Final = "/usr/lib/nginx/modules/ngx_nchan_module.so"
SUBSCRIBED: Final = b""
"""Whoever is connected is subscribed."""


def _pack(text: str) -> bytes:
    data = text.encode()
    return b"POST /publish HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n%b" % (len(data), data)


def _config(port: int, publisher_port: int, folder: Path) -> str:
    return f"""
load_module {MODULE};
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/pid;
error_log stderr error;
events {{ worker_connections 16000; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_body_temp_path {folder}/body;
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{publisher_port};
        location = /subscribe {{
            nchan_subscriber websocket; nchan_channel_id t; nchan_subscriber_first_message newest;
        }}
        location = /publish {{ nchan_publisher http; nchan_channel_id t; nchan_message_buffer_length 1000; }}
    }}
}}
"""


BROKER: Final = Broker(
    program="nginx",
    arguments=lambda config: ["-p", str(config.parent), "-c", str(config), "-e", "stderr"],
    config=_config,
    subscription=b"",
    greeting=b"",
    pack=_pack,
    path="/subscribe",
)
