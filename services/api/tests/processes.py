"""Real processes of RMOS for the tests: servers on free ports, commands with their output."""

from __future__ import annotations

import json
import os
import queue
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import httpx2

RMOS = str(Path(sys.executable).with_name("rmos"))
ROOT = Path(__file__).resolve().parents[3]
WAIT_S = 60.0
"""Longest wait for anything; only a hanging process takes it."""
READY = "RMOS is ready: "


def environment(**extra: str) -> dict[str, str]:
    """The environment of this process without settings of RMOS. Vite colours its lines where CI is set."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("RMOS_")}
    return {**kept, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", **extra}


def run_rmos(*arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [RMOS, *arguments],
        env=environment(**extra),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=WAIT_S * 2,
        check=False,
    )


class Command:
    """A running command whose output can be waited for. `rmos` is meant when the first argument is no path."""

    def __init__(self, *arguments: str, **extra: str) -> None:
        command = list(arguments) if os.sep in arguments[0] else [RMOS, *arguments]
        self.process = subprocess.Popen(
            command,
            env=environment(**extra),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._news: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._readers = [
            threading.Thread(target=self._read, args=(stream, into), daemon=True)
            for stream, into in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[str], into: list[str]) -> None:
        for line in stream:
            into.append(line.rstrip("\n"))
            self._news.put(None)
        stream.close()
        self._news.put(None)

    def wait_until(self, is_so: Callable[[Command], bool], what: str) -> None:
        """Wait until the output says so."""
        deadline = time.monotonic() + WAIT_S
        while not is_so(self):
            try:
                self._news.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {what}; output {self.lines}, errors {self.errors}") from None
            # Both streams have ended and the last line did not say so: it never will.
            assert is_so(self) or any(reader.is_alive() for reader in self._readers), (
                f"ended without {what}; output {self.lines}, errors {self.errors}"
            )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """The exit code, once all output was read."""
        code = self.process.wait(WAIT_S)
        for reader in self._readers:
            reader.join(WAIT_S)
        return code

    def kill(self) -> None:
        """End it in any case, after a test."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait()


class Server(Command):
    """A server on a free port, or on the one given."""

    def __init__(self, data: Path, *arguments: str, port: int = 0, **extra: str) -> None:
        super().__init__("serve", "--port", str(port), "--data", str(data), *arguments, **extra)
        self.data = data

    def wait_until_ready(self) -> Server:
        """Wait for the line with the address."""
        self.wait_until(lambda server: any(line.startswith(READY) for line in server.lines), "ready line")
        return self

    @property
    def url(self) -> str:
        """The address it printed."""
        return next(line for line in self.lines if line.startswith(READY)).removeprefix(READY)

    @property
    def port(self) -> int:
        """The port of that address."""
        return int(self.url.rpartition(":")[2])

    @property
    def monitor_url(self) -> str:
        """Where the live stream is."""
        return f"ws{self.url.removeprefix('http')}/ws/monitor"

    def post_pattern(self, name: str) -> dict[str, Any]:
        """Create a pattern."""
        fields = {"name": name, "ring_count": 3, "geometry": {"rings": []}}
        answer = httpx2.post(f"{self.url}/api/rmos/stores/patterns", json=fields, timeout=WAIT_S, trust_env=False)
        assert answer.status_code == 201, answer.text
        pattern: dict[str, Any] = answer.json()["pattern"]
        return pattern

    def get(self, path: str, **parameters: str | int) -> dict[str, Any]:
        """A JSON answer."""
        answer = httpx2.get(f"{self.url}{path}", params=parameters, timeout=WAIT_S, trust_env=False)
        assert answer.status_code == 200, answer.text
        return dict(json.loads(answer.content))


def make_database_of_version(path: Path, version: str) -> None:
    """A database as another version of RMOS would leave it: migrations go by this table alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    connection.execute("INSERT INTO alembic_version VALUES (?)", (version,))
    connection.commit()
    connection.close()
