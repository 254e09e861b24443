"""The numbers on a job log: what was planned for it, and what came of it. The figures of the shop are made of these.

Rule: planned times are on the wall clock, as the durations are that they are compared with.
"""

from __future__ import annotations

from typing import Final

from rmos.cli.demo.api import Document
from rmos.cli.demo.blades import Blade
from rmos.cli.demo.catalogue import CONTOUR_TOOLS_MM, MINUTE_S, Operation
from rmos.cli.demo.dice import Dice
from rmos.cli.demo.orders import Job, Order
from rmos.cli.demo.simulation import Simulation

REWORK_SHARE: Final = 0.15
"""How often something has to be touched up before it is good."""
WASTE_PER_WEAR_MM: Final = 100.0
"""Percent of waste that each mm of wear adds: a dull blade tears the grain besides cutting wide."""


def planned(order: Order, operation: Operation, *, simulation: Simulation, dice: Dice) -> Document:
    """`parameters` of a job that is about to wait for its machine."""
    wall_s = simulation.wall_s(operation.planned_minutes * MINUTE_S)
    # Four digits that count, however short a piece is at a high speed.
    parameters: Document = {"planned_seconds_per_piece": float(f"{wall_s / pieces_of(order, operation):.4g}")}
    match operation.job_type:
        case "contour":
            parameters |= {"tool_diameter_mm": dice.choice(CONTOUR_TOOLS_MM), "feed_mm_min": 600}
        case "glue_up":
            parameters |= {"glue": dice.choice(["hide", "fish"]), "clamps": dice.randint(3, 6)}
    return parameters


def pieces_of(order: Order, operation: Operation) -> int:
    """What a job of this kind counts: tiles when it slices, and else the one rosette."""
    return order.tiles if operation.uses_strip else 1


def sawn_with(blade: Blade) -> Document:
    """What a blade adds to the `parameters` of its job; `kerf_mm` is what it cuts when new."""
    return {
        "blade_id": blade.id,
        "tool_diameter_mm": blade.kind.diameter_mm,
        "kerf_mm": blade.kind.kerf_mm,
        "speed_rpm": 4200,
    }


def completed(job: Job, dice: Dice) -> Document:
    """Results and quantities of a job that came out well."""
    pieces, scrap = pieces_of(job.order, job.operation), 0
    if job.blade is not None:
        scrap = round(pieces * dice.uniform(0, 0.06))
        results: Document = {
            "strips_produced": pieces,
            "strip_used_mm": job.order.need_mm,
            "actual_kerf_mm": job.blade.measured_kerf_mm(dice),
            "waste_percentage": round(dice.uniform(3, 9) + job.blade.wear_mm * WASTE_PER_WEAR_MM, 1),
            "success_rate": round(1 - scrap / pieces, 3),
        }
    else:
        results = {"deviation_mm": round(dice.uniform(0, 0.08), 3)}
    good = pieces - scrap
    rework = dice.randint(1, max(1, good // 20)) if dice.random() < REWORK_SHARE else 0
    return {"results": results, "good_qty": good, "scrap_qty": scrap, "rework_qty": rework}


def failed(job: Job, progress: float, dice: Dice) -> Document:
    """Results and quantities of a job that failed when `progress` of it was done."""
    results: Document = {}
    scrap = 1
    if job.blade is not None:
        scrap = round(job.order.tiles * progress)
        results = {
            "strip_used_mm": job.order.need_mm,
            "actual_kerf_mm": job.blade.measured_kerf_mm(dice),
            "waste_percentage": 100.0,
        }
    return {"results": results, "good_qty": 0, "scrap_qty": scrap, "rework_qty": 0}
