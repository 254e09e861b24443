"""docs/tutorials/first-event.md, done as it is written: real server, real `wscat` on a terminal, real `curl`.

Only the port is replaced, since 8000 may be taken where tests run, and `make run` by the `rmos serve` that it calls.
Outputs are compared by shape: the same keys in the same order, the same kinds of values, the same text where it is
neither an id nor a time.
"""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import READY, ROOT, WAIT_S, Server

PAGE = (ROOT / "docs" / "tutorials" / "first-event.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(bash|console|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WSCAT = ROOT / "node_modules" / ".bin" / "wscat"
TERMINAL_CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
VARIABLE = re.compile(r"^[0-9a-f]{8}-[0-9a-f-]{27}$|/[0-9a-f]{8}-[0-9a-f-]{27}$|^\d{4}-\d\d-\d\dT|^[a-z0-9]{6}(:\d+)?$")
"""Ids, keys, times, epochs, cursors and names of connections: different every time."""


def shape(value: Any) -> Any:  # Any: JSON in, JSON-like description out
    """What must be alike in two outputs."""
    match value:
        case dict():
            return [(key, shape(item)) for key, item in value.items()]
        case list():
            return [shape(item) for item in value]
        case str() if VARIABLE.search(value):
            return "<variable>"
        case _:
            return value


def shape_of_line(line: str) -> Any:  # Any: as `shape`
    """A line of output: its JSON by shape, any other text as it is."""
    text = line.removeprefix("< ")
    return (line[:2], shape(json.loads(text))) if text.startswith("{") else line


class Terminal:
    """An interactive program on a terminal of its own."""

    def __init__(self, command: list[str]) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, close_fds=True)
        os.close(slave)
        self._output = ""
        self._taken = 0

    def next_line(self) -> str:
        """The next line that is not what we typed, without colours and prompts."""
        deadline = time.monotonic() + WAIT_S
        while True:
            lines = TERMINAL_CODES.sub("", self._output).split("\n")[:-1]
            while self._taken < len(lines):
                line = lines[self._taken].replace("\r", "").removeprefix("> ").removeprefix("> ")
                self._taken += 1
                if line.startswith("< ") or line.startswith("Connected"):
                    return line
            ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"nothing more came after {self._output[-500:]!r}"
            self._output += os.read(self._master, 65_536).decode()

    def type(self, line: str) -> None:
        """Type a line and press Enter."""
        os.write(self._master, f"{line}\r".encode())

    def press_ctrl_c(self) -> int:
        """Interrupt it and return its exit code."""
        os.write(self._master, b"\x03")
        return self._process.wait(WAIT_S)

    def end(self) -> None:
        """End it in any case."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(WAIT_S)
        os.close(self._master)


class Reader:
    """Somebody who does what the page says, block by block, and compares."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._server: Server | None = None
        self._wscat: Terminal | None = None
        self._answer = ""

    def run(self, command: str) -> None:
        """A block of commands."""
        match shlex.split(command.replace("\\\n", " ")):
            case ["make", "run"]:
                self._server = Server(self._data).wait_until_ready()
            case ["npm", "install", "-g", "wscat"]:
                assert WSCAT.exists(), "wscat is missing: run `npm ci` in the folder of the checkout"
            case ["wscat", *arguments]:
                self._leave_wscat()
                self._wscat = Terminal([str(WSCAT), *(self._here(word) for word in arguments)])
            case ["curl", *arguments]:
                done = subprocess.run(
                    ["curl", "-sS", *(self._here(word) for word in arguments)],
                    capture_output=True,
                    text=True,
                    encoding="utf-8",
                    timeout=WAIT_S,
                    check=True,
                )
                self._answer = done.stdout
            case _:
                raise AssertionError(f"the page has a command that this test cannot run: {command}")

    def see(self, output: str) -> None:
        """A block of output, and of lines to type."""
        for line in output.splitlines():
            if line.startswith(READY):
                assert self._server is not None
                assert f"{READY}http://127.0.0.1:{self._server.port}" in self._server.lines
            elif line.startswith("> "):
                self._terminal.type(line.removeprefix("> "))
            else:
                self._see_line(line)

    def compare_answer(self, text: str) -> None:
        """A block of JSON: what `curl` must have printed."""
        assert shape(json.loads(self._answer)) == shape(json.loads(text))

    def end(self) -> None:
        """Close the terminals."""
        if self._wscat is not None:
            self._wscat.end()
        if self._server is not None:
            self._server.kill()

    def _see_line(self, line: str) -> None:
        found = self._terminal.next_line()
        is_skipped_greeting = "system:connected" not in line and not line.startswith("Connected")
        while is_skipped_greeting and (found.startswith("Connected") or "system:connected" in found):
            found = self._terminal.next_line()
        assert shape_of_line(found) == shape_of_line(line)

    def _leave_wscat(self) -> None:
        if self._wscat is not None:
            assert self._wscat.press_ctrl_c() == 0
            self._wscat.end()

    @property
    def _terminal(self) -> Terminal:
        assert self._wscat is not None, "the page shows the monitor before it starts wscat"
        return self._wscat

    def _here(self, word: str) -> str:
        """The word with the port of this test's server."""
        assert self._server is not None, "the page talks to the server before it starts it"
        return word.replace(":8000", f":{self._server.port}")


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    reader = Reader(tmp_path / "data")
    yield reader
    reader.end()


def test_tutorial_works_as_written(reader: Reader) -> None:
    steps = {"bash": reader.run, "console": reader.see, "json": reader.compare_answer}
    blocks = BLOCK.findall(PAGE)

    for language, text in blocks:
        steps[language](text)

    assert len(blocks) == 12


def test_the_published_commands_stand_in_the_tutorial_word_for_word() -> None:
    for published in (
        "npm install -g wscat",
        "wscat -c ws://localhost:8000/ws/monitor",
        '> {"action":"subscribe","filters":["job","pattern"]}',
        "curl -X POST http://localhost:8000/api/rmos/stores/patterns \\\n"
        '  -H "Content-Type: application/json" \\\n'
        """  -d '{"name":"Test Pattern","ring_count":3,"geometry":{"rings":[]}}'""",
    ):
        assert f"\n{published}\n" in PAGE
