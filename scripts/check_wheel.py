"""Build the wheel, install it into an empty environment, and see that `rmos serve` serves the shop with its web app."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
API = ROOT / "services" / "api"
UV = Path(sys.executable).with_name("uv")
READY = "RMOS is ready: "
START_S = 30.0


def main() -> int:
    """Exit code 0 when the installed wheel serves API and app."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        run(str(UV), "build", "--quiet", "--wheel", "--out-dir", scratch, str(API))
        (wheel,) = folder.glob("*.whl")
        venv.create(folder / "venv")
        python = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        run(str(UV), "pip", "install", "--quiet", "--python", str(python), "-r", str(locked(folder)))
        run(str(UV), "pip", "install", "--quiet", "--python", str(python), "--no-deps", str(wheel))
        return serve(python.with_name("rmos"), folder)


def locked(folder: Path) -> Path:
    """The locked versions without hashes, as constraints that allow to leave out what only development needs."""
    lines = (API / "requirements.lock").read_text().splitlines()
    pinned = folder / "requirements.txt"
    pinned.write_text("\n".join(line.rstrip(" \\") for line in lines if line and not line.startswith((" ", "#"))))
    return pinned


def serve(rmos: Path, folder: Path) -> int:
    """Start the installed command away from the checkout, and look at what it serves."""
    command = [str(rmos), "serve", "--port", "0", "--data", str(folder / "data")]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 -- our own
        try:
            address = ready_address(server)
            page = fetch(f"{address}/")
            health = fetch(f"{address}/health")
        finally:
            server.terminate()
            code = server.wait(START_S)
    if '<div id="app"' not in page or "ok" not in health.lower() or code:
        print(f"the installed wheel does not serve the shop: exit {code}, page {page[:200]!r}, health {health!r}")
        return 1
    print("the wheel serves the shop")
    return 0


def ready_address(server: subprocess.Popen[str]) -> str:
    """The address of the ready line."""
    assert server.stdout is not None  # noqa: S101 -- a pipe was asked for
    late = threading.Timer(START_S, server.kill)  # ends the output of one that says nothing
    late.start()
    try:
        for line in server.stdout:
            if line.startswith(READY):
                return line.removeprefix(READY).strip()
    finally:
        late.cancel()
    raise SystemExit(f"the installed wheel did not start within {START_S:.0f} s")


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 -- our own address
        text: str = answer.read().decode()
    return text


def run(*command: str) -> None:
    if subprocess.run(command, check=False).returncode:  # noqa: S603 -- our own tools
        raise SystemExit(f"failed: {' '.join(command[:4])}")


if __name__ == "__main__":
    sys.exit(main())
