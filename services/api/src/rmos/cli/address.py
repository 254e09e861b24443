"""Where the server is that a command talks to."""

from __future__ import annotations

from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

import typer

from rmos.cli.effective import read_settings
from rmos.errors import StartupError
from rmos.settings import Settings

Url: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--url", help="Address of the server; default: http://127.0.0.1:8000, or as RMOS_HOST and RMOS_PORT say."
    ),
]


Token: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--token", envvar="RMOS_TOKEN", show_envvar=False, help="API key or token to come in with. Default: RMOS_TOKEN."
    ),
]


def authorization(token: str | None) -> dict[str, str]:
    """The headers that a request needs to come in with this token; none without one.

    Raises:
        StartupError: it cannot be a token, e.g. because a line break was copied with it.
    """
    if token is None:
        return {}
    if not token.isascii() or not token.isprintable() or not token.strip() or " " in token:
        raise StartupError("--token is no API key or token: it must be one word of letters, digits and . _ -")
    return {"Authorization": f"Bearer {token}"}


def server_of(settings: Settings) -> str:
    """Where the server of these settings is, for programs of this machine."""
    scheme = "http" if settings.tls_cert is None else "https"
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host  # noqa: S104 -- to compare
    return f"{scheme}://[{host}]:{settings.port}" if ":" in host else f"{scheme}://{host}:{settings.port}"


def server_url(given: str | None) -> str:
    """`http(s)://host[:port]` without a path; None takes the server of this machine's settings.

    Raises:
        StartupError: not an address of that form.
    """
    if given is None:
        return server_of(read_settings())
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
