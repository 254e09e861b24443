"""`python -m benchmarks.page <file …>`: tables and plots of docs/explanation/performance.md, from lines of JSON.

What `python -m benchmarks --lines FILE` wrote is read, files in turn, later figures of a name in place of earlier ones.
Between `<!-- figures: NAME -->` and `<!-- end -->` the page is written anew; all else of it is written by hand.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from benchmarks.figures import NotMeasuredError
from benchmarks.many_nodes import Costs, nodes_table, predictions_table
from benchmarks.peers import DEPS
from benchmarks.plots import dot_plot, flame_graph, line_plot
from benchmarks.report import number

PAGE: Final = Path(__file__).resolve().parents[3] / "docs" / "explanation" / "performance.md"
_PLOTS: Final = PAGE.parent / "performance"
_BATCHES: Final = ("k1", "k8", "k32")
_GROWTH: Final = ("subscribers", "filters", "history", "idle")
_LOOP: Final = "Handle._run"
"""Whatever an event loop calls, it calls from here."""
_SECTION: Final = re.compile(r"(<!-- figures: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

Line: TypeAlias = Mapping[str, Any]  # a figure as `report.json_line` writes it
Lines: TypeAlias = Mapping[str, Line]


def main(files: Sequence[str]) -> int:
    """Write the page. Returns 1 when there are no figures."""
    lines = read_lines(map(Path, files))
    if not lines:
        print("there are no figures; make bench measures them", file=sys.stderr)
        return 1
    _PLOTS.mkdir(exist_ok=True)
    drawn = plots(lines)
    try:
        drawn["hot-path"] = flame_graph("The hub delivering 8 events at a time to 1,000 transports in memory", sample())
    except NotMeasuredError as error:
        print(f"the flame graph stays as it is: {error}", file=sys.stderr)
    for name, plot in drawn.items():
        (_PLOTS / f"{name}.svg").write_text(plot, encoding="utf-8")
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), lines), encoding="utf-8")
    return 0


def read_lines(files: Iterable[Path]) -> dict[str, Line]:
    """The figures of these files by name."""
    lines: dict[str, Line] = {}
    for file in files:
        if file.exists():
            for text in file.read_text(encoding="utf-8").splitlines():
                line = json.loads(text)
                lines[line["name"]] = line
    return lines


def fill(page: str, lines: Lines) -> str:
    """The page with its marked parts written anew. A part of which there are no figures stays as it is."""

    def written(found: re.Match[str]) -> str:
        before, name, after = found[1], found[2], found[3]
        text = _SECTIONS[name](lines) if name in _SECTIONS else _suite(lines, name)
        return f"{before}{text}{after}" if text else found[0]

    return _SECTION.sub(written, page)


def plots(lines: Lines) -> dict[str, str]:
    """The plots of which there are figures, by name."""
    found = {}
    rows = {way: [_value(lines, f"fanout.all.{k}.{way}") for k in _BATCHES] for way in _ways(lines, "fanout.all")}
    if rows:
        ordered = dict(sorted(rows.items(), key=lambda row: -(row[1][-1] or row[1][0] or 0)))
        legend = ("1 pending", "8 pending", "32 pending")
        title = "Fan-out to 1,000 subscribers: deliveries per second of processor time"
        found["fan-out"] = dot_plot(title, "deliveries / CPU s", ordered, legend, "rmos")
    series = {f"{what}{_exponent(lines, what)}": _points(lines, what) for what in _GROWTH if _points(lines, what)}
    if series:
        found["growth"] = line_plot("What one event costs as the work around it grows", "how many", "CPU µs", series)
    return found


def sample() -> Iterator[tuple[list[str], int]]:
    """Stacks of the hot path below the event loop, and how often each was seen.

    Raises:
        NotMeasuredError: the profiler is not installed.
    """
    profiler = DEPS / "bin" / "py-spy"
    if not profiler.exists():
        raise NotMeasuredError("py-spy is not installed; make bench-deps installs it")
    with tempfile.NamedTemporaryFile(prefix="rmos-bench-") as stacks:
        command = [str(profiler), "record", "-f", "raw", "-F", "-r", "500", "-o", stacks.name, "--", sys.executable]
        command += ["-m", "benchmarks.hot_path", "60000", "8", "1000", "1"]
        subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603  # our own program
        for line in Path(stacks.name).read_text(encoding="utf-8").splitlines():
            stack, _, samples = line.rpartition(" ")
            names = stack.split(";")
            if (loop := next((at for at, name in enumerate(names) if name.startswith(_LOOP)), None)) is not None:
                yield names[loop + 1 :], int(samples)


def _conditions(lines: Lines) -> str:
    line = next(iter(lines.values()))
    machine, versions = line["machine"], line["versions"]
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    dates = " and ".join(sorted({line["date"] for line in lines.values()}))
    return (
        f"{dates}, {machine['processor']}, {machine['cores']} cores, {machine['system']}, "
        f"{'server and load on a core each' if machine['pinned'] else 'not pinned'}.\n\n{told}.\n"
    )


def _fan_out(lines: Lines) -> str:
    cases = (("all", "all events"), ("filters8", "8 filters"))
    tables = [table for case, title in cases if (table := _by_batch(lines, f"fanout.{case}", title, "published"))]
    plot = "![Deliveries per second of processor time, by competitor](performance/fan-out.svg)\n"
    return "\n".join([plot, *tables]) if tables else ""


def _tls(lines: Lines) -> str:
    tables = (("tls.cost", "processor time of a delivery, µs"), ("tls.rate", "deliveries a second"))
    return "\n".join(table for place, title in tables if (table := _by_batch(lines, place, title, "without")))


def _by_batch(lines: Lines, place: str, title: str, other: str) -> str:
    """A row a way and a column a number of pending events, with the ratio to `other` where there is one."""
    rows = []
    for way in _ways(lines, place):
        cells = []
        for batch in _BATCHES:
            line = lines.get(f"{place}.{batch}.{way}")
            if line is None or line["value"] is None:
                cells.append("–" if line is None else "not measured")
            else:
                ratio = line["ratio_to"].get(other)
                cells.append(number(line["value"]) + (f" ({number(ratio)} ×)" if ratio else ""))
        rows.append((way, *cells))
    heads = (title, *(f"{batch.removeprefix('k')} pending" for batch in _BATCHES))
    return _table(heads, rows) if rows else ""


def _growth(lines: Lines) -> str:
    rows = [
        (
            what,
            _exponent(lines, what).removeprefix(": "),
            ", ".join(f"{number(size)}: {number(cost)}" for size, cost in _points(lines, what)),
        )
        for what in _GROWTH
        if _points(lines, what)
    ]
    plot = "![Cost of one event as subscribers, filters, the log and idle connections grow](performance/growth.svg)\n"
    table = _table(("what grows", "exponent", "CPU µs of an event, by how many there are"), rows)
    return f"{plot}\n{table}" if rows else ""


def _suite(lines: Lines, suite: str) -> str:
    """Every figure of a suite as it is."""
    rows = []
    for name, line in lines.items():
        if name.split(".")[0] != suite:
            continue
        if line["value"] is None:
            rows.append((name, "not measured", "", ""))
            continue
        spread = f"{number(min(line['runs']))} … {number(max(line['runs']))}" if len(line["runs"]) > 1 else ""
        ratios = ", ".join(f"{number(ratio)} × {other}" for other, ratio in line["ratio_to"].items())
        rows.append((name.removeprefix(f"{suite}."), f"{number(line['value'])} {line['unit']}", spread, ratios))
    return _table(("figure", "median", "least … most", "ratio"), rows) if rows else ""


def _predictions(lines: Lines) -> str:
    costs = _costs(lines)
    measured = [(int(size), cost) for size, cost in _points(lines, "subscribers")]
    return _table(*predictions_table(costs, measured)) if costs and measured else ""


def _nodes(lines: Lines) -> str:
    costs = _costs(lines)
    return _table(*nodes_table(costs)) if costs else ""


_SECTIONS: Final[Mapping[str, Callable[[Lines], str]]] = {
    "conditions": _conditions,
    "fan-out": _fan_out,
    "tls": _tls,
    "growth": _growth,
    "predictions": _predictions,
    "nodes": _nodes,
}


def _costs(lines: Lines) -> Costs | None:
    """The parts of a delivery's cost; None when the figures they follow from are missing."""
    by_batch = {int(k.removeprefix("k")): _value(lines, f"fanout.all.{k}.rmos") for k in _BATCHES}
    memory = _value(lines, "memory.n5000.rmos") or _value(lines, "memory.n1000.rmos")
    if memory is None or not all(by_batch.values()):
        return None
    return Costs.fitted({batch: 1e6 / value for batch, value in by_batch.items() if value}, memory)


def _ways(lines: Lines, place: str) -> list[str]:
    prefix = f"{place}.k1."
    return [name.removeprefix(prefix) for name in lines if name.startswith(prefix)]


def _points(lines: Lines, what: str) -> list[tuple[float, float]]:
    prefix = f"growth.{what}.n"
    found = [
        (float(name.removeprefix(prefix)), line["value"]) for name, line in lines.items() if name.startswith(prefix)
    ]
    return sorted((size, cost) for size, cost in found if cost)


def _exponent(lines: Lines, what: str) -> str:
    notes = [line.get("note", "") for name, line in lines.items() if name.startswith(f"growth.{what}.n")]
    return next((f": {note.rpartition(' ')[2]}" for note in notes if "exponent" in note), "")


def _value(lines: Lines, name: str) -> float | None:
    value: float | None = lines[name]["value"] if name in lines else None
    return value


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (heads, ["---"] * len(heads), *rows)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
