"""A shop with a past, made from a seed: families, patterns, and as many job logs as wanted over two years.

    python -m benchmarks.jobs_dataset FOLDER --jobs 1000000 [--seed 1]

The same seed makes the same jobs, and the first n of a larger shop are those of a smaller one. They are stored by the
program's own services, so every rule holds and every job has its event. What is planted for the figures to find:
drier glue-ups on one machine fail more often, narrow tools break, waste grows with the number of segments, and the kerf
of a blade drifts until it is changed.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from rmos.clock import to_timestamp
from rmos.domain.entities import JOBLOG, PATTERN, STRIP_FAMILY, Kind
from rmos.services import entities
from rmos.services.context import Context
from rmos.stores.base import Stores, Transaction
from rmos.stores.sqlite import open_sqlite

Entity = tuple[Kind, str, dict[str, Any]]  # Any: JSON values
"""Kind, time of creation and fields."""

END: Final = datetime(2026, 11, 24, 18, tzinfo=UTC)
"""When the newest job ended."""
PAST: Final = timedelta(days=730)
PATTERNS: Final = 200
FAMILIES: Final = 40
_MATERIALS: Final = ("maple", "rosewood", "ebony", "walnut", "spruce", "mahogany", "abalone", "koa")
_TYPES: Final[Mapping[str, tuple[float, float, str]]] = {
    "slice": (0.34, 16.0, "cnc"),
    "glue_up": (0.22, 9.0, "bench"),
    "contour": (0.18, 11.0, "cnc"),
    "assembly": (0.14, 9.0, "bench"),
    "batch": (0.06, 40.0, "cnc"),
    "rosette_slice_batch": (0.04, 55.0, "cnc"),
    "rosette_cnc_export": (0.02, 1.5, "office"),
}
"""Share, median minutes and kind of machine of each job type."""
_MACHINES: Final = {"cnc": ("cnc1", "cnc2", "cnc3"), "bench": ("bench1", "bench2"), "office": ("office",)}
_TOOLS_MM: Final = (0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 6.0)
_BLADE_JOBS: Final = 400
"""Jobs after which a blade is changed."""
_STEP: Final = 2000
"""Entities in one transaction."""


def main() -> int:
    """Make the shop of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs_dataset", description=__doc__)
    parser.add_argument("folder", type=Path, help="where rmos.db is made")
    parser.add_argument("--jobs", type=int, default=10_000, help="how many job logs (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another shop (default: %(default)s)")
    arguments = parser.parse_args()
    asyncio.run(fill_file(arguments.folder / "rmos.db", jobs=arguments.jobs, seed=arguments.seed))
    return 0


async def fill_file(path: Path, *, jobs: int, seed: int = 1) -> None:
    """Make the shop in a database file."""
    stores = await open_sqlite(path, on_commit=lambda: None)
    try:
        await fill(stores, jobs=jobs, seed=seed)
    finally:
        await stores.close()


async def fill(stores: Stores, *, jobs: int, seed: int = 1) -> None:
    """Store the families, the patterns and so many jobs."""
    waiting: list[Entity] = []
    for entity in (*families(seed), *patterns(seed)):
        waiting.append(entity)
    for entity in job_logs(seed, jobs):
        waiting.append(entity)
        if len(waiting) >= _STEP:
            await _store(stores, waiting)
            waiting = []
    await _store(stores, waiting)


async def _store(stores: Stores, waiting: list[Entity]) -> None:
    def work(tx: Transaction) -> None:
        for kind, created_at, fields in waiting:
            entities.create(tx, kind, fields, Context("generator", None, created_at))

    await stores.write(work)


def families(seed: int) -> Iterator[Entity]:
    """The wood of the shop."""
    dice = random.Random(f"families {seed}")  # noqa: S311 -- made-up data, not a secret
    for number in range(FAMILIES):
        material = _MATERIALS[number % len(_MATERIALS)]
        strips = [
            {"id": f"s{index}", "length_mm": dice.choice((450, 600, 650)), "position": index}
            for index in range(dice.randint(0, 30))
        ]
        fields = {
            "id": f"family-{number:03}",
            "name": f"{material.capitalize()} {number:03}",
            "material_type": material,
            "strip_width_mm": dice.choice((0.5, 0.8, 1.0, 2.0, 6.0)),
            "strip_thickness_mm": dice.choice((0.5, 0.6, 0.8)),
            "strips": strips,
            "min_stock_mm": dice.choice((None, 3000, 6000)),
            "metadata": {"supplier": dice.choice(("Tonewood & Sons", "Bergholz", "Island Shell"))},
        }
        yield STRIP_FAMILY, to_timestamp(END - PAST), fields


def patterns(seed: int) -> Iterator[Entity]:
    """The designs of the shop."""
    dice = random.Random(f"patterns {seed}")  # noqa: S311 -- made-up data, not a secret
    for number in range(PATTERNS):
        rings = [
            {"radius_mm": 42.0 + 3 * index, "width_mm": 2.5, "segments": dice.randint(40, 140)}
            for index in range(dice.randint(1, 5))
        ]
        fields = {
            "id": f"pattern-{number:03}",
            "name": f"Rosette {number:03}",
            "geometry": {"rings": rings},
            "strip_family_id": f"family-{dice.randrange(FAMILIES):03}",
        }
        yield PATTERN, to_timestamp(END - PAST), fields


def job_logs(seed: int, jobs: int) -> Iterator[Entity]:
    """Job logs, each with its own dice, so that a shop is the beginning of every larger one."""
    segments = {fields["id"]: _segments(fields) for _, _, fields in patterns(seed)}
    names, weights = tuple(_TYPES), [share for share, _, _ in _TYPES.values()]
    for number in range(jobs):
        dice = random.Random(f"job {seed} {number}")  # noqa: S311 -- made-up data, not a secret
        yield _job(number, dice, dice.choices(names, weights)[0], segments)


def _job(number: int, dice: random.Random, job_type: str, segments: Mapping[str, int]) -> Entity:
    _, minutes, place = _TYPES[job_type]
    # The golden ratio spreads the jobs evenly over the past, however many there are.
    end = END - PAST * ((number * 0.6180339887498949) % 1.0)
    seconds = minutes * 60 * dice.lognormvariate(0.0, 0.25)
    machine, tool_mm = dice.choice(_MACHINES[place]), dice.choice(_TOOLS_MM)
    pattern = f"pattern-{min(int(dice.expovariate(0.02)), PATTERNS - 1):03}"
    risk = 0.05 + (0.10 if tool_mm < 1 else 0) + (0.12 if (job_type, machine) == ("glue_up", "bench2") else 0)
    drawn = dice.random()
    status = "failed" if drawn < risk else dice.choices(("completed", "cancelled", "held"), (96, 3, 1))[0]
    fields: dict[str, Any] = {  # Any: JSON values
        "id": f"job-{number:08}",
        "job_type": job_type,
        "pattern_id": pattern,
        "strip_family_id": f"family-{dice.randrange(FAMILIES):03}",
        "machine_id": machine,
        "project_id": f"project-{(END - end).days // 5:03}-{dice.randrange(4)}",
        "operator": dice.choice(("ada", "ben", "cleo")),
        "status": status,
        "start_time": to_timestamp(end - timedelta(seconds=seconds)),
        "parameters": {"tool_diameter_mm": tool_mm, "kerf_mm": 0.3, "feed_mm_min": dice.randint(200, 800)},
    }
    if status != "held":
        fields["end_time"] = to_timestamp(end)
    if status == "failed":
        fields["reason"] = dice.choice(("MACHINE_FAILURE", "QUALITY_HOLD", "OPERATIONAL", "OTHER"))
        fields |= {"good_qty": 0, "scrap_qty": 1}
    if status == "completed":
        wear = (number % _BLADE_JOBS) / _BLADE_JOBS
        scrap = dice.choices((0, 1, 2), (90, 8, 2))[0]
        fields |= {"good_qty": 10 - scrap, "scrap_qty": scrap, "rework_qty": dice.choices((0, 1), (93, 7))[0]}
        fields["results"] = {
            "waste_percentage": round(3 + segments[pattern] / 100 + dice.random() * 3, 2),
            "strip_used_mm": round(segments[pattern] * 2.5 * dice.uniform(1.02, 1.08), 1),
            "actual_kerf_mm": round(0.3 + 0.05 * wear + dice.gauss(0, 0.005), 4),
        }
    return JOBLOG, to_timestamp(end), fields


def _segments(pattern: Mapping[str, Any]) -> int:  # Any: JSON values
    return sum(ring["segments"] for ring in pattern["geometry"]["rings"])


if __name__ == "__main__":
    sys.exit(main())
