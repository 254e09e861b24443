"""Places in the log, as clients keep them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from rmos.clock import Timestamp
from rmos.domain.fields import timestamp
from rmos.errors import InvalidError


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the log: everything up to and including `offset` has been seen."""

    epoch: str
    offset: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """The cursor of `<epoch>:<offset>`.

        Raises:
            InvalidError: another form, or an offset outside 0 … 2^63 - 1.
        """
        epoch, colon, digits = text.partition(":")
        if not (epoch and colon and digits.isascii() and digits.isdigit()) or len(text) > 64 or int(digits) >= 2**63:
            raise InvalidError.at("/since", f"bad cursor {text[:80]!r}; expected <epoch>:<offset>")
        return cls(epoch, int(digits))


Place: TypeAlias = "Cursor | Timestamp"
"""A place in the log as people name it: a cursor, or a time."""


def parse_place(text: str, pointer: str) -> Place:
    """The place of a text: `<epoch>:<offset>`, or an RFC 3339 time. No text is both.

    Raises:
        InvalidError: neither; its pointer is `pointer`.
    """
    try:
        return Cursor.parse(text)
    except InvalidError:
        pass
    try:
        return str(timestamp(text, pointer))
    except InvalidError:
        raise InvalidError.at(
            pointer,
            f"bad place {text[:80]!r}; expected a cursor <epoch>:<offset> or a time such as 2026-11-24T10:00:00Z",
        ) from None
