"""Bugs, one for each promise, planted in a server's process before it starts. The suite must find every one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from typing import Any

from rmos.domain.filters import EventFilter
from rmos.hub.fan_out import FanOut
from rmos.hub.subscriber import Subscriber
from rmos.hub.tailer import Tailer
from rmos.stores.batch import Changes
from rmos.stores.sqlite import rows, writer
from rmos.stores.sqlite.writer import Writer


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def answer_before_commit(times: int) -> None:
    """Callers are told before COMMIT, and the n-th COMMIT never comes."""
    work_through, groups = Writer._work_through, count(1)

    def work_through_and_tell(self: Writer, group: list[Any]) -> Changes:
        changes = work_through(self, group)
        if changes:
            self._answer(group, committed=False)
            self._unanswered += len(group)  # it is answered once more
            if next(groups) == times:
                time.sleep(0.2)  # the answers leave
                _die()
        return changes

    Writer._work_through = work_through_and_tell  # type: ignore[method-assign]  # that is the bug


def event_outside_the_transaction(times: int) -> None:
    """Events go into a transaction of their own, after that of the change; the n-th one never comes."""
    flush, groups = writer.flush, count(1)

    def flush_apart(connection: Any, changes: Changes) -> None:
        events, changes.events = changes.events, []
        flush(connection, changes)
        connection.execute("COMMIT")
        if next(groups) == times:
            _die()
        connection.execute("BEGIN IMMEDIATE")
        apart = Changes()
        apart.events = events
        flush(connection, apart)

    writer.flush = flush_apart


def offset_outside_the_transaction(times: int) -> None:
    """An offset is taken, as from a sequence, before the transaction that uses it; the n-th one is used by nobody."""
    append, groups = rows._append, count(1)

    def append_apart(connection: Any, new: Any) -> None:
        if next(groups) == times:
            connection.execute("UPDATE log_head SET head = head + 1")
            connection.execute("COMMIT")
            connection.execute("BEGIN IMMEDIATE")
        append(connection, new)

    rows._append = append_apart


def tailer_skips_a_gap() -> None:
    """The reader of the log is content with offsets that only increase: it never sees every tenth event."""
    make = Tailer.__init__

    class Skipping:
        def __init__(self, log: Any) -> None:
            self._log = log

        async def read(self, *place: Any, **limits: Any) -> Any:
            page = await self._log.read(*place, **limits)
            return page[:1] + [event for event in page[1:] if event.offset % 10]

    def make_skipping(self: Tailer, event_log: Any, *arguments: Any, **named: Any) -> None:
        make(self, Skipping(event_log), *arguments, **named)  # type: ignore[arg-type]  # only `read` is used

    Tailer.__init__ = make_skipping  # type: ignore[method-assign]  # that is the bug


def resume_off_by_one() -> None:
    """`since` means the next event but one."""
    start = FanOut.start

    def start_late(self: FanOut, subscriber: Subscriber, after: int | None) -> None:
        start(self, subscriber, None if after is None else min(after + 1, self.ring.sent))

    FanOut.start = start_late  # type: ignore[method-assign]  # that is the bug


def resume_one_too_early() -> None:
    """`since` means that event once more."""
    start = FanOut.start

    def start_early(self: FanOut, subscriber: Subscriber, after: int | None) -> None:
        start(self, subscriber, None if after is None else max(after - 1, 0))

    FanOut.start = start_early  # type: ignore[method-assign]  # that is the bug


def drop_on_a_full_socket() -> None:
    """Who takes too little goes on at the head, and is not told."""
    resumed = FanOut.resumed

    def resume_at_the_head(self: FanOut, subscriber: Subscriber) -> None:
        if not subscriber.is_caught_up:
            subscriber.cursor = self.ring.sent
        resumed(self, subscriber)

    FanOut.resumed = resume_at_the_head  # type: ignore[method-assign]  # that is the bug


def limits_are_forgotten() -> None:
    """Who is limited to channels hears whatever they ask for."""
    matches = EventFilter.matches

    def matches_anybody(self: EventFilter, type_: str, channels: Iterable[str]) -> bool:
        return matches(replace(self, allowed=None), type_, channels)

    EventFilter.matches = matches_anybody  # type: ignore[method-assign]  # that is the bug
