"""`python -m benchmarks [--quick] [--lines FILE] [suite …]`: measure; a table a suite, and a line of JSON a figure."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks.bench import Bench, Plan
from benchmarks.figures import Missing, Result
from benchmarks.machine import (
    MIN_OPEN_FILES,
    choose_cores,
    describe_machine,
    describe_versions,
    raise_file_limit,
    today,
)
from benchmarks.report import json_line, print_table
from benchmarks.suites import analytics, delay, fanout, growth, memory, replay, stalled, startup, steady, tls, writes

SUITES: Final[Mapping[str, Callable[[Bench], list[Result]]]] = {
    "fanout": fanout.run,
    "tls": tls.run,
    "memory": memory.run,
    "growth": growth.run,
    "steady": steady.run,
    "delay": delay.run,
    "stalled": stalled.run,
    "replay": replay.run,
    "startup": startup.run,
    "writes": writes.run,
    "analytics": analytics.run,
}


def main() -> int:
    """Run the named suites, or all. Returns 1 when a figure could not be measured, with the reason in its place."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure RMOS side by side with others.")
    parser.add_argument("suites", nargs="*", metavar="suite", help=f"{', '.join(SUITES)}; all when none is named")
    parser.add_argument("--quick", action="store_true", help="about a minute, one round; not to be quoted")
    parser.add_argument("--lines", type=Path, metavar="FILE", help="write the lines of JSON there instead")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.suites) - set(SUITES)):
        parser.error(f"unknown suite {', '.join(unknown)}; expected {', '.join(SUITES)}")

    console = Console(width=None if sys.stdout.isatty() else 160)
    server_core, load_core = choose_cores()
    bench = Bench(Plan.quick() if arguments.quick else Plan(), server_core, load_core)
    conditions = {
        "machine": describe_machine() | {"pinned": server_core is not None},
        "versions": describe_versions(),
        "date": today(),
    }
    if (files := raise_file_limit()) < MIN_OPEN_FILES:
        console.print(f"only {files} open files are allowed; figures of many connections will be missing")
    if server_core is None:
        console.print("nothing is pinned: this needs Linux with two cores; server and load share what there is")

    results: list[Result] = []
    for name in arguments.suites or SUITES:
        found = SUITES[name](bench)
        print_table(console, f"{name} ({bench.plan.rounds} rounds)", found)
        results += found
    lines = "".join(f"{json_line(result, conditions)}\n" for result in results)
    if arguments.lines is None:
        sys.stdout.write(lines)
    else:
        arguments.lines.parent.mkdir(exist_ok=True)
        arguments.lines.write_text(lines, encoding="utf-8")
    return int(any(isinstance(result, Missing) for result in results))


if __name__ == "__main__":
    sys.exit(main())
