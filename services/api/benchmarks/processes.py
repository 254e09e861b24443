"""Child processes that talk in lines: the servers, the receiver, the callers.

Each one runs on a given core, says one line of JSON when it is ready, and is gone when its `with` block ends.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from benchmarks.figures import NotMeasuredError

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_STOP_TIMEOUT_S: Final = 10.0


class ChildError(NotMeasuredError):
    """A child ended, kept silent or said something unexpected. The message holds the end of its stderr."""


class Child:
    """One child process. Used by one thread only."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        core: int | None = None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        """
        Args:
            core: The only core it may run on; None for any.
            environment: Variables added to ours.
            folder: Where it runs; None for where we do.
        """
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed in __exit__
        self._name = Path(command[0]).name
        self._lines = b""
        self._process = subprocess.Popen(  # noqa: S603  # our own programs
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            preexec_fn=None if core is None else partial(os.sched_setaffinity, 0, {core}),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                stream.close()

    def tell(self, line: str) -> None:
        """Send one line.

        Raises:
            ChildError: it has ended.
        """
        assert self._process.stdin is not None  # noqa: S101  # opened above
        try:
            self._process.stdin.write(line.encode() + b"\n")
        except BrokenPipeError:
            raise self._failure("has ended") from None

    def hear(self, *, timeout_s: float) -> str:
        """The next line it says.

        Raises:
            ChildError: it ended or said nothing in time.
        """
        assert self._process.stdout is not None  # noqa: S101  # opened above
        until = time.monotonic() + timeout_s
        while b"\n" not in self._lines:
            readable, _, _ = select.select([self._process.stdout], [], [], max(0.0, until - time.monotonic()))
            if not readable:
                raise self._failure(f"said nothing for {timeout_s:g} s")
            chunk = self._process.stdout.read(65536)
            if not chunk:
                raise self._failure("has ended")
            self._lines += chunk
        line, _, self._lines = self._lines.partition(b"\n")
        return line.decode()

    def hear_json(self, *, timeout_s: float) -> dict[str, Any]:  # Any: each caller knows what it asked for
        """The next line, which must be a JSON object."""
        line = self.hear(timeout_s=timeout_s)
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            raise self._failure(f"said {line!r}") from None
        return answer

    def resident_bytes(self) -> int:
        """Memory of it that is in RAM now (RSS)."""
        with open(f"/proc/{self._process.pid}/statm", "rb") as statm:
            return int(statm.read().split()[1]) * _PAGE_BYTES

    def cpu_s(self) -> float:
        """Processor time it has used so far, all threads, in steps of a kernel tick (10 ms)."""
        with open(f"/proc/{self._process.pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _failure(self, what: str) -> ChildError:
        self._errors.seek(0)
        said = self._errors.read()[-2000:].decode(errors="replace").strip()
        return ChildError(f"{self._name} {what}" + (f": {said}" if said else ""))
