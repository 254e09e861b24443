"""The demo's wood: families on the shelf, strips taken for jobs, and deliveries when they run low.

Other people take from the same shelf, so every move is based on the version that was read.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from rmos.cli.demo import stock
from rmos.cli.demo.api import RefusedError, ShopApi
from rmos.cli.demo.catalogue import FAMILIES, MINUTE_S, SPARE_STRIP_MM, Family
from rmos.cli.demo.dice import Dice
from rmos.cli.demo.orders import Tally
from rmos.cli.demo.simulation import Simulation
from rmos.cli.demo.watcher import Watcher
from rmos.domain.entities import STRIP_FAMILY

_GONE: Final = 404
_CHANGED: Final = 412
ShelfMove: TypeAlias = Callable[[list[stock.Strip]], list[stock.Strip] | None]
"""Gives the shelf after a move of stock, or None when the move cannot be made."""


@dataclass(slots=True)
class Storeroom:
    """What is on the shelf, and what is on its way. Used by one task."""

    api: ShopApi
    simulation: Simulation
    watcher: Watcher
    dice: Dice
    tally: Tally
    _ids: dict[str, str] = field(default_factory=dict)
    _on_order: set[str] = field(default_factory=set)

    async def furnish(self) -> None:
        """Make the families that are missing; what is there by its name is used as it is."""
        self._ids = {family["name"]: family["id"] for family in await self.api.find(STRIP_FAMILY)}
        for family in FAMILIES:
            if family.name not in self._ids:
                await self._make(family)

    def id_of(self, family: Family) -> str:
        """Its id on the server."""
        return self._ids[family.name]

    async def take(self, family: Family, need_mm: float) -> bool:
        """Cut `need_mm` from the shelf; False when there is not enough, and then more is on its way."""
        left_mm = 0.0

        def take(shelf: list[stock.Strip]) -> list[stock.Strip] | None:
            nonlocal left_mm
            left_mm = stock.length_of(shelf)
            if left_mm < need_mm:
                return None
            shelf = stock.cut(shelf, need_mm)
            left_mm = stock.length_of(shelf)
            return shelf

        is_taken = await self._change_shelf(family, take)
        if left_mm < family.min_stock_mm and family.name not in self._on_order:
            self._on_order.add(family.name)
            self.simulation.start(self._deliver(family), after_s=self.dice.minutes(12, 30))
            self.watcher.happened("material", f"{family.name} runs low: {left_mm / 1000:.1f} m left, more ordered")
        if is_taken:
            self.tally.strip_used_mm += need_mm
        return is_taken

    async def _deliver(self, family: Family) -> AsyncGenerator[float, None]:
        """Brings new strips of a family."""
        self._on_order.discard(family.name)
        count = self.dice.randint(6, 10)
        batch = f"b{self.dice.randint(1000, 9999)}"
        try:
            while not await self._change_shelf(
                family, lambda shelf: stock.add(shelf, count, SPARE_STRIP_MM, batch=batch)
            ):
                yield MINUTE_S
        except RefusedError as error:
            self.watcher.happened("note", f"a delivery of {family.name} was sent back: {error}")
            return
        self.tally.deliveries += 1
        self.watcher.happened("material", f"{count} strips of {family.name} delivered")

    async def _change_shelf(self, family: Family, move: ShelfMove) -> bool:
        """Move stock, based on what lies there now; False when `move` declines or others were faster three times."""
        for _ in range(3):
            try:
                document = await self.api.get(STRIP_FAMILY, self._ids[family.name])
                shelf = move(document["strips"])
                if shelf is None:
                    return False
                await self.api.change(STRIP_FAMILY, document["id"], {"strips": shelf}, version=document["version"])
            except RefusedError as error:
                if error.status == _GONE:
                    await self._make(family)
                elif error.status != _CHANGED:
                    raise
            else:
                return True
        return False

    async def _make(self, family: Family) -> None:
        fields = {
            "name": family.name,
            "material_type": family.material_type,
            "strip_width_mm": family.width_mm,
            "strip_thickness_mm": family.thickness_mm,
            "lane": family.lane,
            "min_stock_mm": family.min_stock_mm,
            "strips": stock.add([], family.strips, SPARE_STRIP_MM, batch="b1000"),
            "metadata": {"demo": True, "supplier": "Tonewood & Sons", "batch": "b1000"},
        }
        self._ids[family.name] = (await self.api.create(STRIP_FAMILY, fields))["id"]
