"""Real servers that are started, killed and started again, many times a minute.

One process (`soak.nursery`) keeps everything imported and becomes `rmos serve` by forking: importing takes a second,
forking takes none. It can also do something to the server before it starts; so tests plant bugs and failpoints.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

import httpx2

from benchmarks.processes import Child
from soak.preload import System

WAIT_S: Final = 180.0
"""Longest wait for a server; only a hanging one, or a very busy machine, takes it."""
_READY: Final = b"RMOS is ready: "
_ADMIN: Final = b"Admin token, shown this once: "
_OPEN: Final = b"Open "
"""The last line of a start where people have to log in."""
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_STATM_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Served:
    """A running server.

    Attributes:
        token: Of the admin, where everybody has to say who they are; None elsewhere.
    """

    def __init__(self, url: str, process: int, token: str | None = None) -> None:
        self.url = url
        self.token = token
        self.port = int(url.rpartition(":")[2])
        self.process = process

    def resident_bytes(self) -> int:
        """Memory of it that is in RAM now."""
        return int(Path(f"/proc/{self.process}/statm").read_text("ascii").split()[1]) * _STATM_PAGE

    def cpu_s(self) -> float:
        """Processor time it has used so far, all threads."""
        fields = Path(f"/proc/{self.process}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.process, number)

    async def get(self, path: str) -> dict[str, Any]:  # Any: JSON
        """A JSON answer.

        Raises:
            httpx2.HTTPError: it did not come, or is no success.
        """
        async with httpx2.AsyncClient(
            base_url=self.url, headers=bearer(self.token), timeout=WAIT_S, trust_env=False
        ) as client:
            answer = await client.get(path)
            answer.raise_for_status()
            return dict(json.loads(answer.content))

    async def head(self) -> int:
        """The newest offset of the log."""
        page = await self.get("/api/rmos/monitor/events?limit=1")
        return int(str(page["head"]).rpartition(":")[2])


def bearer(token: str | None) -> dict[str, str]:
    """The header that brings a credential; none where nobody is asked."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}


class Nursery:
    """The process that servers come from. Belongs to no event loop."""

    def __init__(self, *, system: System | None = None) -> None:
        """
        Args:
            system: What lies to, or fails, every server from here.
        """
        self._folder = tempfile.TemporaryDirectory()
        self._path = str(Path(self._folder.name) / "nursery")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RMOS_")}
        kept |= {"RMOS_SKIP_WEB": "1", "PYTHONUNBUFFERED": "1"}
        self._process = Child(
            [sys.executable, "-m", "soak.nursery", self._path],
            environment=kept | (system.variables if system else {}),
            folder=Path(__file__).parents[1],
        )
        self._process.hear(timeout_s=WAIT_S)

    async def place(self, data: Path, **settings: str) -> Place:
        """A data folder on which servers may live, one after the other, with these `RMOS_…` settings."""
        await asyncio.to_thread(data.mkdir, parents=True, exist_ok=True)
        reader, writer = await asyncio.open_unix_connection(self._path)
        return Place(reader, writer, data, settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:  # Any: as the interpreter gives it
        self._process.__exit__(*error)
        self._folder.cleanup()


class Place:
    """A data folder, and at most one server on it.

    Attributes:
        starts_s: Processor time that each start took, from the fork until it was ready.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: Path, settings: dict[str, str]
    ) -> None:
        self._reader, self._writer = reader, writer
        self._settings = settings
        self._server = 0
        self._token: str | None = None
        self._errors = data.with_name(f"{data.name}.stderr")
        self.data = data
        self.database = data / "rmos.db"
        self.starts_s: list[float] = []
        self._tell({"data": str(data), "errors": str(self._errors)})

    def _tell(self, order: object) -> None:
        self._writer.write(json.dumps(order).encode() + b"\n")

    async def serve(self, *, prepare: Sequence[str | int] = (), port: int = 0, **settings: str) -> Served:
        """A new server, when it is ready.

        Args:
            prepare: `module:function` and its arguments, called in the server's process before it starts.
        """
        order = {"settings": self._settings | settings, "prepare": list(prepare), "port": port}
        self._tell(order)
        url, is_open = "", self._settings.get("RMOS_AUTH") != "required"
        async with asyncio.timeout(WAIT_S):
            while not (self._server and url and is_open):
                line = await self._reader.readline()
                if line.startswith(_READY):
                    url = line.removeprefix(_READY).decode().strip()
                elif line.startswith(_ADMIN):
                    self._token = line.removeprefix(_ADMIN).decode().strip()
                elif line.startswith(_OPEN):
                    is_open = True
                elif line.startswith(b"process "):
                    self._server = int(line.removeprefix(b"process "))
                else:
                    raise AssertionError(f"no server, but {line!r}; {self.errors()}")
        server = Served(url, self._server, self._token)
        self.starts_s.append(server.cpu_s())
        return server

    async def serve_in_vain(self) -> int:
        """The exit code of a server that must not come up."""
        self._tell({"settings": self._settings, "prepare": [], "port": 0})
        async with asyncio.timeout(WAIT_S):
            line = await self._reader.readline()
        assert line.startswith(b"process "), line  # noqa: S101  # the place says this first
        return await self.gone()

    async def gone(self) -> int:
        """The exit code of the server, once it is gone; negative for a signal."""
        async with asyncio.timeout(WAIT_S):
            line = await self._reader.readline()
        assert line.startswith(b"gone "), f"{line!r}; {self.errors()}"  # noqa: S101  # the nursery says nothing else
        self._server = 0
        return int(line.removeprefix(b"gone "))

    async def kill(self) -> None:
        """Kill the server, and wait until it is gone."""
        os.kill(self._server, signal.SIGKILL)
        await self.gone()

    async def stop(self) -> int:
        """Ask the server to stop, and wait for its exit code."""
        os.kill(self._server, signal.SIGTERM)
        return await self.gone()

    async def close(self) -> None:
        """End the server, if there is one."""
        if self._server:
            await self.kill()
        self._writer.close()

    def errors(self) -> str:
        """The end of what servers wrote to stderr."""
        return self._errors.read_text("utf-8", errors="replace")[-3000:]
