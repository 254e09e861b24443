"""Messages that no honest client would send: a clear answer to each, no fault of the server, nobody else notices."""

from __future__ import annotations

from soak import fuzz
from soak.servers import Place


async def test_hostile_messages_get_clear_answers_and_break_nothing(place: Place) -> None:
    seen = await fuzz.run(place, messages=800, seed=4)

    assert seen.faults == []
    assert seen.crashes == 0
    assert seen.found == []
    assert seen.answers[1000] > 10, "connections that lived until they were closed on purpose"
    assert {400, 422} <= seen.answers.keys()
