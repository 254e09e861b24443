"""On paper: what many clients on many servers would cost, from what one server was measured to.

One delivery costs `write_us` for its share of a write (a write carries what is pending together) and `event_us` for its
bytes. Encoding is once an event and server, and too little to be seen here. Every server follows the same log.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self, TypeAlias

from benchmarks.report import number

_LOAD: Final = 0.5
"""Share of a core that fan-out may use, so that bursts and reconnecting crowds have the rest."""
_CLIENTS: Final = (100_000, 1_000_000)
_RATES: Final = (10, 100, 1000)
_BATCHES: Final = (1, 8, 32)

_Table: TypeAlias = tuple[Sequence[str], Sequence[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Costs:
    """Microseconds of processor time, and KB of memory of a connection."""

    write_us: float
    event_us: float
    connection_kb: float

    @classmethod
    def fitted(cls, delivery_us: Mapping[int, float], connection_kb: float) -> Self:
        """From the cost of one delivery by the number of events pending together (least squares)."""
        fit = statistics.linear_regression([1 / batch for batch in delivery_us], list(delivery_us.values()))
        return cls(fit.slope, max(fit.intercept, 0.0), connection_kb)

    def delivery_us(self, batch: int) -> float:
        """Of one delivery, when so many events are pending together."""
        return self.write_us / batch + self.event_us


def predictions_table(costs: Costs, measured: Sequence[tuple[int, float]], batch: int = 8) -> _Table:
    """What the parts say of other numbers of subscribers, beside what was measured there."""
    rows = []
    for subscribers, event_us in measured:
        expected = subscribers * costs.delivery_us(batch)
        rows.append((f"{subscribers:,}", number(expected), number(event_us), f"{event_us / expected - 1:+.0%}"))
    return ("subscribers", "calculated, CPU µs an event", "measured", "off by"), rows


def nodes_table(costs: Costs) -> _Table:
    """Cores and memory for so many clients who all hear everything."""
    rows = []
    for clients in _CLIENTS:
        for rate in _RATES:
            cells = [f"{clients:,}", f"{rate:,}"]
            for batch in _BATCHES:
                cores = math.ceil(clients * rate * costs.delivery_us(batch) / 1e6 / _LOAD)
                cells.append(f"{cores:,} ({(batch - 1) / rate * 1000:,.0f} ms)")
            rows.append((*cells, f"{clients * costs.connection_kb / 1e6:.2g} GB"))
    heads = (f"{batch} pending" + (" (added delay)" if batch == 1 else "") for batch in _BATCHES)
    return ("clients", "events/s", *heads, "memory"), rows
