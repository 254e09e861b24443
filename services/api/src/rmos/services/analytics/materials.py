"""Questions about strip families and the materials they are of.

Materials are one when they differ in case only; they go by the spelling that sorts first.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Final, TypeVar

from rmos.analytics.describe import share, summary
from rmos.analytics.facts import Dimension, FamilyFact, Tally
from rmos.analytics.tallies import Sums, of_status, sums_by
from rmos.domain.entities import JsonObject
from rmos.domain.jobs import COMPLETED
from rmos.stores.figures import Figures

K = TypeVar("K")

MM3_PER_CM3: Final = 1000.0


def distribution(figures: Figures) -> JsonObject:
    """Families by material, the commonest first."""
    families = figures.families()
    groups = _by_material(families)
    return {
        "materials": [
            {
                "material_type": material,
                "count": len(members),
                "percentage": share(len(members), len(families)),
                "stock_mm": _stock_mm(members),
            }
            for material, members in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
        ],
        "distribution": {material: len(members) for material, members in groups.items()},
        "total_families": len(families),
        "unique_materials": len(groups),
    }


def consumption(figures: Figures) -> JsonObject:
    """The strip that jobs say they used, beside what is held."""
    families = figures.families()
    jobs = figures.totals(Dimension.FAMILY)
    used = sums_by(jobs, _material_of(families))
    groups = _by_material(families)
    materials = sorted({*(name for name in used if name is not None), *groups})
    everything = Sums.of(jobs)
    return {
        "total_used_mm": everything.used_mm,
        "reporting_jobs": everything.reported,
        "total_jobs": everything.jobs,
        "materials": [_consumed(material, used.get(material), groups.get(material, [])) for material in materials],
        "unassigned_used_mm": used[None].used_mm if None in used else 0.0,
        "inventory": {material: _stock_mm(members) for material, members in groups.items()},
    }


def _consumed(material: str, used: Sums | None, held: list[FamilyFact]) -> JsonObject:
    return {
        "material_type": material,
        "used_mm": used.used_mm if used else 0.0,
        "reporting_jobs": used.reported if used else 0,
        "job_count": used.jobs if used else 0,
        "inventory_mm": _stock_mm(held),
    }


def efficiency(figures: Figures) -> JsonObject:
    """The waste that completed jobs report; 100 less their mean is the score."""
    completed = of_status(figures.totals(Dimension.FAMILY), COMPLETED)
    by_material = sums_by(completed, _material_of(figures.families()))
    return {
        **_efficiency(Sums.of(completed)),
        "materials": [
            {"material_type": material, **_efficiency(sums)}
            for material, sums in sorted(by_material.items(), key=lambda entry: entry[0] or "")
            if material is not None
        ],
    }


def _efficiency(completed: Sums) -> JsonObject:
    waste = completed.avg_waste_percentage
    return {
        "avg_waste_percentage": waste,
        "efficiency_score": None if waste is None else 100 - waste,
        "sample_size": completed.measured,
        "completed_jobs": completed.jobs,
    }


def dimensions(figures: Figures) -> JsonObject:
    """Widths and thicknesses of the families."""
    families = figures.families()
    width = asdict(summary([family.strip_width_mm for family in families]))
    thickness = asdict(summary([family.strip_thickness_mm for family in families]))
    widths = Counter(family.strip_width_mm for family in families)
    return {
        "width_mm": width,
        "thickness_mm": thickness,
        "widths": [{"strip_width_mm": value, "count": widths[value]} for value in sorted(widths)],
        "total_families": len(families),
    }


def suppliers(figures: Figures) -> JsonObject:
    """Families and stock by `metadata.supplier`, the largest first."""
    families = figures.families()
    groups = _grouped(families, lambda family: family.supplier)
    unknown = groups.pop(None, [])
    return {
        "suppliers": [
            {
                "supplier": supplier,
                "family_count": len(members),
                "percentage": share(len(members), len(families)),
                "stock_mm": _stock_mm(members),
                "materials": [*_by_material(members)],
            }
            for supplier, members in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0] or ""))
        ],
        "unique_suppliers": len(groups),
        "unknown_supplier": len(unknown),
        "total_families": len(families),
    }


def inventory(figures: Figures) -> JsonObject:
    """What is in stock, what runs low first."""
    families = figures.families()
    entries = [_stock(family) for family in sorted(families, key=lambda family: not is_low(family))]
    return {
        "families": [*entries],
        "total_families": len(families),
        "total_strips": sum(family.strips for family in families),
        "total_stock_mm": _stock_mm(families),
        "total_volume_cm3": math.fsum(_volume_cm3(family) for family in families),
        "low_stock": [family.id for family in families if is_low(family)],
    }


def is_low(family: FamilyFact) -> bool:
    """Whether less is in stock than the family is to have."""
    return family.min_stock_mm is not None and family.stock_mm < family.min_stock_mm


def _stock(family: FamilyFact) -> JsonObject:
    return {
        "id": family.id,
        "name": family.name,
        "material_type": family.material,
        "lane": family.lane,
        "strips": family.strips,
        "stock_mm": family.stock_mm,
        "min_stock_mm": family.min_stock_mm,
        "is_low": is_low(family),
        "volume_cm3": _volume_cm3(family),
    }


def _volume_cm3(family: FamilyFact) -> float:
    return family.strip_width_mm * family.strip_thickness_mm * family.stock_mm / MM3_PER_CM3


def _stock_mm(families: Iterable[FamilyFact]) -> float:
    return math.fsum(family.stock_mm for family in families)


def _by_material(families: Iterable[FamilyFact]) -> dict[str, list[FamilyFact]]:
    """Families by the name of their material, in its order."""
    groups = _grouped(families, lambda family: family.material.casefold())
    return {min(member.material for member in groups[folded]): groups[folded] for folded in sorted(groups)}


def _grouped(families: Iterable[FamilyFact], key: Callable[[FamilyFact], K]) -> dict[K, list[FamilyFact]]:
    groups: dict[K, list[FamilyFact]] = {}
    for family in families:
        groups.setdefault(key(family), []).append(family)
    return groups


def _material_of(families: Iterable[FamilyFact]) -> Callable[[Tally], str | None]:
    """Gives the material of a tally by strip family; None for jobs without one."""
    names = material_names(families)
    return lambda tally: None if tally.value is None else names.get(tally.value)


def material_names(families: Iterable[FamilyFact]) -> dict[str, str]:
    """The name of the material by the id of the family."""
    return {member.id: material for material, members in _by_material(families).items() for member in members}
