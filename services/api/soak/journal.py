"""What clients write down: each write with what became of it, and each listening with all that was heard.

A write carries one unique text, its *mark*: as idempotency key, and in the entity itself, so that its event can be told
in the log also when nobody was answered.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

MARK_FIELD: Final[Mapping[str, str]] = {"pattern": "name", "job": "note", "material": "name"}
"""Where an entity of a category carries the mark of its newest write."""


class Outcome(StrEnum):
    """What a client knows of its write."""

    ACKED = "acked"
    REFUSED = "refused"
    """Before the commit: it must never have happened."""
    UNKNOWN = "unknown"
    """No answer came: it may have happened, once."""


@dataclass(slots=True)
class Write:
    """One write. `key` and `version` are those of the entity after it; None while nobody was told them."""

    mark: str
    outcome: Outcome = Outcome.UNKNOWN
    key: str | None = None
    version: int | None = None


class Journal:
    """The writes of all writers of a run.

    Attributes:
        surprises: Answers that no write of theirs should get, a sentence each.
    """

    def __init__(self) -> None:
        self.surprises: list[str] = []
        self.writes: dict[str, Write] = {}
        self.acked = 0
        self._wanted = 0
        self._reached = asyncio.Event()

    def begin(self, mark: str) -> Write:
        """Note a write before it is sent; the same one when it is sent again."""
        return self.writes.setdefault(mark, Write(mark))

    def ack(self, write: Write, key: str, version: int) -> None:
        """It was answered with success."""
        write.outcome, write.key, write.version = Outcome.ACKED, key, version
        self.acked += 1
        if self.acked >= self._wanted:
            self._reached.set()

    async def more(self, number: int, *, timeout_s: float = 60.0) -> None:
        """Wait for so many more acknowledged writes."""
        self._wanted = self.acked + number
        self._reached.clear()
        async with asyncio.timeout(timeout_s):
            await self._reached.wait()


def mark_of(event_type: str, key: str, data: Mapping[str, Any]) -> str:  # Any: the fields of an entity
    """The mark of the write that an event tells of. A deletion cannot carry one, and can happen once."""
    category, _, name = event_type.partition(":")
    return f"delete {key}" if name == "deleted" else str(data.get(MARK_FIELD[category]))


@dataclass(slots=True)
class Stretch:
    """What a client heard without being told of a loss.

    Attributes:
        after: Offset at which it began: everything wanted behind it must come.
        upto: Everything wanted up to here has come, as far as the client was told.
        because: What the client was told of the loss before it; empty in a first stretch.
        offsets: Of the events, in the order of arrival.
        sums: A checksum of each frame's bytes, in the same order.
    """

    epoch: str
    after: int
    upto: int
    because: str = ""
    offsets: array[int] = field(default_factory=lambda: array("q"))
    sums: array[int] = field(default_factory=lambda: array("Q"))


@dataclass(slots=True)
class Heard:
    """The journal of one listener.

    Attributes:
        filters: Categories it asked for; `("all",)` for every one.
        channels: What it narrowed them to; None does not narrow.
        allowed: The channels that its rights are limited to; None for no limit.
        state: Key to the newest data that it knows, built from events alone; None when it does not build one.
        broken: What no server may do, a sentence each.
    """

    name: str
    filters: tuple[str, ...] = ("all",)
    channels: tuple[str, ...] | None = None
    allowed: tuple[str, ...] | None = None
    stretches: list[Stretch] = field(default_factory=list)
    state: dict[str, Any] | None = None  # Any: the fields of an entity
    broken: list[str] = field(default_factory=list)

    @property
    def cursor(self) -> str | None:
        """Where it would go on; None before it has heard anything."""
        return f"{self.stretches[-1].epoch}:{self.stretches[-1].upto}" if self.stretches else None

    @property
    def events(self) -> int:
        """How many it has heard."""
        return sum(len(stretch.offsets) for stretch in self.stretches)

    def wants(self, category: str, channels: tuple[str, ...]) -> bool:
        """Whether an event is one it must hear."""
        if self.filters != ("all",) and category not in self.filters:
            return False
        return all(
            patterns is None or any(c in patterns or f"{c.partition(':')[0]}:*" in patterns for c in channels)
            for patterns in (self.channels, self.allowed)
        )

    def to_json(self) -> dict[str, Any]:  # Any: JSON
        """For another process."""
        stretches = [(s.epoch, s.after, s.upto, s.because, list(s.offsets), list(s.sums)) for s in self.stretches]
        return {"name": self.name, "filters": self.filters, "stretches": stretches, "broken": self.broken}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Heard:  # Any: as above
        """What `to_json` gave."""
        stretches = [
            Stretch(epoch, after, upto, because, array("q", offsets), array("Q", sums))
            for epoch, after, upto, because, offsets, sums in value["stretches"]
        ]
        return cls(value["name"], tuple(value["filters"]), stretches=stretches, broken=value["broken"])
