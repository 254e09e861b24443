"""The demo's designs: patterns that are made if they are missing, and improved now and then."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rmos.cli.demo.api import RefusedError, ShopApi
from rmos.cli.demo.catalogue import DESIGN_NOTES
from rmos.cli.demo.dice import Dice
from rmos.cli.demo.watcher import Watcher
from rmos.domain.entities import PATTERN


@dataclass(slots=True)
class Drawings:
    """What the shop can make. Used by one task.

    Attributes:
        designs: Fields of the patterns; each has `name` and `geometry`.
    """

    api: ShopApi
    watcher: Watcher
    dice: Dice
    designs: Sequence[Mapping[str, Any]]  # Any: as POST takes them
    _ids: dict[str, str] = field(default_factory=dict)

    async def furnish(self) -> None:
        """Make the patterns that are missing; what is there by its name is used as it is."""
        self._ids = {pattern["name"]: pattern["id"] for pattern in await self.api.find(PATTERN)}
        for design in self.designs:
            if design["name"] not in self._ids:
                pattern = await self.api.create(PATTERN, dict(design))
                self._ids[design["name"]] = pattern["id"]

    def id_of(self, name: str) -> str:
        """The id of its pattern on the server."""
        return self._ids[name]

    async def improve(self) -> AsyncGenerator[float, None]:
        """Improves a design now and then."""
        while True:
            name, note = self.dice.choice(self.designs)["name"], self.dice.choice(DESIGN_NOTES)
            try:
                pattern = await self.api.get(PATTERN, self._ids[name])
                metadata = pattern.get("metadata") or {}
                revised = {**metadata, "revision": int(metadata.get("revision") or 1) + 1, "note": note}
                await self.api.change(PATTERN, pattern["id"], {"metadata": revised}, version=pattern["version"])
                self.watcher.happened("pattern", f"{name}: {note}")
            except RefusedError as error:
                self.watcher.happened("note", f"{name} is left as it is: {error}")
            yield self.dice.minutes(25, 50)
