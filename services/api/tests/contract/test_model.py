"""Property: whatever is done to the stores, they answer as a plain dict would.

The same works run on the stores and on a dict; some raise half-way. Works of one group are submitted together.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmos.domain.entities import JOBLOG, KINDS, PATTERN, STRIP_FAMILY, JsonValue, Kind, Revision
from rmos.domain.events import NewEvent
from rmos.errors import ConflictError
from rmos.stores.base import ListQuery, Reference, RememberedAnswer, Stores, Transaction
from rmos.stores.schema import REFERENCES
from tests.contract.builders import NOW, custom, document, event, revision
from tests.contract.engines import ENGINES, Engine

Step = tuple[Any, ...]
Work = Callable[[Transaction], list[object]]

_IDS = st.sampled_from(["a", "b"])
_KINDS = st.sampled_from(KINDS)
_STEPS = st.one_of(
    st.tuples(st.just("put"), _KINDS, _IDS, st.integers(0, 3), st.none() | _IDS),
    st.tuples(st.just("put"), _KINDS, _IDS, st.integers(0, 3), st.none() | _IDS),
    st.tuples(st.just("delete"), _KINDS, _IDS),
    st.tuples(st.just("look"), _KINDS, _IDS),
    st.tuples(st.just("tell"), st.sampled_from(["x", "y"])),
    st.tuples(st.just("fail")),
)
_GROUPS = st.lists(st.lists(st.lists(_STEPS, min_size=1, max_size=4), min_size=1, max_size=6), min_size=1, max_size=5)


def a_work(steps: Sequence[Step]) -> Work:
    """A work that does the steps and returns what it saw; it raises where a service would refuse."""

    def run(tx: Transaction) -> list[object]:
        return [_STEP[step[0]](tx, *step[1:]) for step in steps]

    return run


def _put(tx: Transaction, kind: Kind, entity_id: str, number: int, target: str | None) -> object:
    before = tx.get(kind, entity_id)
    fields = document(kind, id=entity_id, version=before.version + 1 if before else 1, name=f"n{number}")
    fields["ring_count" if kind == PATTERN else "strip_width_mm" if kind == STRIP_FAMILY else "progress"] = number
    for field, parent in REFERENCES[kind.name].items():
        fields[field] = target
        if target is not None and tx.get(parent, target) is None:
            raise ConflictError(f"no {parent.name} {target}")
    tx.put(revision(kind, fields), fields)
    tx.append(event(kind, fields, "updated" if before else "created"))
    return before


def _delete(tx: Transaction, kind: Kind, entity_id: str) -> object:
    if tx.get(kind, entity_id) is None or tx.referrers(kind, entity_id):
        raise ConflictError(f"{kind.name} {entity_id} cannot be deleted")
    tx.delete(kind, entity_id)
    tx.append(NewEvent(f"{kind.category}:deleted", b"{}", NOW, key=kind.key(entity_id)))
    return None


def _look(tx: Transaction, kind: Kind, entity_id: str) -> object:
    return tx.get(kind, entity_id), {(r.kind.name, r.id, r.field) for r in tx.referrers(kind, entity_id)}


def _tell(tx: Transaction, name: str) -> object:
    return custom(name)(tx)


def _fail(_: Transaction) -> object:
    raise ConflictError("on purpose")


_STEP: Mapping[str, Callable[..., object]] = {
    "put": _put,
    "delete": _delete,
    "look": _look,
    "tell": _tell,
    "fail": _fail,
}


class Model:
    """The stores as a dict and a list. Also the transaction: a work runs on a copy, which is kept if it succeeds."""

    def __init__(self, rows: dict[tuple[str, str], tuple[Revision, dict[str, Any]]], log: list[NewEvent]) -> None:
        self.rows = rows
        self.log = log

    def run(self, work: Work) -> object:
        attempt = Model(dict(self.rows), list(self.log))
        try:
            result = work(attempt)
        except ConflictError as error:
            return str(error)
        self.rows, self.log = attempt.rows, attempt.log
        return result

    def get(self, kind: Kind, entity_id: str) -> Revision | None:
        found = self.rows.get((kind.name, entity_id))
        return found[0] if found else None

    def put(self, new: Revision, columns: Mapping[str, JsonValue]) -> None:
        self.rows[new.kind.name, new.id] = (new, dict(columns))

    def delete(self, kind: Kind, entity_id: str) -> None:
        del self.rows[kind.name, entity_id]

    def referrers(self, kind: Kind, entity_id: str) -> list[Reference]:
        return [
            Reference(new.kind, new.id, field)
            for new, columns in self.rows.values()
            for field, parent in REFERENCES[new.kind.name].items()
            if parent == kind and columns[field] == entity_id
        ]

    def append(self, new: NewEvent) -> None:
        self.log.append(new)

    def recall(self, scope: str) -> RememberedAnswer | None:
        raise AssertionError(f"no step recalls {scope}")

    def remember(self, answer: RememberedAnswer) -> None:
        raise AssertionError(f"no step remembers {answer.scope}")

    def bodies(self, kind: Kind) -> list[bytes]:
        """As the default list has them: all were created at the same time, so the id decides."""
        return [r.body for (name, _), (r, _) in sorted(self.rows.items(), reverse=True) if name == kind.name]


async def compare(stores: Stores, model: Model) -> None:
    """Every way to ask gives what the model has."""
    for kind in KINDS:
        expected = model.bodies(kind)
        page = await stores.page(kind, ListQuery({}))
        assert (page.items, page.total) == (expected, len(expected))
        for entity_id in ("a", "b"):
            assert await stores.get(kind, entity_id) == model.get(kind, entity_id)
    for number in range(4):
        wide = await stores.page(PATTERN, ListQuery({"ring_count": number}))
        assert wide.items == [b for b in model.bodies(PATTERN) if orjson.loads(b)["ring_count"] == number]
    for target in ("a", None):
        jobs = await stores.page(JOBLOG, ListQuery({"pattern_id": target}))
        assert jobs.items == [b for b in model.bodies(JOBLOG) if orjson.loads(b)["pattern_id"] == target]
    events = await stores.log.read(0)
    assert [e.offset for e in events] == list(range(1, len(model.log) + 1))
    assert [(e.type, e.key, e.version, e.data) for e in events] == [
        (e.type, e.key, e.version, e.data) for e in model.log
    ]
    assert (await stores.overview()).entities == {kind.plural: len(model.bodies(kind)) for kind in KINDS}


async def play(engine: Engine, groups: Sequence[Sequence[Sequence[Step]]]) -> None:
    model = Model({}, [])
    async with engine.open() as stores:
        for group in groups:
            works = [a_work(steps) for steps in group]
            results = await asyncio.gather(*(stores.write(work) for work in works), return_exceptions=True)
            assert [str(r) if isinstance(r, ConflictError) else r for r in results] == [model.run(w) for w in works]
            await compare(stores, model)
    async with engine.open() as stores:
        await compare(stores, model)


@pytest.fixture(scope="module", params=sorted(ENGINES))
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Name of the engine and a folder with an empty database: making one anew for each example takes too long."""
    folder = tmp_path_factory.mktemp("template")

    async def make() -> None:
        async with ENGINES[request.param](folder).open():
            pass

    asyncio.run(make())
    return request.param, folder


@settings(max_examples=150, deadline=None)
@given(groups=_GROUPS)
def test_the_stores_answer_as_a_dict_would(
    template: tuple[str, Path], groups: Sequence[Sequence[Sequence[Step]]]
) -> None:
    engine, empty = template
    with tempfile.TemporaryDirectory() as folder:
        database = shutil.copytree(empty, Path(folder) / "database")
        asyncio.run(play(ENGINES[engine](database), groups))
