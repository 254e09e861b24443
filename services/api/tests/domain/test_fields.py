"""What clients send, field by field."""

from __future__ import annotations

import math

import pytest

from rmos.domain.entities import JsonValue
from rmos.domain.fields import Field, identifier, integer, number, read_fields, text, timestamp
from rmos.errors import InvalidError

FIELDS = {
    "name": Field(text(), required=True),
    "count": Field(integer(at_least=1, at_most=9)),
    "size": Field(number(at_least=0), nullable=False, default=7),
}


def faults(given: dict[str, JsonValue], *, complete: bool = False) -> dict[str, str]:
    with pytest.raises(InvalidError) as caught:
        read_fields(FIELDS, given, complete=complete)
    return {fault.pointer: fault.detail for fault in caught.value.errors}


def test_a_complete_reading_fills_in_the_defaults():
    assert read_fields(FIELDS, {"name": "x"}, complete=True) == {"name": "x", "count": None, "size": 7}
    assert read_fields(FIELDS, {"count": 3}) == {"count": 3}


def test_every_fault_is_told_at_once():
    told = faults({"count": 0, "size": "big", "colour": 1}, complete=True)

    assert set(told) == {"/count", "/size", "/colour", "/name"}
    assert told["/colour"] == "unknown field; expected one of name, count, size"


def test_null_clears_what_may_be_null_and_nothing_else():
    assert read_fields(FIELDS, {"count": None}) == {"count": None}
    assert faults({"name": None, "size": None}) == {"/name": "must not be null", "/size": "must not be null"}


def test_what_the_server_sets_may_be_sent_back():
    assert read_fields(FIELDS, {"id": "x", "created_at": 0, "updated_at": None, "version": -1}) == {}


def test_the_message_of_many_faults_stays_short():
    with pytest.raises(InvalidError) as caught:
        read_fields(FIELDS, {f"f{i}": 1 for i in range(1000)})

    assert len(caught.value.errors) == 1000
    assert len(caught.value.message) < 1000


@pytest.mark.parametrize("value", ["x", "x" * 200, "Ébène & co.", "💎"])
def test_texts_are_kept_as_they_are(value: str):
    assert text()(value, "/name") == value


@pytest.mark.parametrize("value", ["", "   ", "x" * 201, "a\nb", "a\x00b", "a\x7fb", "a\x85b", 1, True, ["x"], {}])
def test_bad_texts_are_refused(value: JsonValue):
    with pytest.raises(InvalidError):
        text()(value, "/name")


def test_notes_may_have_several_lines():
    assert text(multiline=True)("one\n\ttwo\r\n", "/note") == "one\n\ttwo\r\n"
    with pytest.raises(InvalidError, match="control"):
        text(multiline=True)("a\x1bb", "/note")


@pytest.mark.parametrize("value", [0, 1, 0.5, 1.0])
def test_numbers_are_kept_as_they_are(value: float):
    assert number(at_least=0, at_most=1)(value, "/progress") is value


@pytest.mark.parametrize("value", [-0.001, 1.001, True, "0.5", None, [], math.nan, math.inf])
def test_bad_numbers_are_refused(value: JsonValue):
    with pytest.raises(InvalidError):
        number(at_least=0, at_most=1)(value, "/progress")


@pytest.mark.parametrize("value", [1e300, -1e300])
def test_numbers_whose_sums_would_overflow_are_refused(value: float):
    with pytest.raises(InvalidError):
        number()(value, "/angle")


@pytest.mark.parametrize(("value", "stored"), [(3, 3), (3.0, 3)])
def test_whole_numbers_are_stored_as_integers(value: float, stored: int):
    read = integer(at_least=1, at_most=9)(value, "/count")

    assert read == stored
    assert type(read) is int


@pytest.mark.parametrize("value", [0, 10, 2.5, True, "3"])
def test_bad_whole_numbers_are_refused(value: JsonValue):
    with pytest.raises(InvalidError):
        integer(at_least=1, at_most=9)(value, "/count")


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("2026-11-24T10:00:00.123Z", "2026-11-24T10:00:00.123Z"),
        ("2026-11-24T10:00:00Z", "2026-11-24T10:00:00.000Z"),
        ("2026-11-24t10:00:00z", "2026-11-24T10:00:00.000Z"),
        ("2026-11-24 11:30:00+01:30", "2026-11-24T10:00:00.000Z"),
        ("2026-11-24T05:00:00.1234567-05:00", "2026-11-24T10:00:00.123Z"),
        ("2026-11-24T10:00", "2026-11-24T10:00:00.000Z"),
        ("2026-11-24T10:00:00", "2026-11-24T10:00:00.000Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
    ],
)
def test_times_are_stored_in_one_form(value: str, stored: str):
    assert timestamp(value, "/end_time") == stored


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "2026-11-24",
        "2026-W48-2T10:00:00Z",
        "20261124T100000Z",
        "2026-02-29T00:00:00Z",
        "2026-11-24T25:00:00Z",
        "2026-11-24T10:00:60Z",
        "0001-01-01T00:00:00+14:00",
        "٢٠٢٦-11-24T10:00:00Z",
        "",
        1_700_000_000,
        True,
    ],
)
def test_bad_times_are_refused(value: JsonValue):
    with pytest.raises(InvalidError) as caught:
        timestamp(value, "/end_time")

    assert caught.value.errors[0].pointer == "/end_time"


@pytest.mark.parametrize("value", ["1", "job-123", "A.b_c~d", "x" * 128, "Ω", "a:b,c?d#e%f"])
def test_ids_are_any_printable_text_without_slash_or_space(value: str):
    assert identifier(value, "/id") == value


@pytest.mark.parametrize(
    "value",
    ["", "x" * 129, "a b", "a/b", "a\tb", "a\u00a0b", "\u200b", "\x00", "\ud800", ".", "..", "statistics", 7, None],
)
def test_bad_ids_are_refused(value: JsonValue):
    with pytest.raises(InvalidError) as caught:
        identifier(value, "/id")

    assert caught.value.errors[0].pointer == "/id"
