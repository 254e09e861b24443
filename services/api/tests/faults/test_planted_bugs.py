"""A checker that never failed proves nothing: each planted bug must be found, and by the right invariant."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from soak.checker import Evidence, Violation, violations
from soak.crash import Ordeal
from soak.listener import Listener, hang_up
from soak.load import post_patterns
from soak.servers import Place
from tests.faults.conftest import Open
from tests.faults.listening import listening


def invariants(found: Sequence[Violation]) -> set[str]:
    return {violation.invariant for violation in found}


async def died_of(place: Place, plant: str) -> list[Violation]:
    """What is found after a server with this bug died of it."""
    ordeal = await Ordeal.on(place, writers=4, listeners=5)
    server = await place.serve(prepare=[f"tests.faults.plants:{plant}", 9])
    await ordeal.die_by_itself(server)
    found = await ordeal.settle(await place.serve())
    await hang_up(ordeal.listeners)
    return found


async def test_an_answer_before_the_commit_is_found(guarded_place: Place) -> None:
    found = await died_of(guarded_place, "answer_before_commit")

    assert "I1" in invariants(found)


async def test_an_event_outside_of_the_transaction_is_found(guarded_place: Place) -> None:
    found = await died_of(guarded_place, "event_outside_the_transaction")

    assert invariants(found) & {"I1", "I2"}


async def test_an_offset_outside_of_the_transaction_is_found(guarded_place: Place) -> None:
    ordeal = await Ordeal.on(guarded_place, writers=4, listeners=5)
    server = await guarded_place.serve(prepare=["tests.faults.plants:offset_outside_the_transaction", 9])
    ordeal.patience_s = 2.0  # nobody can go on behind the hole
    await ordeal.live_through(server, 40)
    found = await ordeal.settle(server)
    await hang_up(ordeal.listeners)

    assert "I4" in invariants(found)


async def test_rights_that_are_not_asked_for_are_found(guarded_place: Place) -> None:
    ordeal = await Ordeal.on(guarded_place, writers=4, listeners=5)
    server = await guarded_place.serve(prepare=["tests.faults.plants:limits_are_forgotten"])

    await ordeal.live_through(server, 40)
    found = await ordeal.settle(server)
    await hang_up(ordeal.listeners)

    assert invariants(found) == {"I8"}


async def test_a_reader_of_the_log_that_skips_is_found(place: Place, listeners: list[Listener]) -> None:
    server = await place.serve(prepare=["tests.faults.plants:tailer_skips_a_gap"])
    (listener,) = await listening(server, listeners)

    head = await post_patterns(server, 100)
    await asyncio.wait_for(listener.reach(head - 10), 20)

    assert "I5" in invariants(violations(Evidence(place.database, listeners=[listener.heard])))


@pytest.mark.parametrize("plant", ["resume_off_by_one", "resume_one_too_early"])
async def test_a_resume_at_the_wrong_place_is_found(place: Place, listeners: list[Listener], plant: str) -> None:
    server = await place.serve(prepare=[f"tests.faults.plants:{plant}"])
    (listener,) = await listening(server, listeners)
    head = await post_patterns(server, 5)
    await asyncio.wait_for(listener.reach(head), 20)

    listener.cut()
    await listener.gone()
    head = await post_patterns(server, 5)
    await listener.connect(server.port)
    await asyncio.wait_for(listener.reach(head), 20)

    assert "I5" in invariants(violations(Evidence(place.database, listeners=[listener.heard])))


async def test_a_drop_on_a_full_socket_is_found(open_place: Open, listeners: list[Listener]) -> None:
    place = await open_place()
    server = await place.serve(prepare=["tests.faults.plants:drop_on_a_full_socket"])
    (listener,) = await listening(server, listeners)
    assert listener.transport is not None

    listener.transport.pause_reading()
    await post_patterns(server, 2000, size_bytes=4000)
    listener.transport.resume_reading()
    head = await post_patterns(server, 1)
    await asyncio.wait_for(listener.reach(head), 20)

    assert "I5" in invariants(violations(Evidence(place.database, listeners=[listener.heard])))
