"""`python -m benchmarks.instructions`: what the hot path costs in instructions, held against a budget.

A time moves with the machine and with whatever else it does; the number of instructions does not (repeated runs differ
by about 1 % at most), so a change that makes encoding, framing or fan-out slower is seen on any machine, however busy.
`benchmarks.hot_path` runs under valgrind once with no event and once with `EVENTS`, and the difference is the cost.

From four such runs follow the three parts of it:

    event   reading, encoding and framing one event, once for everybody
    tick    waking the hub and one turn of its fan-out, once for all events that are pending together
    write   giving one connection what the tick has for it: the part that grows with the subscribers

`event.k8.n100` is all three together: an event of 8 pending together, for 100 subscribers; `f8`: with eight filters.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

EVENTS: Final = 512
BUDGET_PYTHON: Final = "3.11"
"""The budgets are for this version of CPython: another one needs another number of instructions."""
BUDGETS: Final = {
    "event": 39_000,
    "tick": 204_000,
    "write": 600,
    "event.k8.n100": 72_000,
    "event.k32.n100": 47_500,
    "event.k8.n100.f8": 83_000,
}
"""Instructions; each about a tenth above what was measured when it was set."""
_TIMEOUT_S: Final = 300.0
_HEADROOM: Final = 0.8
"""Below this share of its budget a figure has become so much better that the budget guards nothing any more."""


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of `benchmarks.hot_path`."""

    events: int
    batch: int
    subscribers: int
    filters: int = 1


class CountError(Exception):
    """Instructions could not be counted here; the message says what is needed."""


def main() -> int:
    """Count, compare, print. Returns 1 over budget, 2 when nothing could be judged."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    try:
        costs = measure()
    except CountError as error:
        console.print(str(error), markup=False, highlight=False)
        return 2
    is_judged = platform.python_version().startswith(f"{BUDGET_PYTHON}.")
    over = [name for name, cost in costs.items() if cost > BUDGETS[name]]
    table = Table("instructions for", "counted", "budget", "", title="hot path", title_justify="left")
    for name, cost in costs.items():
        table.add_row(name, f"{cost:,.0f}", f"{BUDGETS[name]:,}", _verdict(cost, BUDGETS[name]) if is_judged else "")
    console.print(table)
    for name, cost in costs.items():
        print(json.dumps({"name": f"instructions.{name}", "value": round(cost), "budget": BUDGETS[name]}))
    if not is_judged:
        console.print(f"not judged: the budgets are for CPython {BUDGET_PYTHON}, this is {platform.python_version()}")
        return 2
    return int(bool(over))


def measure() -> dict[str, float]:
    """Instructions by what they are for.

    Raises:
        CountError: valgrind is missing, or a run failed.
    """
    few, many, filters = 100, 1100, 8
    wanted = [
        *(_Run(0, 8, few), _Run(EVENTS, 8, few), _Run(EVENTS, 32, few)),
        *(_Run(0, 8, many), _Run(EVENTS, 8, many)),
        *(_Run(0, 8, few, filters), _Run(EVENTS, 8, few, filters)),
    ]
    _keep_bytecode()
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        counts = dict(zip(wanted, threads.map(_count, wanted), strict=True))

    def cost(batch: int, subscribers: int, filters: int = 1) -> int:
        """Of `EVENTS` events."""
        return counts[_Run(EVENTS, batch, subscribers, filters)] - counts[_Run(0, 8, subscribers, filters)]

    ticks, fewer_ticks = EVENTS // 8, EVENTS // 32
    write = (cost(8, many) - cost(8, few)) / ticks / (many - few)
    tick = (cost(8, few) - cost(32, few)) / (ticks - fewer_ticks) - few * write
    event = (cost(8, few) - ticks * (tick + few * write)) / EVENTS
    return {
        "event": event,
        "tick": tick,
        "write": write,
        "event.k8.n100": cost(8, few) / EVENTS,
        "event.k32.n100": cost(32, few) / EVENTS,
        "event.k8.n100.f8": cost(8, few, filters) / EVENTS,
    }


def _keep_bytecode() -> None:
    """Run once uncounted: whichever run came first after a change would be charged for compiling it."""
    command = [sys.executable, "-m", "benchmarks.hot_path", "1", "1", "1", "1"]
    subprocess.run(command, check=True, timeout=_TIMEOUT_S)  # noqa: S603  # our own


def _count(run: _Run) -> int:
    """Instructions of a whole run."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise CountError("valgrind is not installed, and it counts the instructions: apt-get install valgrind")
    command = [valgrind, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", sys.executable]
    command += ["-m", "benchmarks.hot_path", *map(str, (run.events, run.batch, run.subscribers, run.filters))]
    fixed = {**os.environ, "PYTHONHASHSEED": "0"}  # the order of sets, and so the work on them, else differs
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, env=fixed)  # noqa: S603  # our own
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if done.returncode or found is None:
        raise CountError(f"{run} cannot be counted: {done.stderr.strip()[-1000:]}")
    return int(found[1].replace(",", ""))


def _verdict(cost: float, budget: int) -> str:
    if cost > budget:
        return f"over by {cost / budget - 1:.0%}"
    return "within; lower the budget" if cost < budget * _HEADROOM else "within"


if __name__ == "__main__":
    sys.exit(main())
