"""Autobahn's cases against the server's own connection, and whether they would notice a connection that is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from rmos.protocol import frames
from soak.autobahn.cases import quick_cases
from soak.autobahn.echo import EchoConnection, echo_server
from soak.autobahn.engine import Result, Verdict, run, run_all
from soak.autobahn.limits import limits

AT_ONCE = 16


async def results_of(numbers: Collection[str] = ()) -> list[Result]:
    """What the cases with these numbers come to, or all the quick ones."""
    cases = [case for case in quick_cases() if not numbers or case.number in numbers]
    async with echo_server() as port:
        return await run_all(cases, port, at_once=AT_ONCE)


def numbers_of(results: list[Result], verdict: Verdict) -> list[str]:
    return [result.case.number for result in results if result.verdict is verdict]


def test_every_case_of_autobahn_but_those_of_compression_is_there_once():
    numbers = [case.number for case in (*quick_cases(), *limits())]

    assert len(numbers) == len(set(numbers))
    assert Counter(number.partition(".")[0] for number in numbers) == {
        "1": 16, "2": 11, "3": 7, "4": 10, "5": 20, "6": 145, "7": 37, "9": 54, "10": 1,
    }  # fmt: skip


async def test_quick_cases_pass_also_where_autobahn_would_be_content_with_less():
    results = await results_of()

    assert [str(result) for result in results if result.verdict is Verdict.FAILED] == []
    assert numbers_of(results, Verdict.NON_STRICT) == []
    assert numbers_of(results, Verdict.INFORMATIONAL) == ["7.1.6", "7.13.1", "7.13.2"]


def echo_twice(connection: EchoConnection, event: frames.FrameEvent) -> None:
    original_handle(connection, event)
    if isinstance(event, frames.TextMessage):
        original_handle(connection, event)


original_handle = EchoConnection._handle

WRONG: dict[str, tuple[object, str, Any, set[str]]] = {
    "takes text that is not UTF-8": (frames, "_text", lambda octets: octets.decode(errors="replace"), {"6.3.1"}),
    "takes reserved bits": (frames, "_RESERVED", 0, {"3.1", "3.2", "3.5", "3.6"}),
    "takes a long ping": (frames, "_MAX_CONTROL_BYTES", 126, {"2.5"}),
    "takes 1005 and does not know 1001": (frames, "_STANDARD_CLOSE_CODES", {1000, 1002, 1005}, {"7.9.4", "7.7.2"}),
    "echoes twice": (EchoConnection, "_handle", echo_twice, {"1.1.1", "5.3"}),
}
"""Where each fault is planted, what takes the place of what, and cases that must notice it."""


@pytest.mark.parametrize(("place", "name", "value", "red"), WRONG.values(), ids=WRONG)
async def test_wrong_echo_fails_the_cases_that_are_about_it(
    place: object, name: str, value: Any, red: set[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(place, name, value)

    results = await results_of({*red, "1.2.1"})

    assert set(numbers_of(results, Verdict.FAILED)) == red
    assert numbers_of(results, Verdict.OK) == ["1.2.1"]


async def test_large_message_passes_only_where_the_limits_are_raised():
    case = next(case for case in limits() if case.number == "9.1.2")

    async with echo_server() as port:
        raised = await run(case, port)
        own = await run(replace(case, is_large=False), port)

    assert raised.verdict is Verdict.OK, raised
    assert own.verdict is Verdict.FAILED
    assert "nothing" in own.reason
