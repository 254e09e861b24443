"""Replay: how fast one client gets the past from the log, however long that is.

One client subscribes with a start before everything; time runs from its connection to its last event. The log is read
from the database in pages, and each page is encoded and framed anew.
"""

from __future__ import annotations

from typing import Final

from benchmarks.bench import ALL_OF_THE_PAST, Bench, fill_log
from benchmarks.figures import Result, Rounds
from benchmarks.processes import ChildError

_UNITS: Final = {"replay": "events/s", "replay.cpu": "CPU us/event"}


def run(bench: Bench) -> list[Result]:
    """Fill a log once, and read it through once a round."""
    rounds = Rounds()
    with rounds.attempt(*_UNITS), bench.server("shop-log") as (server, port):
        events = fill_log(server, bench.plan.replay_events)
        for _ in range(bench.plan.rounds):
            cpu_s = server.cpu_s()
            with bench.receiver(port, 1, ("--spin", "--subscribe", ALL_OF_THE_PAST)) as receiver:
                taken = receiver.take(events)
            if taken.events != events or taken.disorder or taken.closed:
                raise ChildError(f"{events} events were expected, but the receiver says {taken}")
            rounds.add("replay", taken.events / taken.wall_s)
            rounds.add("replay.cpu", (server.cpu_s() - cpu_s) / taken.events * 1e6)
    return rounds.results(_UNITS)
