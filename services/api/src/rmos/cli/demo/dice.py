"""Chance in the demo's shop: one generator, so that a seed decides everything."""

from __future__ import annotations

import random

from rmos.cli.demo.catalogue import MINUTE_S, MISHAPS, Mishap, Operation


class Dice(random.Random):
    """Drawn from in the order of shop time, by whatever happens next."""

    def minutes(self, shortest: float, longest: float) -> float:
        """A length of time in shop seconds; the bounds are minutes."""
        return self.uniform(shortest, longest) * MINUTE_S

    def mishap(self, operation: Operation) -> Mishap | None:
        """What goes wrong this time; None when nothing does."""
        chance = self.random()
        for mishap in MISHAPS:
            if not mishap.job_types or operation.job_type in mishap.job_types:
                chance -= mishap.share
                if chance < 0:
                    return mishap
        return None
