"""How-to guides that change or embed the code are held against the code as it is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import DOCS, ROOT, blocks, code_words, rows
from tests.processes import WAIT_S, environment
from tests.protocol.schemas import problems

EVENT_TYPE = (DOCS / "how-to" / "add-an-event-type.md").read_text("utf-8")
EMBEDDING = (DOCS / "how-to" / "embed-the-live-monitor.md").read_text("utf-8")
CLIENT = ROOT / "packages" / "client" / "src"

LOW_STOCK = """
import asyncio
from pathlib import Path

from rmos.domain.entities import STRIP_FAMILY
from rmos.services import entities
from rmos.services.context import Context
from rmos.stores.sqlite import open_sqlite

CONTEXT = Context("local", None, "2026-11-24T10:00:00.000Z")
FAMILY = {"id": "m1", "name": "Ebony 0.5", "strip_width_mm": 5, "strip_thickness_mm": 0.5, "material_type": "ebony"}


def strips(*lengths_mm):
    return {"strips": [{"length_mm": length} for length in lengths_mm]}


async def main():
    stores = await open_sqlite(Path("rmos.db"), on_commit=lambda: None)
    await stores.write(lambda tx: entities.create(
        tx, STRIP_FAMILY, FAMILY | {"min_stock_mm": 1000} | strips(600, 600), CONTEXT))
    for stock in (strips(600, 500), strips(600), strips(300), strips(600, 600)):
        await stores.write(lambda tx: entities.update(tx, STRIP_FAMILY, "m1", stock, CONTEXT))
    print(*[event.type for event in await stores.log.read(0)])
    await stores.close()


asyncio.run(main())
"""


def test_an_event_type_is_added_by_the_two_patches_of_the_page(tmp_path: Path) -> None:
    source = tmp_path / "services" / "api" / "src" / "rmos"
    shutil.copytree(
        ROOT / "services" / "api" / "src" / "rmos", source, ignore=shutil.ignore_patterns("webapp", "__pycache__")
    )

    for patch in blocks(EVENT_TYPE, "diff"):
        done = subprocess.run(
            ["git", "apply", "--recount", "-C1", "-"],
            cwd=tmp_path,
            input=patch,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"the patch does not fit the code any more: {done.stderr}"
    done = subprocess.run(
        [sys.executable, "-c", LOW_STOCK],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(source.parent)),
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )

    updates = ["material:updated", "material:updated", "material:low_stock", "material:updated", "material:updated"]
    assert done.stdout.split() == ["material:created", *updates], done.stderr


def test_the_vector_of_the_page_is_a_valid_event() -> None:
    (frame,) = blocks(EVENT_TYPE, "json")

    assert problems("event.json", json.loads(frame)) == []


def named(heading: str) -> set[str]:
    """The names in the first column of a table of the page on embedding."""
    return {word for cells in rows(EMBEDDING, heading) for word in code_words(cells[0])}


def members(source: Path, declaration: str) -> set[str]:
    """The members of an interface or of the props, as they are declared; not what their types are made of."""
    text = source.read_text("utf-8")
    body = text.split(declaration, 1)[1]
    indent, end = re.search(r"\n( +)\S", body), re.search(r"^ *\}", body, re.MULTILINE)
    assert indent is not None
    assert end is not None
    return set(re.findall(rf"^{indent[1]}(?:readonly )?(\w+)\??: ", body[: end.start()], re.MULTILINE))


def test_properties_of_the_component_are_complete() -> None:
    assert named("Properties") == members(CLIENT / "components" / "rmos" / "LiveMonitor.vue", "defineProps<{")


def test_custom_properties_of_the_component_are_complete() -> None:
    folder = CLIENT / "components" / "rmos"
    used = {
        name
        for path in [*folder.glob("*.vue"), *folder.glob("*.css")]
        for name in re.findall(r"var\((--rmos-[\w-]+)", path.read_text("utf-8"))
    }

    assert named("Custom properties") == used


def test_options_of_the_composable_are_complete() -> None:
    source = CLIENT / "composables" / "useWebSocket.ts"

    assert named("What it takes") == members(source, "interface UseWebSocketOptions {")


def test_what_the_composable_gives_is_complete() -> None:
    source = CLIENT / "composables" / "useWebSocket.ts"
    states = {"idle", "connecting", "open", "waiting", "abandoned", "live", "lagging", "stale", "offline"}

    assert named("What it gives") - states == members(source, "interface UseWebSocketReturn {")
