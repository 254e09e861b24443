"""The page on performance: what is written by hand stays, what is measured is written anew."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.__main__ import SUITES
from benchmarks.many_nodes import Costs, nodes_table, predictions_table
from benchmarks.page import _SECTIONS, PAGE, fill, plots
from benchmarks.plots import flame_graph

CONDITIONS = {
    "machine": {"processor": "one", "cores": 2, "system": "Linux", "pinned": True},
    "versions": {"python": "3.11"},
    "date": "2026-11-24",
}


def figure(name: str, value: float | None, **more: Any) -> dict[str, Any]:
    runs = [] if value is None else [value]
    return {"name": name, "value": value, "unit": "ms", "runs": runs, "ratio_to": {}, "note": "", **CONDITIONS, **more}


def lines(*figures: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in figures}


def text_of(svg: str) -> str:
    return "".join(ElementTree.fromstring(svg).itertext())  # noqa: S314  # drawn by us


def test_only_the_marked_parts_are_written_anew() -> None:
    page = "by hand\n<!-- figures: replay -->\nold\n<!-- end -->\nalso by hand\n"

    written = fill(page, lines(figure("replay", 300_000.0, unit="events/s")))

    assert "| replay | 300,000 events/s |" in written
    assert written.startswith("by hand\n<!-- figures: replay -->\n")
    assert written.endswith("<!-- end -->\nalso by hand\n")
    assert "old" not in written


def test_a_part_without_figures_stays_as_it_is() -> None:
    page = "<!-- figures: memory -->\nold\n<!-- end -->\n<!-- figures: fan-out -->\nold\n<!-- end -->\n"

    assert fill(page, lines(figure("replay", 300_000.0))) == page


def test_what_was_not_measured_is_said() -> None:
    page = "<!-- figures: fan-out -->\n<!-- end -->"
    measured = figure("fanout.all.k1.rmos", 100_000.0, ratio_to={"published": 3.0})

    written = fill(page, lines(measured, figure("fanout.all.k1.granian", None)))

    assert "| rmos | 100,000 (3 ×) | – | – |" in written
    assert "| granian | not measured | – | – |" in written


def test_tls_is_shown_beside_the_same_without() -> None:
    page = "<!-- figures: tls -->\nold\n<!-- end -->"
    plain, over_tls = figure("tls.cost.k1.rmos", 9.0), figure("tls.cost.k1.rmos.tls", 12.6, ratio_to={"without": 1.4})

    written = fill(page, lines(plain, over_tls))
    unmeasured = fill(page, lines(plain, figure("tls.cost.k1.rmos.tls", None)))

    assert "| rmos.tls | 12.6 (1.4 ×) | – | – |" in written
    assert "| rmos.tls | not measured | – | – |" in unmeasured
    assert fill(page, lines(figure("replay", 300_000.0))) == page


def test_every_part_of_the_page_is_one_that_is_measured() -> None:
    names = re.findall(r"<!-- figures: ([\w-]+) -->", PAGE.read_text(encoding="utf-8"))

    assert set(names) <= set(_SECTIONS) | set(SUITES)
    assert set(_SECTIONS) <= set(names)


def test_plots_are_well_formed_and_name_who_was_measured() -> None:
    ways = [figure(f"fanout.all.{k}.a<b", value) for k, value in (("k1", 1e5), ("k8", 8e5), ("k32", None))]
    growth = [figure(f"growth.idle.n{size}", 100.0, note="growth.idle: exponent 0.00") for size in (10, 100)]

    drawn = plots(lines(*ways, *growth))

    texts = {name: text_of(plot) for name, plot in drawn.items()}
    assert "a<b" in texts["fan-out"]
    assert "idle: 0.00" in texts["growth"]


def test_flames_are_as_wide_as_what_they_stand_for() -> None:
    drawn = flame_graph("hub", [(["tick", "write"], 60), (["tick"], 20), (["read"], 20)])

    text = text_of(drawn)

    assert [share in text for share in ("tick: 80.0%", "write: 60.0%", "read: 20.0%")] == [True] * 3


def test_parts_of_a_cost_are_found_again_in_what_they_add_up_to() -> None:
    costs = Costs.fitted({batch: 8 / batch + 0.2 for batch in (1, 8, 32)}, 2.0)

    assert (costs.write_us, costs.event_us) == (pytest.approx(8), pytest.approx(0.2))
    assert predictions_table(costs, [(1000, 1320.0)])[1] == [("1,000", "1,200", "1,320", "+10%")]


def test_cores_are_counted_half_idle() -> None:
    _, rows = nodes_table(Costs(write_us=9.0, event_us=1.0, connection_kb=2.0))

    assert list(rows[0]) == ["100,000", "10", "20 (0 ms)", "5 (700 ms)", "3 (3,100 ms)", "0.2 GB"]
