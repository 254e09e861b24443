"""How likely a job is to fail, from the jobs before it.

Beta-binomial estimates, from the general to the particular: all jobs, then those of the type, of the type and
material, of the type, material and tool band. At each step the estimate before it counts as `STRENGTH` jobs, so a group
with few jobs stays near the larger one it is part of (shrinkage), and one with many speaks for itself:

    estimate = (STRENGTH · before + failed) / (STRENGTH + n)

Source: Gelman et al., *Bayesian Data Analysis*, 3rd ed., §2.4 (beta-binomial) and §5.3 (partial pooling); Brier,
*Monthly Weather Review* 78 (1950) for the score. The steps use nested groups one after the other, which is simpler than
a full hierarchical model; `quality` says what that is worth on the jobs of this shop.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, TypeAlias

from rmos.analytics.special import beta_quantile

PRIOR_SHARE: Final = 0.1
"""Failures expected of a shop of which nothing is known."""
STRENGTH: Final = 10.0
"""Jobs that an expectation counts for."""
INTERVAL: Final = 0.9
LOW_RISK: Final = 0.33
HIGH_RISK: Final = 0.66
CALIBRATION_BINS: Final = 10

Group: TypeAlias = "tuple[str | None, str | None, str | None]"
"""Job type, material and tool band that its jobs share; None where they may differ."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of a job before it runs; None is unknown. `tool` is the name of a tool band."""

    job_type: str | None
    material: str | None = None
    tool: str | None = None

    def path(self) -> list[tuple[str, Group]]:
        """Name and key of the groups to look at, from the general to the particular; what is unknown is passed over."""
        path: list[tuple[str, Group | None]] = [
            ("all jobs", (None, None, None)),
            ("job type", (self.job_type, None, None) if self.job_type is not None else None),
            ("material", (self.job_type, self.material, None) if self.material is not None else None),
            ("tool", (self.job_type, self.material, self.tool) if self.tool is not None else None),
        ]
        return [(level, group) for level, group in path if group is not None]

    def groups(self) -> set[Group]:
        """Every group that the job is part of."""
        either = ((part, None) for part in (self.job_type, self.material, self.tool))
        return {(job_type, material, tool) for job_type, material, tool in product(*either)}


@dataclass(frozen=True, slots=True)
class Step:
    """One group on the way: its jobs, how many failed, and the estimate after it."""

    level: str
    n: int
    failed: int
    estimate: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The share of such jobs that fail.

    Attributes:
        interval: Where that share is with 90 % probability, given the model.
        n: Jobs of the most particular group that has any; 0 when there are none at all.
        basis: That group, or `prior`.
    """

    risk: float
    interval: tuple[float, float]
    n: int
    basis: str
    steps: tuple[Step, ...]


class FailureModel:
    """What the past says, learned job by job."""

    def __init__(self) -> None:
        self._counts: dict[Group, tuple[int, int]] = {}
        """Jobs and failures by group."""

    def learn(self, case: Case, *, jobs: int, failed: int) -> None:
        """Add jobs that have ended."""
        for group in case.groups():
            n, failures = self._counts.get(group, (0, 0))
            self._counts[group] = n + jobs, failures + failed

    def risk(self, case: Case) -> float:
        """The estimate alone."""
        return self._steps(case)[-1].estimate

    def predict(self, case: Case) -> Prediction:
        """The estimate with its interval and what it rests on."""
        steps = self._steps(case)
        last, before = steps[-1], steps[-2].estimate if len(steps) > 1 else PRIOR_SHARE
        a = STRENGTH * before + last.failed
        b = STRENGTH * (1 - before) + last.n - last.failed
        tail = (1 - INTERVAL) / 2
        known = [step for step in steps if step.n]
        return Prediction(
            risk=last.estimate,
            interval=(beta_quantile(tail, a, b), beta_quantile(1 - tail, a, b)),
            n=known[-1].n if known else 0,
            basis=known[-1].level if known else "prior",
            steps=tuple(steps),
        )

    def _steps(self, case: Case) -> list[Step]:
        estimate, steps = PRIOR_SHARE, []
        for level, group in case.path():
            n, failed = self._counts.get(group, (0, 0))
            estimate = (STRENGTH * estimate + failed) / (STRENGTH + n)
            steps.append(Step(level, n, failed, estimate))
        return steps


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions from `low` up to `high`: how many, what they said on average, and what came."""

    low: float
    high: float
    n: int
    predicted: float | None
    observed: float | None


@dataclass(frozen=True, slots=True)
class Quality:
    """How good predictions were that knew only the past.

    Attributes:
        n: Jobs that were predicted.
        brier: Mean of (prediction − outcome)²; 0 is perfect.
        reference: The Brier score of predicting the share of all jobs so far, whatever the job.
        skill: 1 − brier / reference: 0 says that type, material and tool told nothing.
    """

    n: int
    brier: float | None
    reference: float | None
    skill: float | None
    calibration: tuple[Bin, ...]


def quality(outcomes: Sequence[tuple[Case, bool]], *, learned: int) -> Quality:
    """Predict each job from those before it, as it would have been.

    Args:
        outcomes: Ended jobs, oldest first, and whether they failed.
        learned: The first so many are only learned from.
    """
    model, pairs, reference = FailureModel(), list[tuple[float, bool]](), list[float]()
    overall = Case(None)
    for number, (case, failed) in enumerate(outcomes):
        if number >= learned:
            pairs.append((model.risk(case), failed))
            reference.append((model.risk(overall) - failed) ** 2)
        model.learn(case, jobs=1, failed=int(failed))
    if not pairs:
        return Quality(0, None, None, None, _calibration(()))
    brier = math.fsum((risk - failed) ** 2 for risk, failed in pairs) / len(pairs)
    by_share = math.fsum(reference) / len(reference)
    return Quality(len(pairs), brier, by_share, 1 - brier / by_share if by_share else None, _calibration(pairs))


def _calibration(pairs: Iterable[tuple[float, bool]]) -> tuple[Bin, ...]:
    members: list[list[tuple[float, bool]]] = [[] for _ in range(CALIBRATION_BINS)]
    for risk, failed in pairs:
        members[min(int(risk * CALIBRATION_BINS), CALIBRATION_BINS - 1)].append((risk, failed))
    return tuple(
        Bin(
            low=number / CALIBRATION_BINS,
            high=(number + 1) / CALIBRATION_BINS,
            n=len(found),
            predicted=math.fsum(risk for risk, _ in found) / len(found) if found else None,
            observed=sum(failed for _, failed in found) / len(found) if found else None,
        )
        for number, found in enumerate(members)
    )


def band_of(risk: float) -> str:
    """`low`, `medium` or `high`."""
    if risk < LOW_RISK:
        return "low"
    return "medium" if risk < HIGH_RISK else "high"
