"""Whatever is done to a shop, in whatever order: who had the old state and saw the events has the new one."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rmos.domain.entities import JOBLOG, KINDS, PATTERN, STRIP_FAMILY, Kind
from rmos.domain.jobs import STATUSES
from rmos.errors import ClientError
from rmos.services import entities
from rmos.services.bulk import run_bulk
from tests.services.support import open_shop

IDS = st.sampled_from(["a", "b", "c"])
REFERENCES = st.none() | IDS
FIELDS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    PATTERN.name: st.fixed_dictionaries(
        {"name": st.sampled_from(["Rope", "Wave", ""]), "ring_count": st.integers(0, 3)},
        optional={"strip_family_id": REFERENCES, "metadata": st.none() | st.just({"a": 1})},
    ),
    JOBLOG.name: st.fixed_dictionaries(
        {"job_type": st.just("slice")},
        optional={
            "pattern_id": REFERENCES,
            "strip_family_id": REFERENCES,
            "status": st.sampled_from([*STATUSES, "error", "lost"]),
            "machine_id": st.none() | st.sampled_from(["cnc1", "cnc2"]),
        },
    ),
    STRIP_FAMILY.name: st.fixed_dictionaries(
        {
            "name": st.just("Maple"),
            "material_type": st.just("maple"),
            "strip_width_mm": st.integers(0, 4),
            "strip_thickness_mm": st.just(0.6),
        }
    ),
}


@st.composite
def operations(draw: st.DrawFn) -> dict[str, Any]:
    """One thing that somebody may try; about half of them are refused."""
    kind = draw(st.sampled_from(KINDS))
    entity_id = draw(IDS)
    operation: dict[str, Any] = {"op": draw(st.sampled_from(["create", "update", "delete"])), "entity": kind.name}
    operation["id"] = entity_id
    if operation["op"] != "delete":
        operation["data"] = draw(FIELDS[kind.name])
    if operation["op"] == "update" and kind == JOBLOG:
        operation["data"] |= draw(st.sampled_from([{}, {"reopen": True}]))
    return operation


ACTIONS = st.one_of(
    st.tuples(st.just("one"), operations()),
    st.tuples(st.just("force"), st.tuples(st.sampled_from(KINDS), IDS)),
    st.tuples(st.sampled_from(["bulk", "partial"]), st.lists(operations(), max_size=4)),
)


@given(st.lists(ACTIONS, min_size=5, max_size=25))
@settings(max_examples=25, deadline=None)
def test_the_old_state_and_the_events_give_the_new_state(actions: list[tuple[str, Any]]) -> None:
    asyncio.run(act_all(actions))


async def act_all(actions: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with open_shop(Path(folder)) as shop:
            for name, what in actions:
                try:
                    await shop.act(lambda tx, context, name=name, what=what: act(tx, context, name, what))
                except ClientError:
                    continue  # `Shop.act` has seen that nothing of it was kept


def act(tx: Any, context: Any, name: str, what: Any) -> None:
    if name == "force":
        kind: Kind = what[0]
        entities.delete(tx, kind, what[1], context, force=True)
    else:
        run_bulk(tx, what if name != "one" else [what], context, partial=name == "partial")
