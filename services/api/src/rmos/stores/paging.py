"""Keyset paging: the place where a page ended, as opaque text.

The text carries the order it belongs to, so a page cannot be continued in another one.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import orjson

from rmos.domain.entities import Kind
from rmos.errors import InvalidError
from rmos.stores.schema import FIELDS, Scalar, checked

Order: TypeAlias = tuple[tuple[str, bool], ...]
"""Fields by weight, each with True for descending. The last one is `id`."""

MAX_SORT_FIELDS: Final = 4


def complete_order(kind: Kind, sort: Sequence[tuple[str, bool]]) -> Order:
    """The order with `id` as the last tie-breaker, in the direction of the field before it.

    Raises:
        InvalidError: an unknown field, one named twice, or too many.
    """
    order: list[tuple[str, bool]] = []
    for field, descending in sort:
        if field not in FIELDS[kind.name]:
            known = ", ".join(FIELDS[kind.name])
            raise InvalidError.at("/sort", f"unknown field {field!r}; expected one of {known}")
        if field in dict(order):
            raise InvalidError.at("/sort", f"field {field!r} is named twice")
        order.append((field, descending))
        if field == "id":
            break
    else:
        order.append(("id", order[-1][1] if order else False))
    if len(order) > MAX_SORT_FIELDS:
        raise InvalidError.at("/sort", f"too many fields; at most {MAX_SORT_FIELDS - 1} beside id are accepted")
    return tuple(order)


@dataclass(frozen=True, slots=True)
class Place:
    """The values of the last row of a page, one for each field of its order."""

    order: Order
    values: tuple[Scalar, ...]

    def __str__(self) -> str:
        content = orjson.dumps([self.order, self.values])
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str, kind: Kind, order: Order) -> Place:
        """The place of an `after`.

        Raises:
            InvalidError: malformed, or of another order or kind.
        """
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            sort, values = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
            found = tuple((field, descending) for field, descending in sort)
        except (ValueError, TypeError) as error:
            raise _malformed() from error
        if found != order:
            raise InvalidError.at("/after", "belongs to another sort; start again without it")
        try:
            pairs = zip(order, values, strict=True)
            place = cls(order, tuple(checked(field, FIELDS[kind.name][field], value) for (field, _), value in pairs))
        except (ValueError, TypeError, OverflowError) as error:
            raise _malformed() from error
        if place.values[-1] is None:
            raise _malformed()
        return place


def _malformed() -> InvalidError:
    return InvalidError.at("/after", "malformed; take it from the next link of the page before")
