"""Which events a subscriber wants. One `EventFilter` value is shared by all who asked for the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rmos.domain.events import Category
from rmos.errors import InvalidError

ALL: Final = "all"
FILTER_NAMES: Final = (*[c.value for c in Category], ALL)
BIT: Final = {category.value: 1 << i for i, category in enumerate(Category)}
EVERYTHING: Final = (1 << len(Category)) - 1
MAX_CHANNELS: Final = 100
MAX_CHANNEL_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class EventFilter:
    """An event matches when its category is in `mask` and (no channels were asked for, or one of its channels matches).

    Attributes:
        mask: One bit a category, see `BIT`.
        channels: Exact names (`machine:cnc1`) or patterns of a whole namespace (`machine:*`); None asks for no channel.
    """

    mask: int
    channels: frozenset[str] | None = None

    def matches(self, category: str, channels: Iterable[str]) -> bool:
        """Whether an event of this category, heard on these channels, is wanted."""
        if not BIT[category] & self.mask:
            return False
        if self.channels is None:
            return True
        return any(c in self.channels or f"{c.partition(':')[0]}:*" in self.channels for c in channels)

    @property
    def names(self) -> list[str]:
        """The filter names in their published order; `["all"]` when nothing is left out."""
        if self.mask == EVERYTHING:
            return [ALL]
        return [name for name, bit in BIT.items() if bit & self.mask]


def parse_filter(names: Sequence[str], channels: Sequence[str] | None = None) -> EventFilter:
    """The filter of these names.

    Raises:
        InvalidError: an unknown name, a malformed channel, or more than `MAX_CHANNELS` channels.
    """
    for name in names:
        if name not in FILTER_NAMES:
            raise InvalidError.at("/filters", f"unknown filter {name!r}; expected one of {', '.join(FILTER_NAMES)}")
    mask = EVERYTHING if ALL in names else sum({BIT[name] for name in names})
    if channels is None:
        return EventFilter(mask)
    if len(channels) > MAX_CHANNELS:
        raise InvalidError.at("/channels", f"{len(channels)} channels; at most {MAX_CHANNELS} are accepted")
    for channel in channels:
        namespace, colon, rest = channel.partition(":")
        if not (namespace and colon and rest) or len(channel) > MAX_CHANNEL_LENGTH:
            raise InvalidError.at("/channels", f"bad channel {channel!r}; expected <namespace>:<name> or <namespace>:*")
    return EventFilter(mask, frozenset(channels))
