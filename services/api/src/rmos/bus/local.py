"""The bus of a single process: a list of callbacks."""

from __future__ import annotations

from collections.abc import Callable


class LocalBus:
    """Wakes the readers of this process, at once and in the caller's turn of the loop."""

    def __init__(self) -> None:
        self._readers: list[Callable[[], None]] = []

    def wake(self) -> None:
        """Call every reader."""
        for on_wake in tuple(self._readers):
            on_wake()

    def subscribe(self, on_wake: Callable[[], None]) -> Callable[[], None]:
        """Add a reader; the returned function removes it again."""
        self._readers.append(on_wake)
        return lambda: self._readers.remove(on_wake)
