"""TLS: what fan-out costs over it, beside the same without, with K events pending together for 1,000 subscribers.

    rmos, rmos.tls             the hub on the lean path, fed with ready events (see `fanout`), as `rmos serve` does it
    published, published.tls   a naive `send_json` to each, compression off

`tls.cost` is the server's processor time of a delivery, kernel included; `tls.rate` deliveries per second of time. All
of it is over TLS 1.3 as Python and OpenSSL agree on it by themselves, with a P-256 certificate made for the run, and
handshakes are over before it begins: what they cost is `memory.connect`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final

from benchmarks.bench import ALL, Bench
from benchmarks.certificate import tls_settings
from benchmarks.figures import Result, Rounds
from benchmarks.native import OVER_TLS
from benchmarks.suites.fanout import BATCHES, bottleneck, measure_fan_out


@dataclass(frozen=True, slots=True)
class _Way:
    """One competitor: its name, one of `benchmarks.servers`, and whether it speaks TLS."""

    name: str
    server: str
    is_over_tls: bool = False


_WAYS: Final = (
    _Way("rmos", "shop-ready"),
    _Way("rmos.tls", "shop-ready", is_over_tls=True),
    _Way("published", "published"),
    _Way("published.tls", "published", is_over_tls=True),
)
_UNITS: Final = {"cost": "CPU us/delivery", "rate": "deliveries/s"}


def run(bench: Bench) -> list[Result]:
    """Measure every way, one right after the other, round by round."""
    rounds, busiest = Rounds(), 0.0
    for _ in range(bench.plan.rounds):
        for way in _WAYS:
            with rounds.attempt(*(_name(what, batch, way) for what in _UNITS for batch in BATCHES)):
                busiest = max(busiest, _measure_way(bench, rounds, way))
    units = {_name(what, batch, way): unit for what, unit in _UNITS.items() for batch in BATCHES for way in _WAYS}
    return rounds.results(units, against=_compared, notes=dict.fromkeys(units, bottleneck(busiest)))


def _measure_way(bench: Bench, rounds: Rounds, way: _Way) -> float:
    """Add one round of one competitor; returns the receiver's greatest share of time at work."""
    options = ("--spin", OVER_TLS) if way.is_over_tls else ("--spin",)
    busiest = 0.0
    with (
        _settings(way) as settings,
        bench.server(way.server, settings) as (server, port),
        bench.subscribers(port, bench.plan.subscribers, options=options) as receiver,
    ):
        for batch in BATCHES:
            speed = measure_fan_out(bench, server, receiver, ALL, batch)
            rounds.add(_name("cost", batch, way), 1e6 / speed.per_cpu_s)
            rounds.add(_name("rate", batch, way), speed.per_s)
            busiest = max(busiest, speed.receiver_busy)
    return busiest


def _settings(way: _Way) -> AbstractContextManager[Mapping[str, str]]:
    return tls_settings() if way.is_over_tls else nullcontext({})


def _name(what: str, batch: int, way: _Way) -> str:
    return f"tls.{what}.k{batch}.{way.name}"


def _compared(name: str) -> Mapping[str, str]:
    """What speaks TLS to the same without, and RMOS over TLS to the published way over TLS."""
    if not name.endswith(".tls"):
        return {}
    ratios = {"without": name.removesuffix(".tls")}
    if name.endswith(".rmos.tls"):
        ratios["published.tls"] = name.removesuffix("rmos.tls") + "published.tls"
    return ratios
