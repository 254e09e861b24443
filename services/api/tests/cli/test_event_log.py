"""scripts/import_event_log.py makes jobs of an outside log; scripts/check_event_log.py finds figures that differ."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.cli.job_shop import Work, operations, simulate, write_csv, write_csv_of_events, write_xes
from tests.processes import ROOT, WAIT_S, Server, environment

CASES = 540
"""More than 5,000 events."""
WINDOW = {"days": 365, "until": "2025-12-31"}
OWN_NAMES = ("--case-column", "auftrag", "--resource-column", "wo")


@pytest.fixture(scope="module")
def works() -> list[Work]:
    return simulate(CASES)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "data").wait_until_ready()
    yield server
    server.kill()


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script to its end."""
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / script), *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=WAIT_S * 3,
        check=False,
    )


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The line that a script printed."""
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout))


def import_log(server: Server, path: Path, *options: str) -> dict[str, Any]:
    """Import a log that is meant to be fine."""
    done = run("import_event_log.py", str(path), "--url", server.url, *options)
    assert done.returncode == 0, done.stderr
    return told(done)


def check_log(server: Server, path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Hold the server against the file."""
    return run("check_event_log.py", str(path), "--url", server.url, *options)


def head(server: Server) -> str:
    """The place at which the server's log ends."""
    return str(server.get("/api/rmos/monitor/events", limit=1)["head"])


@pytest.mark.parametrize(
    ("write", "name", "options"),
    [
        (write_xes, "shop.xes.gz", ()),
        (write_csv, "shop.csv", ()),
        (write_csv_of_events, "events.csv", OWN_NAMES),
    ],
    ids=["xes", "csv", "csv of events"],
)
def test_figures_of_an_imported_log_are_those_of_the_simulation(
    works: list[Work],
    server: Server,
    tmp_path: Path,
    write: Callable[[Path, list[Work]], Path],
    name: str,
    options: tuple[str, ...],
) -> None:
    path = write(tmp_path / name, works)

    made = import_log(server, path, *options)
    checked = check_log(server, path, *options)

    flow = server.get("/api/analytics/shop/flow", **WINDOW)
    total = server.get("/api/analytics/shop", by="machine", **WINDOW)["total"]
    daily = server.get("/api/analytics/jobs/throughput", **WINDOW)["daily"]
    ops = operations(works)
    reworked = sum(times > 1 for times in ops.values())
    assert len(works) * 2 > 5000
    assert 0 < reworked < len(ops)
    assert (made["events"], made["cases"], made["created"]) == (2 * len(works), CASES, len(works))
    assert flow["cycle_time_s"] == pytest.approx(statistics.fmean(work.seconds for work in works))
    assert {day["date"]: day["count"] for day in daily if day["count"]} == Counter(
        work.end.date().isoformat() for work in works
    )
    assert total["produced"] == len(ops)
    assert total["rework_ratio"] == pytest.approx(reworked / len(ops))
    assert total["first_pass_yield"] == pytest.approx(1 - reworked / len(ops))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert max(told(checked)["largest_relative_difference"].values()) < 1e-6


def test_a_case_as_one_job_holds_its_queues_too(works: list[Work], server: Server, tmp_path: Path) -> None:
    path = write_xes(tmp_path / "shop.xes.gz", works)

    made = import_log(server, path, "--job", "case")
    checked = check_log(server, path, "--job", "case")

    flow = server.get("/api/analytics/shop/flow", **WINDOW)
    spans = [
        (max(work.end for work in mine) - min(work.start for work in mine)).total_seconds()
        for case in {work.case for work in works}
        if (mine := [work for work in works if work.case == case])
    ]
    assert (made["jobs"], flow["exits"]) == (CASES, CASES)
    assert flow["cycle_time_s"] == pytest.approx(statistics.fmean(spans))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_importing_again_changes_nothing(works: list[Work], server: Server, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "shop.csv", works)
    import_log(server, path)
    before = head(server)

    again = import_log(server, path)

    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, len(works))
    assert head(server) == before


def test_a_log_that_has_grown_is_followed(works: list[Work], server: Server, tmp_path: Path) -> None:
    middle = works[len(works) // 2].start
    path = write_xes(tmp_path / "shop.xes.gz", works, until=middle)
    first = import_log(server, path)
    going = server.get("/api/rmos/stores/joblogs", status="running")["total"]
    halfway = check_log(server, path)

    write_xes(path, works)
    second = import_log(server, path)
    checked = check_log(server, path)

    assert going == sum(work.start <= middle < work.end for work in works) > 0
    assert halfway.returncode == 0, halfway.stdout + halfway.stderr
    assert first["created"] + second["created"] == len(works)
    assert second["updated"] >= going
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_figure_that_differs_is_found(works: list[Work], server: Server, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "shop.csv", works[:100])
    import_log(server, path)
    job = server.get("/api/rmos/stores/joblogs", limit=1)["joblogs"][0]
    change = {"start_time": "2025-03-03T00:00:00.000Z", "rework_qty": 1 - job["rework_qty"], "good_qty": 1}

    httpx2.patch(f"{server.url}/api/rmos/stores/joblogs/{job['id']}", json=change, trust_env=False).raise_for_status()
    checked = check_log(server, path)

    found = told(checked)["largest_relative_difference"]
    assert checked.returncode == 1
    assert found["throughput"] == 0
    assert min(found["cycle_time"], found["wip"], found["rework"], found["first_pass"]) > 1e-6


def test_a_shop_with_other_jobs_is_not_compared(works: list[Work], server: Server, tmp_path: Path) -> None:
    import_log(server, write_csv(tmp_path / "one.csv", works[:10]))

    checked = check_log(server, write_csv(tmp_path / "two.csv", works[:20]))

    assert checked.returncode == 2
    assert "the file makes 20 jobs, the server holds 10" in checked.stderr


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "order,step\n1,saw\n", "--activity-column, --time-column"),
        ("a.csv", "case,activity,time\n1,saw,yesterday\n", "row 2: 'yesterday' is no time"),
        ("a.csv", "case,activity,time\n,saw,2025-03-03T08:00:00Z\n", "row 2: no case"),
        ("a.xes", "<log><trace>", "a.xes cannot be read"),
        ("a.xes", "<log></log>", "no event"),
    ],
)
def test_what_is_no_event_log_is_refused_with_its_place(tmp_path: Path, name: str, content: str, said: str) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")

    done = run("import_event_log.py", str(path), "--url", "http://127.0.0.1:9")

    assert done.returncode == 1
    assert said in done.stderr
