"""Which events a subscriber wants. One `EventFilter` value is shared by all who asked for the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from rmos.domain.events import Category, event_type
from rmos.errors import InvalidError

ALL: Final = "all"
FILTER_NAMES: Final = (*[c.value for c in Category], ALL)
BIT: Final = {category.value: 1 << i for i, category in enumerate(Category)}
EVERYTHING: Final = (1 << len(Category)) - 1
MAX_CHANNELS: Final = 100
MAX_CHANNEL_LENGTH: Final = 200
MAX_TYPES: Final = 100


@lru_cache(maxsize=1024)
def bit_of(type_: str) -> int:
    """The bit of the category of this type. Asked for every event, and there are few types."""
    return BIT[type_.partition(":")[0]]


@dataclass(frozen=True, slots=True)
class EventFilter:
    """An event matches when its category, its type and its channels are all wanted, and its channels are allowed.

    Attributes:
        mask: One bit a category, see `BIT`.
        channels: Exact names (`machine:cnc1`) or patterns of a whole namespace (`machine:*`); None asks for no channel.
        types: Exact types (`job:completed`); None asks for every one. One of a category outside `mask` never matches.
        allowed: Channels, as above, that the one who asks may hear; None allows everything, heard on a channel or not.
    """

    mask: int
    channels: frozenset[str] | None = None
    types: frozenset[str] | None = None
    allowed: frozenset[str] | None = None

    def matches(self, type_: str, channels: Iterable[str]) -> bool:
        """Whether an event of this type, heard on these channels, is wanted and allowed."""
        if not bit_of(type_) & self.mask:
            return False
        if self.types is not None and type_ not in self.types:
            return False
        return _is_heard(channels, self.channels) and _is_heard(channels, self.allowed)

    def narrowed(self, allowed: frozenset[str] | None) -> EventFilter:
        """The same filter for somebody who may hear these channels only; an earlier limit is replaced."""
        return self if allowed == self.allowed else replace(self, allowed=allowed)

    @property
    def is_plain(self) -> bool:
        """Whether the category alone decides."""
        return self.channels is None and self.types is None and self.allowed is None

    @property
    def is_by_channel(self) -> bool:
        """Whether an event that is heard on no channel can never match."""
        return self.channels is not None or self.allowed is not None

    @property
    def reach(self) -> int:
        """The part of `mask` in which something can match."""
        if self.types is None:
            return self.mask
        return self.mask & sum({bit_of(type_) for type_ in self.types})

    @property
    def names(self) -> list[str]:
        """The filter names in their published order; `["all"]` when nothing is left out."""
        if self.mask == EVERYTHING:
            return [ALL]
        return [name for name, bit in BIT.items() if bit & self.mask]


def _is_heard(channels: Iterable[str], asked: frozenset[str] | None) -> bool:
    return asked is None or any(c in asked or f"{c.partition(':')[0]}:*" in asked for c in channels)


def parse_filter(
    names: Sequence[str], channels: Sequence[str] | None = None, types: Sequence[str] | None = None
) -> EventFilter:
    """The filter of these names.

    Raises:
        InvalidError: an unknown name, a malformed channel or type, more than `MAX_CHANNELS` channels or `MAX_TYPES`
            types. The pointer of the fault is `/filters`, `/channels` or `/types`.
    """
    for name in names:
        if name not in FILTER_NAMES:
            raise InvalidError.at("/filters", f"unknown filter {name!r}; expected one of {', '.join(FILTER_NAMES)}")
    mask = EVERYTHING if ALL in names else sum({BIT[name] for name in names})
    return EventFilter(
        mask,
        None if channels is None else _checked_channels(channels),
        None if types is None else _checked_types(types),
    )


def _checked_channels(channels: Sequence[str]) -> frozenset[str]:
    if len(channels) > MAX_CHANNELS:
        raise InvalidError.at("/channels", f"{len(channels)} channels; at most {MAX_CHANNELS} are accepted")
    for channel in channels:
        namespace, colon, rest = channel.partition(":")
        if not (namespace and colon and rest) or len(channel) > MAX_CHANNEL_LENGTH:
            raise InvalidError.at("/channels", f"bad channel {channel!r}; expected <namespace>:<name> or <namespace>:*")
    return frozenset(channels)


def _checked_types(types: Sequence[str]) -> frozenset[str]:
    if len(types) > MAX_TYPES:
        raise InvalidError.at("/types", f"{len(types)} types; at most {MAX_TYPES} are accepted")
    for type_ in types:
        category, _, name = type_.partition(":")
        try:
            event_type(Category(category), name)
        except (ValueError, InvalidError):
            raise InvalidError.at(
                "/types",
                f"bad event type {type_[:80]!r}; expected <category>:<name> such as job:completed, "
                f"where the category is one of {', '.join(Category)}",
            ) from None
    return frozenset(types)
