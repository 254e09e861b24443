"""Start-up: from starting `rmos serve` with an empty shop until it says that it serves, and what it holds then.

`import` is the part that Python needs to load the program, `published` the published way's server beside it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Final

from benchmarks.bench import Bench
from benchmarks.figures import Result, Rounds

_UNITS: Final = {
    "startup.ready": "s",
    "startup.published": "s",
    "startup.import": "s",
    "startup.memory": "MB",
    "startup.published.memory": "MB",
}


def run(bench: Bench) -> list[Result]:
    """Start each a few times."""
    rounds = Rounds()
    for _ in range(bench.plan.rounds):
        with rounds.attempt(*_UNITS):
            began = time.monotonic()
            with bench.rmos_serve() as (server, _):
                rounds.add("startup.ready", time.monotonic() - began)
                rounds.add("startup.memory", server.resident_bytes() / 1e6)
            began = time.monotonic()
            with bench.server("published") as (server, _):
                rounds.add("startup.published", time.monotonic() - began)
                rounds.add("startup.published.memory", server.resident_bytes() / 1e6)
            began = time.monotonic()
            subprocess.run([sys.executable, "-c", "import rmos.web.app"], check=True)  # a constant command
            rounds.add("startup.import", time.monotonic() - began)
    return rounds.results(_UNITS, against=lambda name: {"published": _published(name)})


def _published(name: str) -> str:
    return {"startup.ready": "startup.published", "startup.memory": "startup.published.memory"}.get(name, name)
