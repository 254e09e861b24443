"""Questions about patterns."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict
from typing import Final

from rmos.analytics.complexity import CATEGORIES, category_of, complexity_score, ring_density
from rmos.analytics.describe import mean, share, summary
from rmos.analytics.facts import Dimension, PatternFact
from rmos.analytics.tallies import Sums, of_status, sums_by
from rmos.domain.entities import JsonObject, JsonValue
from rmos.domain.jobs import COMPLETED
from rmos.stores.figures import Figures

MAX_NAMED: Final = 100
"""Patterns, families or causes that one list of an answer names; `count` counts all."""


def complexity(figures: Figures) -> JsonObject:
    """Patterns by category, the most complex of each first."""
    scored = [(complexity_score(pattern), pattern) for pattern in figures.patterns()]
    categories: JsonObject = {}
    for category in CATEGORIES:
        members = [(score, pattern) for score, pattern in scored if category_of(score) == category]
        members.sort(key=lambda member: -member[0])
        categories[category.name] = {
            "count": len(members),
            "percentage": share(len(members), len(scored)),
            "patterns": [{"id": p.id, "name": p.name, "score": score} for score, p in members[:MAX_NAMED]],
            "score_range": [category.above, category.up_to],
        }
    return {
        "categories": categories,
        "distribution": categories,
        "total_patterns": len(scored),
        "avg_complexity": mean(math.fsum(score for score, _ in scored), len(scored)),
    }


def rings(figures: Figures) -> JsonObject:
    """How many rings patterns have."""
    counts = [pattern.ring_count for pattern in figures.patterns()]
    found = summary(counts)
    distribution = Counter(counts)
    return {
        **asdict(found),
        "min_rings": found.min,
        "max_rings": found.max,
        "avg_rings": found.avg,
        "distribution": {str(count): distribution[count] for count in sorted(distribution)},
        "most_common": max(sorted(distribution), key=distribution.__getitem__, default=None),
    }


def geometry(figures: Figures) -> JsonObject:
    """Radii, segments and density of all rings that tell them."""
    every = [ring for pattern in figures.patterns() for ring in pattern.rings]
    radius = asdict(summary([ring.radius_mm for ring in every if ring.radius_mm is not None]))
    densities = [density for ring in every if (density := ring_density(ring)) is not None]
    return {
        "total_rings": len(every),
        "radius": radius,
        "radius_mm": radius,
        "segments": asdict(summary([ring.segments for ring in every if ring.segments is not None])),
        "ring_density": asdict(summary(densities)),
    }


def families(figures: Figures) -> JsonObject:
    """Which strip families patterns are made of, the most used first."""
    patterns = figures.patterns()
    used = Counter(pattern.family_id for pattern in patterns if pattern.family_id is not None)
    usage: list[JsonValue] = [
        {
            "id": family.id,
            "name": family.name,
            "material_type": family.material,
            "pattern_count": used[family.id],
            "percentage": share(used[family.id], len(patterns)),
        }
        for family in sorted(figures.families(), key=lambda family: -used[family.id])
    ]
    return {
        "usage": usage[:MAX_NAMED],
        "families": usage[:MAX_NAMED],
        "most_popular": usage[0] if used else None,
        "total_families": len(usage),
        "unassigned_patterns": len(patterns) - used.total(),
    }


def popularity(figures: Figures, *, limit: int) -> JsonObject:
    """The patterns with the most jobs."""
    known = {pattern.id: pattern for pattern in figures.patterns()}
    jobs = sums_by(figures.totals(Dimension.PATTERN), lambda tally: tally.value)
    top = sorted(
        ((sums.jobs, known[pattern_id]) for pattern_id, sums in jobs.items() if pattern_id in known),
        key=lambda entry: (-entry[0], entry[1].name, entry[1].id),
    )
    return {"top_patterns": [_popular(pattern, count) for count, pattern in top[:limit]], "used_patterns": len(top)}


def _popular(pattern: PatternFact, job_count: int) -> JsonObject:
    return {
        "id": pattern.id,
        "name": pattern.name,
        "ring_count": pattern.ring_count,
        "job_count": job_count,
        "complexity_score": complexity_score(pattern),
    }


def details(figures: Figures, pattern: PatternFact) -> JsonObject:
    """What the jobs of one pattern came to."""
    tallies = figures.totals(Dimension.PATTERN, value=pattern.id)
    jobs, completed = Sums.of(tallies), Sums.of(of_status(tallies, COMPLETED))
    avg_s = completed.avg_duration_s
    return {
        "complexity_score": complexity_score(pattern),
        "job_count": jobs.jobs,
        "completed_jobs": jobs.completed,
        "failed_jobs": jobs.failed,
        "success_rate": jobs.success_rate,
        "avg_duration_seconds": avg_s,
        "avg_duration_minutes": None if avg_s is None else avg_s / 60,
    }
