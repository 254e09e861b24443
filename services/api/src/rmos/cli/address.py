"""Where the server is that a command talks to."""

from __future__ import annotations

from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

import typer

from rmos.cli.effective import read_settings
from rmos.errors import StartupError

Url: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--url", help="Address of the server; default: http://127.0.0.1:8000, or as RMOS_HOST and RMOS_PORT say."
    ),
]


def server_url(given: str | None) -> str:
    """`http(s)://host[:port]` without a path; None takes the server of this machine's settings.

    Raises:
        StartupError: not an address of that form.
    """
    if given is None:
        settings = read_settings()
        host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host  # noqa: S104 -- to compare
        return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
    try:
        parts = urlsplit(given)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        usable = False
    if not usable or parts.path.strip("/") or parts.query or parts.fragment:
        raise StartupError(f"--url is {given!r}; expected an address such as http://127.0.0.1:8000")
    return f"{parts.scheme}://{parts.netloc}"


def monitor_url(server: str) -> str:
    """Address of the monitor of this server."""
    return f"ws{server.removeprefix('http')}/ws/monitor"
