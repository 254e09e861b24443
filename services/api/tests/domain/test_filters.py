"""Filters: what a narrowed one lets through, and that its short cuts agree with the rule itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmos.domain.events import Event
from rmos.domain.filters import BIT, EVERYTHING, MAX_TYPES, EventFilter, parse_filter
from rmos.errors import InvalidError
from rmos.hub.ring import join_matching, make_entry
from rmos.protocol.forms import TEXT_FRAMES

CHANNELS = st.sampled_from(["project:p7", "project:p8", "machine:cnc1", "machine:cnc2"])
PATTERNS = CHANNELS | st.sampled_from(["project:*", "machine:*", "other:*"])
TYPES = st.sampled_from(["job:created", "job:updated", "pattern:created", "material:updated", "metrics:anomaly"])
FILTERS = st.builds(
    EventFilter,
    st.integers(0, EVERYTHING),
    st.none() | st.frozensets(PATTERNS, max_size=3),
    st.none() | st.frozensets(TYPES, max_size=3),
    st.none() | st.frozensets(PATTERNS, max_size=3),
)
EVENTS = st.builds(
    Event,
    type=TYPES,
    data=st.just(b"{}"),
    timestamp=st.just("2026-11-24T10:00:00.000Z"),
    channels=st.lists(CHANNELS, max_size=2).map(tuple),
    offset=st.integers(1, 9),
)


def matches_by_the_rule(wanted: EventFilter, event: Event) -> bool:
    """The sentence of the class, word by word."""

    def is_heard(asked: frozenset[str] | None) -> bool:
        if asked is None:
            return True
        return any(a == c or (a.endswith(":*") and c.startswith(a[:-1])) for a in asked for c in event.channels)

    return (
        bool(wanted.mask & BIT[event.category])
        and (wanted.types is None or event.type in wanted.types)
        and is_heard(wanted.channels)
        and is_heard(wanted.allowed)
    )


@given(FILTERS, EVENTS)
def test_an_event_matches_by_category_type_channels_and_what_is_allowed(wanted: EventFilter, event: Event) -> None:
    assert wanted.matches(event.type, event.channels) is matches_by_the_rule(wanted, event)
    if wanted.matches(event.type, event.channels):
        assert BIT[event.category] & wanted.reach
        assert event.channels or not wanted.is_by_channel


@given(FILTERS, st.lists(EVENTS, max_size=6))
def test_a_joined_block_holds_exactly_what_matches(wanted: EventFilter, events: list[Event]) -> None:
    entries = [make_entry(event, "e") for event in events]

    matching = [entry.frame for entry, event in zip(entries, events, strict=True) if matches_by_the_rule(wanted, event)]

    assert join_matching(entries, wanted, TEXT_FRAMES) == b"".join(matching)


def test_narrowing_lets_through_only_what_may_be_heard() -> None:
    wanted = parse_filter(["job"], ["project:p7"])

    narrowed = wanted.narrowed(frozenset({"machine:*"}))

    assert narrowed.matches("job:updated", ["project:p7", "machine:cnc1"])
    assert not narrowed.matches("job:updated", ["project:p7"])
    assert not narrowed.matches("job:updated", ["machine:cnc1"])
    assert (narrowed.names, narrowed.channels) == (wanted.names, wanted.channels), "what was asked for stays readable"


def test_who_may_hear_named_channels_does_not_hear_what_has_none() -> None:
    assert not parse_filter(["all"]).narrowed(frozenset({"machine:*"})).matches("pattern:created", [])


def test_a_new_limit_replaces_the_old_one_and_none_lifts_it() -> None:
    wanted = parse_filter(["all"])

    narrowed = wanted.narrowed(frozenset({"project:p7"})).narrowed(frozenset({"project:p8"}))

    assert narrowed == wanted.narrowed(frozenset({"project:p8"}))
    assert narrowed.narrowed(None) == wanted


def test_types_are_limited_in_number() -> None:
    parse_filter(["all"], None, ["job:a"] * MAX_TYPES)

    with pytest.raises(InvalidError, match="at most 100"):
        parse_filter(["all"], None, ["job:a"] * (MAX_TYPES + 1))
