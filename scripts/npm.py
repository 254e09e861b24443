"""Call npm with the machine's Node, or with the wheel's where the machine has none (`--check`: is there one?)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "services" / "api"))
import build_web


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        return 0 if build_web.machine_npm() else 1
    npm, env = build_web.node_tools()
    return subprocess.run([*npm, *arguments], cwd=ROOT, env=env, check=False).returncode  # noqa: S603 -- npm found by us


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
