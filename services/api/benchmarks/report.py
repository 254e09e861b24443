"""Results as people read them, and as programs do."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure, Missing, Result

Conditions: TypeAlias = Mapping[str, object]
"""`machine`, `versions` and `date`: what every line of JSON carries."""


def print_table(console: Console, title: str, results: Iterable[Result]) -> None:
    """A table of one suite; notes and reasons that belong to several figures are printed once, below."""
    table = Table("figure", title=title, title_justify="left")
    for column in ("median", "least … most", "unit", "ratio to"):
        table.add_column(column, justify="left" if column in ("unit", "ratio to") else "right")
    notes: list[str] = []
    missing: defaultdict[str, list[str]] = defaultdict(list)
    for result in results:
        match result:
            case Figure():
                spread = f"{number(min(result.runs))} … {number(max(result.runs))}" if len(result.runs) > 1 else ""
                ratios = ", ".join(f"{number(ratio)} x {other}" for other, ratio in result.ratio_to.items())
                table.add_row(result.name, number(result.value), spread, result.unit, ratios)
                notes.append(result.note)
            case Missing():
                table.add_row(result.name, "not measured", "", "", "")
                missing[result.reason].append(result.name)
    notes += [f"not measured: {', '.join(names)}: {reason}" for reason, names in missing.items()]
    console.print(table)
    for note in dict.fromkeys(note for note in notes if note):
        console.print(note, markup=False, highlight=False)


def json_line(result: Result, conditions: Conditions) -> str:
    """One line of JSON, whatever came of the figure."""
    match result:
        case Figure():
            figure = {
                "name": result.name,
                "value": result.value,
                "unit": result.unit,
                "runs": result.runs,
                "ratio_to": result.ratio_to,
                "note": result.note,
            }
        case Missing():
            figure = {"name": result.name, "value": None, "reason": result.reason}
    return json.dumps({**figure, **conditions}, ensure_ascii=False)


def number(value: float) -> str:
    """Three significant digits, thousands separated: 0.288, 6.05, 1,140,000."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:.3g}"
