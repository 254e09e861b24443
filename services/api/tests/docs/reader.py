"""Somebody who follows a page: runs its commands in a checkout of their own, and looks at what they print.

Two things differ from what the page says. The port 8000 is replaced by a free one, and the checkout is a folder of
links to the real one, so that the shop's data and the files that a page makes are the reader's own.
"""

from __future__ import annotations

import os
import queue
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import IO, Final

from tests.docs.pages import ROOT, Step
from tests.processes import READY, WAIT_S, environment

_STARTED: Final = (READY, "Application startup complete")


class Reader:
    """Follows the steps of one page; ends what it started with `leave`."""

    def __init__(self, folder: Path) -> None:
        self._checkout = _make_checkout(folder)
        self._port = _free_port()
        self._server: Process | None = None
        self._printed = ""
        binaries = ROOT / "services" / "api" / ".venv" / "bin"
        self._environment = environment(
            PATH=f"{binaries}{os.pathsep}{os.environ['PATH']}",
            RMOS_PORT=str(self._port),
            RMOS_DATA=str(self._checkout / "data"),
            NO_COLOR="1",
        )

    def follow(self, step: Step) -> None:
        """Do what the step says."""
        match step.mark:
            case "run":
                process = self._start(step.code)
                code = process.wait()
                self._printed = process.printed
                assert code == 0, f"{step.code}\n{self._printed}"
            case "run until":
                assert step.argument is not None
                process = self._start(step.code)
                process.wait_for(step.argument)
                code = process.stop(signal.SIGINT)
                self._printed = process.printed
                assert code == 0, f"{step.code}\n{self._printed}"
            case "prints":
                self._compare(step.code)
            case "file":
                assert step.argument is not None
                (self._checkout / step.argument).write_text(self._here(step.code) + "\n", encoding="utf-8")
            case "serve":
                self.leave()
                self._server = self._start(step.argument or step.code)
                self._server.wait_for(*_STARTED)
            case "stop":
                self.leave()

    def leave(self) -> None:
        """Stop the server, if one runs."""
        server, self._server = self._server, None
        if server is not None:
            server.stop(signal.SIGTERM)

    def _here(self, text: str) -> str:
        return text.replace("8000", str(self._port))

    def _start(self, code: str) -> Process:
        return Process(self._here(code), self._checkout, self._environment)

    def _compare(self, expected: str) -> None:
        """Every line that the page shows was printed, in its order; other lines may stand between them."""
        rest = self._printed
        for line in self._here(expected).splitlines():
            pattern = ".*".join(re.escape(part) for part in line.strip().split("…"))
            found = re.search(pattern, rest)
            assert found is not None, f"{line!r} was not printed in its place; the commands printed\n{self._printed}"
            rest = rest[found.end() :]


class Process:
    """Commands in a shell, in a process group of their own so that all they start is stopped with them."""

    def __init__(self, code: str, folder: Path, variables: dict[str, str]) -> None:
        self._code = code
        self._process = subprocess.Popen(
            ["/bin/bash", "-eu", "-c", code],
            cwd=folder,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        self.printed = ""
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._relay = threading.Thread(target=self._read, daemon=True)
        self._relay.start()

    def wait_for(self, *signs: str) -> None:
        """Wait until one of these was printed."""
        deadline = time.monotonic() + WAIT_S
        while not any(sign in self.printed for sign in signs):
            assert self._take(deadline), f"{self._code}\nended without {' or '.join(signs)}; it printed\n{self.printed}"

    def wait(self) -> int:
        """The exit code, once everything was printed."""
        deadline = time.monotonic() + WAIT_S
        try:
            while self._take(deadline):
                pass
            return self._process.wait(WAIT_S)
        finally:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)

    def stop(self, number: int) -> int:
        """Send a signal to all of it; returns the exit code."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, number)
        return self.wait()

    def _take(self, deadline: float) -> bool:
        """Take one more line; False when there will be none."""
        try:
            line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise AssertionError(f"{self._code}\nhangs; it printed\n{self.printed}") from None
        self.printed += line or ""
        return line is not None

    def _read(self) -> None:
        stream: IO[str] = self._process.stdout  # type: ignore[assignment]  # a pipe was asked for
        for line in stream:
            self._lines.put(line)
        self._lines.put(None)
        stream.close()


def _make_checkout(folder: Path) -> Path:
    checkout = folder / "rmos"
    api = checkout / "services" / "api"
    api.mkdir(parents=True)
    for original in ROOT.iterdir():
        if original.name not in ("services", "data", ".git"):
            (checkout / original.name).symlink_to(original)
    for original in (ROOT / "services" / "api").iterdir():
        (api / original.name).symlink_to(original)
    return checkout


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
