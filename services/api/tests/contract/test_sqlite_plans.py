"""How SQLite reads a list: along an index, however many jobs there are."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rmos.domain.entities import JOBLOG
from rmos.eventlog.sqlite_statement import Statement
from rmos.stores.base import ListQuery
from rmos.stores.paging import Place
from rmos.stores.queries import page_statement, read_query
from rmos.stores.sqlite.migrate import upgrade


def plan_of(folder: Path, **query: Any) -> list[str]:
    """The steps of a page of jobs in a new database."""
    upgrade(folder / "rmos.db")
    shape, values = read_query(JOBLOG, ListQuery(**{"where": {}} | query))
    statement = Statement(page_statement(shape))
    with closing(sqlite3.connect(folder / "rmos.db")) as connection:
        bound = [values.get(name) for name in statement.names]
        return [step for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {statement.text}", bound)]


@pytest.mark.parametrize("after", [None, "2026-11-24T00:00:00.000Z", "no end"])
@pytest.mark.parametrize("descending", [False, True])
def test_all_jobs_are_sorted_by_end_along_its_index(tmp_path: Path, descending: bool, after: str | None) -> None:
    order = (("end_time", descending), ("id", descending))
    place = after and str(Place(order, (None if after == "no end" else after, "some id")))

    plan = plan_of(tmp_path, sort=order, after=place)

    assert any("INDEX ix_joblogs_end_time_id" in step for step in plan), plan
    assert not any("TEMP B-TREE" in step for step in plan), plan


def test_the_jobs_that_a_chart_counts_on_some_days_are_found_by_its_index(tmp_path: Path) -> None:
    days = {"at_least": {"outcome_at": "2026-11-20"}, "below": {"outcome_at": "2026-11-24"}}

    assert any("SEARCH joblogs USING INDEX ix_joblogs_outcome_at_id" in step for step in plan_of(tmp_path, **days))
