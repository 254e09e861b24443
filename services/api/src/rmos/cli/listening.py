"""Sockets and folders a server needs, taken before anything else starts.

Uvicorn alone would run the application's start-up first and find the port taken afterwards.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
import ssl
import tempfile
from pathlib import Path
from typing import Final

from rmos.errors import StartupError
from rmos.settings import Settings

BACKLOG: Final = 2048
"""Connections the kernel holds for us; uvicorn's own default. A storm of reconnecting clients must fit."""


def require_usable_folder(folder: Path) -> None:
    """Create the folder if it is not there and prove that files can be written into it.

    Raises:
        StartupError: it is a file, cannot be created or cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (FileExistsError, NotADirectoryError):
        raise StartupError(f"cannot keep data in {folder}: a file is in its place; {_OTHER_FOLDER}") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StartupError(f"cannot write to the data folder {folder}: {reason}; {_OTHER_FOLDER}") from None


_OTHER_FOLDER: Final = "choose another folder with --data or RMOS_DATA"


def require_allowed_host(settings: Settings) -> None:
    """Refuse an address that others can reach where they could listen in, or need not log in.

    Raises:
        StartupError: that is so, and `--insecure` does not allow it; or the name of the host is unknown.
    """
    host = settings.host
    is_local = all(ipaddress.ip_address(address[0]).is_loopback for _, address in _resolve(host, 0))
    if is_local or settings.insecure:
        return
    if not settings.is_auth_required:
        raise StartupError(
            f"{host} can be reached by other machines, and RMOS_AUTH=off lets everybody there read and change the "
            "shop; serve on 127.0.0.1, or add --insecure if the network is yours alone"
        )
    if settings.tls_cert is None and not settings.behind_proxy:
        raise StartupError(
            f"{host} can be reached by other machines, and without TLS everybody on the way can read passwords; give "
            "--tls-cert and --tls-key, or --behind-proxy if a proxy ends TLS, or --insecure if the network is yours "
            "alone"
        )


def require_usable_certificate(settings: Settings) -> None:
    """Make sure that TLS can begin, where it is asked for.

    Raises:
        StartupError: half of the pair is missing, or the files are no certificate and its key.
    """
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise StartupError("TLS needs both a certificate and its key; give --tls-cert and --tls-key")
    if settings.tls_cert is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key, lambda: "")
    except FileNotFoundError:
        raise StartupError(f"{settings.tls_cert} or {settings.tls_key} is not there; check both paths") from None
    except (OSError, ssl.SSLError) as error:
        raise StartupError(
            f"{settings.tls_cert} and {settings.tls_key} are no certificate and its key, both PEM and without a "
            f"passphrase: {(getattr(error, 'reason', None) or error.strerror or 'unreadable').lower()}"
        ) from None


def listen(host: str, port: int) -> list[socket.socket]:
    """Listening sockets on every address of `host`, all on one port; 0 takes a free one.

    Raises:
        StartupError: the port is taken or may not be used, or the host is not one of this machine.
    """
    sockets: list[socket.socket] = []
    try:
        for family, address in _resolve(host, port):
            sockets.append(_listen_on(family, address[0], port or (sockets[0].getsockname()[1] if sockets else 0)))
    except OSError as error:
        # `localhost` often has an IPv6 address that the machine does not really offer.
        if sockets and error.errno == errno.EADDRNOTAVAIL:
            return sockets
        for opened in sockets:
            opened.close()
        raise StartupError(_bind_failure(host, port, error)) from None
    return sockets


def _listen_on(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart must not wait for TIME_WAIT
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # its IPv4 twin has a socket of its own
        sock.bind((address, port))
        # Bound is not taken: two sockets may be bound to one port until the first of them listens.
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _resolve(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    """Addresses of `host` without repeats, IPv4 first."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise StartupError(f"unknown host {host!r}; expected an address of this machine such as 127.0.0.1") from None
    addresses = {(family, (str(address[0]), port)) for family, _, _, _, address in found}
    return sorted(addresses)


def _bind_failure(host: str, port: int, error: OSError) -> str:
    other_port = "choose another port with --port or RMOS_PORT"
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} on {host} is taken by another program; {other_port}"
        case errno.EACCES:
            return f"port {port} on {host} is reserved for the administrator; {other_port}"
        case errno.EADDRNOTAVAIL:
            return f"{host} is not an address of this machine; choose one with --host or RMOS_HOST"
        case _:
            return f"cannot listen on {host}:{port}: {(error.strerror or str(error)).lower()}"


def address_of(sockets: list[socket.socket], host: str, *, scheme: str = "http") -> str:
    """The address to open in a browser, with the port that is really used."""
    port = sockets[0].getsockname()[1]
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).version == 6:
            host = f"[{host}]"
    return f"{scheme}://{host}:{port}"
