"""Wake-ups between who commits and who reads the log.

Guarantee: none. A wake-up may be lost, doubled, late or out of order; readers also poll.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Bus(Protocol):
    """Carries wake-ups to every subscribed reader."""

    def wake(self) -> None:
        """Tell readers that the log has grown. May be called from the event loop only; never blocks."""
        ...

    def subscribe(self, on_wake: Callable[[], None]) -> Callable[[], None]:
        """Call `on_wake` at each wake-up, on the event loop. Returns the function that ends it."""
        ...
