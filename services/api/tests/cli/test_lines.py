"""One event, one readable line."""

from __future__ import annotations

from typing import Any

import pytest

from rmos.cli.lines import event_line


def line(event_type: str, data: dict[str, Any], **more: Any) -> str:
    """The text of an event's line without the time of day."""
    frame = {"type": event_type, "data": data, "timestamp": "2026-11-24T10:00:00.123Z", **more}
    return event_line(frame).plain.partition("  ")[2]


@pytest.mark.parametrize(
    ("event_type", "data", "expected"),
    [
        (
            "job:updated",
            {"id": "j1", "job_type": "slice", "status": "running", "progress": 0.4},
            "job:updated        slice j1 running 40%",
        ),
        (
            "job:updated",
            {"id": "j1", "job_type": "glue_up", "status": "held", "reason": "GLUE_DRY", "note": "dries for 40 min"},
            "job:updated        glue_up j1 held GLUE_DRY “dries for 40 min”",
        ),
        (
            "job:completed",
            {
                "id": "0198c2f0-0000-7000-8000-00000000abcd",
                "job_type": "slice",
                "status": "completed",
                "progress": 1.0,
                "good_qty": 118.0,
                "scrap_qty": 6,
                "duration_seconds": 754.3,
            },
            "job:completed      slice …00abcd completed good 118, scrap 6 in 12 min 34 s",
        ),
        ("pattern:created", {"id": "p1", "name": "Rope", "ring_count": 3}, "pattern:created    Rope p1 3 rings"),
        ("pattern:deleted", {"id": "p1", "name": "Rope", "ring_count": 1}, "pattern:deleted    Rope p1 1 ring"),
        (
            "material:updated",
            {
                "id": "m1",
                "name": "Maple",
                "strip_width_mm": 6.0,
                "strip_thickness_mm": 0.6,
                "strips": [{"length_mm": 600}, {"length_mm": 350}],
            },
            "material:updated   Maple m1 6 × 0.6 mm, 2 strips, 0.9 m",
        ),
        (
            "metrics:snapshot",
            {"jobs": {"wip": 2, "by_status": {"running": 1, "held": 1, "failed": 0}}},
            "metrics:snapshot   in work 2; jobs: running 1, held 1",
        ),
        ("job:custom_status", {"id": "j1", "status": "custom"}, "job:custom_status  job j1 custom"),
        ("metrics:anomaly", {"message": "too slow"}, "metrics:anomaly    too slow"),
    ],
)
def test_says_what_happened(event_type: str, data: dict[str, Any], expected: str) -> None:
    assert line(event_type, data) == expected


def test_says_where_by_whom_and_at_which_place_of_the_log() -> None:
    text = line("job:created", {"id": "j"}, channels=["project:p7", "machine:cnc1"], actor="operator-1", offset=1042)

    assert text.endswith("  project:p7  machine:cnc1  by operator-1  #1042")


def test_a_name_cannot_steer_the_terminal() -> None:
    text = line("pattern:created", {"id": "p", "name": "\x1b[2Jgone\nnext line\u202e", "ring_count": 1})

    assert text.isprintable()


@pytest.mark.parametrize("data", [{}, {"id": None, "status": None}, {"strips": [1, None], "name": 5}, {"jobs": []}])
@pytest.mark.parametrize("category", ["job", "pattern", "material", "metrics", "unknown"])
def test_an_event_of_any_shape_has_a_line(category: str, data: dict[str, Any]) -> None:
    assert line(f"{category}:custom", data).startswith(f"{category}:custom")
