"""What the figures were measured on, and the cores and file limits they need."""

from __future__ import annotations

import os
import platform
import resource
import sqlite3
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from typing import Final

from benchmarks.peers import describe_peers

MIN_OPEN_FILES: Final = 6000
"""5,000 connections and what a server has open besides."""
_PACKAGES: Final = ("rmos", "uvicorn", "uvloop", "fastapi", "starlette", "websockets", "orjson", "pydantic")


def raise_file_limit() -> int:
    """Allow this process and its children as many open files as the system lets them. Returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def choose_cores() -> tuple[int | None, int | None]:
    """The core of the server and the core of the load: the first two allowed ones; None where there is only one."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], cores[1]) if len(cores) > 1 else (None, None)


def describe_machine() -> dict[str, str | int]:
    """Processor, number of cores, system, and how busy it was when the run began."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.release()}",
        "load_before": f"{os.getloadavg()[0]:.2f}",
    }


def describe_versions() -> dict[str, str]:
    """Versions of everything that takes part in a figure."""
    versions = {name: metadata.version(name) for name in _PACKAGES}
    ours = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, "revision": _revision()}
    return {**ours, **versions, **describe_peers()}


def today() -> str:
    """The date of the run, UTC."""
    return datetime.now(UTC).date().isoformat()


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _revision() -> str:
    try:
        asked = ["git", "describe", "--always", "--dirty"]
        return subprocess.run(asked, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603  # a constant command
    except (OSError, subprocess.SubprocessError):
        return "unknown"
