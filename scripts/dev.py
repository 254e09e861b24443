"""Work on RMOS: the reloading server and Vite side by side, stopped together.

Both print into one terminal, each line with the name of its source. When one ends, so does the other.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from queue import Queue
from types import FrameType
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
STOP_GRACE_S = 8.0
"""Seconds a child gets to stop; the server itself gives open connections 5."""

COLOURS = {"server": "\x1b[36m", "web": "\x1b[35m"}


def main(arguments: list[str]) -> int:
    """Run until Ctrl-C, SIGTERM or the end of either child; returns the exit code of the one that ended by itself."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="port of the server (default: 8000)")
    parser.add_argument("--web-port", type=int, default=5173, help="port of Vite (default: 5173)")
    options = parser.parse_args(arguments)

    # What happens, in order: the name of a child that ended, or None for a signal.
    happened: Queue[str | None] = Queue()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        happened.put(None)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)

    children: dict[str, subprocess.Popen[bytes]] = {}
    readers: list[threading.Thread] = []
    try:
        for name, (command, folder) in commands(options.port, options.web_port).items():
            environment = {**os.environ, "RMOS_DEV_API": f"http://127.0.0.1:{options.port}", "PYTHONUNBUFFERED": "1"}
            children[name] = start(command, folder, environment)
            readers.append(threading.Thread(target=relay, args=(name, children[name], happened), daemon=True))
            readers[-1].start()
        ended = happened.get()
    finally:
        for child in children.values():
            end(child)
        for reader in readers:
            reader.join(timeout=1)
    if ended is None:
        return 0
    print(f"{ended} has ended, so everything was stopped", flush=True)
    return children[ended].returncode or 1


def commands(port: int, web_port: int) -> dict[str, tuple[list[str], Path]]:
    """Command and folder of each child. The server is started the published way."""
    api = ROOT / "services" / "api"
    uvicorn = ["-m", "uvicorn", "app.main:app", "--reload", "--reload-dir", "app", "--reload-dir", "src"]
    vite = [str(ROOT / "scripts" / "npm.py"), "run", "dev", "-w", "packages/client", "--", "--port", str(web_port)]
    return {
        "server": ([sys.executable, *uvicorn, "--port", str(port), "--timeout-graceful-shutdown", "2"], api),
        "web": ([sys.executable, *vite], ROOT),
    }


def start(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own, so that its own children can be stopped with it."""
    return subprocess.Popen(  # noqa: S603 -- the commands above
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=os.name == "posix",
        creationflags=0 if os.name == "posix" else subprocess.CREATE_NEW_PROCESS_GROUP,  # type: ignore[attr-defined]
    )


def relay(name: str, child: subprocess.Popen[bytes], happened: Queue[str | None]) -> None:
    """Print what the child prints, then tell that it ended."""
    stream: IO[bytes] = child.stdout  # type: ignore[assignment]  # a pipe was asked for
    colour, reset = (COLOURS[name], "\x1b[0m") if sys.stdout.isatty() else ("", "")
    for line in stream:
        text = line.decode("utf-8", errors="replace").rstrip()
        sys.stdout.write(f"{colour}{name:>6} |{reset} {text}\n")
        sys.stdout.flush()
    child.wait()
    happened.put(name)


def end(child: subprocess.Popen[bytes]) -> None:
    """Ask the child and all it started to stop; insist after `STOP_GRACE_S`."""
    signal_all(child, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(STOP_GRACE_S)
    # Whatever it left behind, e.g. a Vite whose npm has gone, still holds the port.
    signal_all(child, getattr(signal, "SIGKILL", signal.SIGTERM))
    child.wait()


def signal_all(child: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to the child's process group; nothing happens when all of it has ended."""
    try:
        if os.name == "posix":
            os.killpg(child.pid, number)
        else:
            child.terminate()
    except (ProcessLookupError, PermissionError):
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
