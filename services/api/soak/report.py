"""How a run says what it saw: exactly one line of JSON, and an exit code of 1 when a promise was broken."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Sequence

from soak.checker import Violation, count_by_invariant

SHOWN = 20
"""Violations that are written out; the counts tell of the rest."""


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed; 0 when there are none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def counts(found: Iterable[Violation]) -> dict[str, int]:
    """What was lost, came twice, came from nowhere, or broke another promise."""
    by_invariant = count_by_invariant(found)
    named = {"lost": ("I1", "I5"), "dup": ("I3",), "phantom": ("I2",)}
    figures = {name: sum(by_invariant.pop(key, 0) for key in keys) for name, keys in named.items()}
    return {**figures, "other": by_invariant.total()}


def finish(figures: dict[str, object], found: Sequence[Violation] = ()) -> int:
    """Print the line on stdout and violations on stderr. Returns the exit code."""
    for violation in found[:SHOWN]:
        print(f"{violation.invariant}: {violation.evidence}", file=sys.stderr)
    print(json.dumps(figures), flush=True)
    return 1 if found else 0


def parser_of(module: str, description: str | None) -> argparse.ArgumentParser:
    """A parser with the first line of a module's docstring."""
    return argparse.ArgumentParser(prog=f"python -m {module}", description=(description or "").partition("\n")[0])
