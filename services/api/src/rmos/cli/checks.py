"""What `rmos doctor` looks at. Each check only reads, and says what to do when something is wrong."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import socket
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final, Literal

import httpx2

from rmos.cli.address import authorization, server_of
from rmos.cli.effective import PREFIX
from rmos.cli.listening import listen
from rmos.errors import StartupError
from rmos.eventlog.sqlite import read_head
from rmos.settings import Settings
from rmos.stores.sqlite.connection import connect_reader
from rmos.stores.sqlite.migrate import SCHEMA_VERSION

Status = Literal["ok", "warning", "failed"]

LEAST_PYTHON: Final = (3, 11)
LEAST_FREE_BYTES: Final = 100 * 1024 * 1024
"""Below this the shop's next busy week may find the disk full."""
LARGE_WAL_BYTES: Final = 64 * 1024 * 1024
"""Twice what the server cuts the WAL back to: it has not been able to for a while."""
BUSY_TIMEOUT_S: Final = 2.0
ANSWER_TIMEOUT_S: Final = 2.0
_OTHER_VARIABLES: Final = frozenset({"RMOS_SKIP_WEB", "RMOS_DEV_API", "RMOS_TOKEN"})
"""Read while building and developing, and by commands that talk to a server; not by the server."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Outcome of one check. `advice` says what to do about it, None when there is nothing to do."""

    check: str
    status: Status
    detail: str
    advice: str | None = None


def run_checks(settings: Settings, *, token: str | None = None) -> Iterator[Finding]:
    """Every finding, in the order in which one would look for a fault. `token` is tried on a running server."""
    yield check_python()
    yield check_packages()
    yield check_web_app()
    yield check_environment(settings)
    yield check_folder(settings.database_path.parent)
    yield from check_database(settings.database_path)
    yield check_port(settings.host, settings.port)
    if token is not None:
        yield check_token(server_of(settings), token)


def check_python() -> Finding:
    """Whether this Python is new enough."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < LEAST_PYTHON:
        return Finding("python", "failed", version, "install Python 3.11 or newer")
    return Finding("python", "ok", f"{version}, SQLite {sqlite3.sqlite_version}")


def check_packages() -> Finding:
    """Whether every package that RMOS asks for is there, and not too old."""
    wrong = []
    for requirement in metadata.requires("rmos") or ():
        found = re.match(r"([\w.-]+)(?:\[[^\]]*\])?\s*(?:>=\s*([\d.]+))?", requirement)
        if found is None or "extra ==" in requirement:
            continue
        try:
            installed = metadata.version(found[1])
        except metadata.PackageNotFoundError:
            wrong.append(f"{found[1]} is missing")
            continue
        if found[2] and _numbers(installed) < _numbers(found[2]):
            wrong.append(f"{found[1]} {installed} is older than {found[2]}")
    if wrong:
        return Finding("packages", "failed", "; ".join(wrong), "run `make setup`, or `pip install --upgrade rmos`")
    return Finding("packages", "ok", f"rmos {metadata.version('rmos')} and all it needs")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def check_web_app() -> Finding:
    """Whether the pages of the browser are in the package."""
    if (Path(__file__).resolve().parents[1] / "webapp" / "index.html").is_file():
        return Finding("web app", "ok", "built")
    if os.environ.get("RMOS_SKIP_WEB") == "1":
        return Finding("web app", "warning", "left out, as RMOS_SKIP_WEB=1 asks", "unset it and run `make web`")
    return Finding("web app", "failed", "not built, so the browser shows nothing", "run `make web`")


def check_environment(settings: Settings) -> Finding:
    """Whether every `RMOS_…` variable is one that is read."""
    known = {f"{PREFIX}{name.upper()}" for name in type(settings).model_fields} | _OTHER_VARIABLES
    unknown = sorted(name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known)
    if not unknown:
        return Finding("environment", "ok", "no unknown variable")
    meant = difflib.get_close_matches(unknown[0].upper(), known, 1)
    advice = f"did you mean {meant[0]}?" if meant else "remove it"
    return Finding("environment", "warning", f"{', '.join(unknown)} has no effect", advice)


def check_folder(folder: Path) -> Finding:
    """Whether the data can be written, and for how long there is space."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir():
        return Finding("data folder", "failed", f"{existing} is a file", "choose another folder with RMOS_DATA")
    if not os.access(existing, os.W_OK | os.X_OK):
        return Finding("data folder", "failed", f"{existing} cannot be written", "change its owner or its rights")
    free = shutil.disk_usage(existing).free
    detail = f"{folder}, {_size(free)} free" if existing == folder else f"{folder} will be made, {_size(free)} free"
    if free < LEAST_FREE_BYTES:
        return Finding("data folder", "failed", detail, "free some disk space")
    return Finding("data folder", "ok", detail)


def check_database(path: Path) -> Iterator[Finding]:
    """Schema, integrity, log and WAL of the database, read beside a server that may be running."""
    if not path.exists():
        yield Finding("database", "ok", f"{path} will be made at the first start")
        return
    try:
        with closing(connect_reader(path, busy_timeout_s=BUSY_TIMEOUT_S)) as connection:
            schema = _check_schema(connection)
            yield schema
            yield _check_integrity(connection)
            if schema.status != "failed":
                head = read_head(connection)
                yield Finding("log", "ok", f"epoch {head.epoch}, head {head.offset}, oldest {head.oldest}")
            yield _check_wal(path)
    except sqlite3.Error as error:
        yield Finding("database", "failed", f"{path}: {error}", "restore a backup, or choose another RMOS_DATA")


def _check_schema(connection: sqlite3.Connection) -> Finding:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "alembic_version" not in tables:
        return Finding("schema", "failed", "the file is not a database of RMOS", "choose another RMOS_DATA")
    (found,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if found == SCHEMA_VERSION:
        return Finding("schema", "ok", f"{found}, the present one")
    if found < SCHEMA_VERSION:
        return Finding("schema", "warning", f"{found}, behind {SCHEMA_VERSION}", "the next start migrates it")
    return Finding("schema", "failed", f"{found} is of a newer RMOS; this one knows {SCHEMA_VERSION}", "update RMOS")


def _check_integrity(connection: sqlite3.Connection) -> Finding:
    (result,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if result == "ok":
        return Finding("integrity", "ok", "quick check passed")
    return Finding("integrity", "failed", str(result), "stop the server and restore a backup")


def _check_wal(path: Path) -> Finding:
    wal = path.with_name(f"{path.name}-wal")
    size = wal.stat().st_size if wal.exists() else 0
    if size > LARGE_WAL_BYTES:
        return Finding("write-ahead log", "warning", _size(size), "look for a program that keeps the database open")
    return Finding("write-ahead log", "ok", _size(size))


def check_port(host: str, port: int) -> Finding:
    """Whether `rmos serve` could listen there, or is doing so already."""
    try:
        sockets: list[socket.socket] = listen(host, port)
    except StartupError as error:
        if running := _running_version(host, port):
            return Finding("port", "ok", f"{running} is serving on {host}:{port}")
        sentence, _, advice = error.message.rpartition("; ")
        return Finding("port", "failed", sentence or advice, advice)
    for sock in sockets:
        sock.close()
    return Finding("port", "ok", f"{host}:{port} is free")


def check_token(server: str, token: str) -> Finding:
    """Whether the running server lets the holder of this token in, and as whom."""
    try:
        answer = httpx2.get(
            f"{server}/api/rmos/auth/me", headers=authorization(token), timeout=ANSWER_TIMEOUT_S, trust_env=False
        )
        auth = answer.json()["auth"]
    except StartupError as error:
        return Finding("token", "failed", error.message, "copy it again")
    except (httpx2.HTTPError, ValueError, KeyError, TypeError):
        return Finding("token", "warning", f"no RMOS answers at {server} that could be asked", "start the server")
    if not auth["required"]:
        return Finding("token", "ok", "not needed: everybody may come in")
    if auth["user"] is None:
        return Finding("token", "failed", "unknown, revoked or expired", "make another one with `rmos token create`")
    return Finding("token", "ok", f"lets in {auth['user']} as {auth['role']}")


def _running_version(host: str, port: int) -> str | None:
    """Name and version of the RMOS that answers there; None when nobody or somebody else does."""
    try:
        answer = httpx2.get(f"http://{host}:{port}/openapi.json", timeout=ANSWER_TIMEOUT_S, trust_env=False)
        info = answer.json()["info"]
    except (httpx2.HTTPError, ValueError, KeyError, TypeError):
        return None
    return f"{info['title']} {info['version']}" if "RMOS" in str(info.get("title")) else None


def _size(count: int) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count //= 1024
    return f"{count} GiB"
