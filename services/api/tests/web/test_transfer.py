"""Export and import, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmos.domain.entities import JOBLOG
from rmos.services.encoding import encode
from rmos.web.tables import COLUMNS, read_rows, write_rows

from .shops import FAMILIES, JOBS, PATTERNS, Shop, is_problem, make_family, make_job, make_pattern, open_shop, pointers

CSV = {"Content-Type": "text/csv"}
EVIL = ["=1+1", "+1", "-1", "@SUM(A1)", "'quoted'", "'=x", "''", 'a,b;c"d', "ünï", "1e5", "true", "null", "{}"]


def table(answer: httpx2.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def test_csv_has_one_row_an_entity_and_one_column_a_field(shop: Shop) -> None:
    job = await shop.make(JOBS, make_job(good_qty=3, duration_seconds=45.3, note="two\nlines"))

    answer = await shop.client.get(f"{JOBS}/export.csv")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="joblogs.csv"'
    (row,) = table(answer)
    assert list(row) == list(job)
    assert (row["good_qty"], row["duration_seconds"], row["note"]) == ("3", "45.3", "two\nlines")
    assert row["parameters"] == '{"blade_id":"b1"}'
    assert row["results"] == ""


async def test_no_exported_cell_is_a_formula(shop: Shop) -> None:
    for name in EVIL:
        await shop.make(PATTERNS, make_pattern(name=name))

    rows = table(await shop.client.get(f"{PATTERNS}/export.csv"))

    assert len(rows) == len(EVIL)
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_an_export_fills_an_empty_shop_with_the_same_entities(shop: Shop, tmp_path: Path, form: str) -> None:
    for name in EVIL:
        await shop.make(PATTERNS, make_pattern(name=name, metadata={"name": name, "n": [1, 1.5, None]}))
        await shop.make(JOBS, make_job(operator=name, note=name, status="failed", good_qty=1.25, results={}))
        await shop.make(FAMILIES, make_family(name=name, material_type=name, materials=[{"key": name}]))

    async with open_shop(tmp_path / "other") as other:
        for path in (PATTERNS, JOBS, FAMILIES):
            exported = await shop.client.get(f"{path}/export.{form}")
            answer = await other.client.post(
                f"{path}/import", content=exported.content, headers={"Content-Type": exported.headers["content-type"]}
            )
            assert answer.json() == {"success": True, "created": len(EVIL), "updated": 0, "unchanged": 0}
            assert await _contents(other, path) == await _contents(shop, path)


async def _contents(shop: Shop, path: str) -> list[dict[str, Any]]:
    answer = await shop.client.get(path, params={"sort": "id"})
    (documents,) = (value for value in answer.json().values() if isinstance(value, list))
    return [{k: v for k, v in document.items() if not k.endswith("_at")} for document in documents]


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_importing_an_export_into_its_own_shop_changes_nothing(shop: Shop, form: str) -> None:
    await shop.make(JOBS, make_job(status="completed", note="done", progress=1))
    exported = await shop.client.get(f"{JOBS}/export.{form}")

    answer = await shop.client.post(
        f"{JOBS}/import", content=exported.content, headers={"Content-Type": exported.headers["content-type"]}
    )

    assert answer.json() == {"success": True, "created": 0, "updated": 0, "unchanged": 1}
    assert await shop.event_types() == ["job:created"]


async def test_a_known_id_is_changed_and_empty_cells_say_nothing(shop: Shop) -> None:
    await shop.make(FAMILIES, make_family(id="f1", min_stock_mm=100))
    text = "id;name;strip_width_mm;strip_thickness_mm;material_type;min_stock_mm\nf1;Renamed;;;;\n;New;0.5;0.6;Ebony;\n"

    answer = await shop.client.post(f"{FAMILIES}/import", content=text.encode(), headers=CSV)

    assert answer.json() == {"success": True, "created": 1, "updated": 1, "unchanged": 0}
    family = (await shop.client.get(f"{FAMILIES}/f1")).json()["strip_family"]
    assert (family["name"], family["strip_width_mm"], family["min_stock_mm"]) == ("Renamed", 0.5, 100)
    assert await shop.event_types() == ["material:created", "material:updated", "material:created"]


async def test_every_wrong_cell_is_named_by_line_and_field(shop: Shop) -> None:
    text = (
        "name,ring_count,geometry,id\r\n"
        "good,1,,p1\r\n"
        '"two\nlines",many,,\r\n'
        "\r\n"
        "bad json,1,{x},\r\n"
        "twice,1,,p1\r\n"
        "too,1,{},p2,many\r\n"
        ",1,,\r\n"
    )

    answer = await shop.client.post(f"{PATTERNS}/import", content=text.encode(), headers=CSV)

    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == ["/3/name", "/3/ring_count", "/6/geometry", "/7/id", "/8", "/9/name"]
    details = [error["detail"] for error in answer.json()["errors"]]
    assert details[1].startswith("line 3: ring_count: ")
    assert details[3] == "line 7: id is also that of line 2"
    assert await shop.counts() == [0, 0, 0, 0]


async def test_tables_that_cannot_be_read_are_refused(shop: Shop) -> None:
    for body, status, told in (
        (b"", 422, "line 1 must name the columns"),
        (b"\n1,2\n", 422, "line 1 must name the columns"),
        (b"name,colour\nx,red\n", 422, "unknown column 'colour'"),
        (b"name,name\nx,y\n", 422, "column name is there twice"),
        (b"name\n\xff\n", 400, "not UTF-8"),
        (b'name\n"x"y\n', 400, "line 2 is not CSV"),
        (b'name\n"x\n', 400, "is not CSV"),
    ):
        answer = await shop.client.post(f"{PATTERNS}/import", content=body, headers=CSV)
        assert is_problem(answer, status, "invalid" if status == 422 else "bad_request")
        assert told in answer.json()["detail"]
    assert await shop.counts() == [0, 0, 0, 0]


async def test_json_imports_name_the_entity_by_pointer(shop: Shop) -> None:
    for body, expected in (
        ({"patterns": [make_pattern(), {"name": 1}]}, ["/patterns/1/name", "/patterns/1/ring_count"]),
        ([make_pattern(), 7], ["/1"]),
        ({"joblogs": []}, ["/patterns"]),
        ({"patterns": {}}, ["/patterns"]),
        ("x", [""]),
    ):
        answer = await shop.client.post(f"{PATTERNS}/import", json=body)
        assert is_problem(answer, 422, "invalid")
        assert set(expected[:1]) <= set(pointers(answer))
    assert await shop.counts() == [0, 0, 0, 0]


async def test_exports_run_through_many_pages_and_take_filters(shop: Shop) -> None:
    operations = [
        {"op": "create", "entity": "joblog", "data": make_job(id=f"j{n}", job_type=f"t{n % 2}")} for n in range(450)
    ]
    assert (await shop.client.post("/api/rmos/stores/bulk", json={"operations": operations})).status_code == 200

    rows = table(await shop.client.get(f"{JOBS}/export.csv"))
    document = (await shop.client.get(f"{JOBS}/export.json")).json()
    half = (await shop.client.get(f"{JOBS}/export.json", params={"job_type": "t1"})).json()

    assert sorted(row["id"] for row in rows) == sorted(f"j{n}" for n in range(450))
    assert [row["id"] for row in rows] == [job["id"] for job in document["joblogs"]]
    assert len(half["joblogs"]) == 225


async def test_exports_of_an_empty_shop(shop: Shop) -> None:
    assert table(await shop.client.get(f"{PATTERNS}/export.csv")) == []
    assert (await shop.client.get(f"{PATTERNS}/export.json")).json() == {"success": True, "patterns": []}
    assert is_problem(await shop.client.get(f"{JOBS}/export.csv", params={"status": "done"}), 422, "invalid")


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=4, max_size=4),
    number=st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
    metadata=st.dictionaries(st.text(), _JSON, max_size=3),
)
def test_what_is_written_is_read_back(texts: list[str], number: float, metadata: dict[str, Any]) -> None:
    document = dict.fromkeys(COLUMNS[JOBLOG.name]) | {
        "id": texts[0],
        "operator": texts[1],
        "note": texts[2],
        "job_type": texts[3],
        "good_qty": number,
        "metadata": metadata,
    }

    (row,) = read_rows(JOBLOG, write_rows(JOBLOG, [encode(document)], header=True))

    assert row.faults == ()
    assert row.fields == {name: value for name, value in document.items() if value is not None}
