"""What rosettes of a stored pattern take: its geometry beside the stock of its strip families."""

from __future__ import annotations

import math
from dataclasses import asdict

import orjson

from rmos.domain.entities import PATTERN, STRIP_FAMILY, JsonObject
from rmos.domain.planning import Stock, families_of, plan_rosettes
from rmos.errors import NotFoundError
from rmos.stores.base import Stores


async def plan_pattern(stores: Stores, pattern_id: str, *, rosettes: int, scrap_share: float) -> JsonObject:
    """The plan of `rosettes` of the pattern (`domain.planning.Plan`), beside the pattern's id, name and version.

    Raises:
        NotFoundError: there is no such pattern.
    """
    revision = await stores.get(PATTERN, pattern_id)
    if revision is None:
        raise NotFoundError(f"{PATTERN.label} not found: {pattern_id}")
    pattern = orjson.loads(revision.body)
    geometry, family_id = pattern["geometry"], pattern["strip_family_id"]
    stock = {}
    for wanted in sorted(families_of(geometry, family_id)):
        family = await stores.get(STRIP_FAMILY, wanted)
        if family is not None:
            stock[wanted] = _stock(orjson.loads(family.body))
    plan = plan_rosettes(geometry, stock, family_id=family_id, rosettes=rosettes, scrap_share=scrap_share)
    return {"pattern": {"id": pattern_id, "name": pattern["name"], "version": revision.version}, **asdict(plan)}


def _stock(family: JsonObject) -> Stock:
    strips = family["strips"]
    lengths = [s["length_mm"] for s in strips if isinstance(s, dict)] if isinstance(strips, list) else []
    held = {name: family[name] for name in Stock.__dataclass_fields__ if name != "stock_mm"}
    return Stock(**held, stock_mm=math.fsum(length for length in lengths if isinstance(length, int | float)))  # type: ignore[arg-type]  # read by the domain when it was stored
