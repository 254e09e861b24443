"""The handshake of the monitor in one step, where the HTTP protocol object is our own (`rmos serve`).

uvicorn hands an upgrade on to a second protocol object, which parses the request once more and runs the app in a task:
half of what a connection costs. The request that was parsed already is answered here instead, by the same route code.

Rule: only a plain, well-formed handshake (RFC 6455, 4.2.1) is taken. Any other goes uvicorn's way, which refuses it.
"""

from __future__ import annotations

import asyncio
import binascii
from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI
from starlette.requests import HTTPConnection
from starlette.types import Scope

from rmos.web.detach import switch_protocols
from rmos.web.websocket import MONITOR_PATH, enter

_PATH: Final = MONITOR_PATH.encode()
_KEY_BYTES: Final = 16


class Upgrades:
    """Takes handshakes over for one application."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def take(self, request: Scope, url: bytes, transport: asyncio.Transport, peers: set[Any]) -> bool:
        """Answer and own the connection; False when this is none for here, and nothing was done.

        Args:
            request: The scope of the request as far as its head tells it, with its headers.
            url: The request target.
            peers: The server's set of connections to shut down.
        """
        path, _, query = url.partition(b"?")
        if path != _PATH or request["method"] != "GET" or request["http_version"] != "1.1" or transport.is_closing():
            return False
        key = _key_of(request["headers"])
        if key is None:
            return False
        handshake = HTTPConnection(
            {
                **request,
                "type": "websocket",
                "scheme": "wss" if request["scheme"] == "https" else "ws",
                "path": MONITOR_PATH,
                "raw_path": path,
                "query_string": query,
                "subprotocols": _subprotocols(request["headers"]),
                "app": self._app,
            }
        )
        detached, headers = enter(handshake)
        switch_protocols(transport, peers, detached, key=key, headers=headers)
        return True


def _key_of(headers: Sequence[tuple[bytes, bytes]]) -> bytes | None:
    """The key of a well-formed handshake; None of any other. That it asks for an upgrade is known."""
    versions = [value for name, value in headers if name == b"sec-websocket-version"]
    keys = [value for name, value in headers if name == b"sec-websocket-key"]
    upgrades = [value.lower() for name, value in headers if name == b"upgrade"]
    if versions != [b"13"] or len(keys) != 1 or upgrades != [b"websocket"]:
        return None
    try:
        return keys[0] if len(binascii.a2b_base64(keys[0], strict_mode=True)) == _KEY_BYTES else None
    except binascii.Error:
        return None


def _subprotocols(headers: Sequence[tuple[bytes, bytes]]) -> list[str]:
    offers = [value.decode("latin-1") for name, value in headers if name == b"sec-websocket-protocol"]
    return [name.strip() for offer in offers for name in offer.split(",")]
