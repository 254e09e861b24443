"""Texts for the cases 6.5 to 6.23: UTF-8 and what only looks like it.

Source: Markus Kuhn, *UTF-8 decoder capability and stress test* (2003), whose sections these are, after RFC 3629.
"""

from __future__ import annotations

from itertools import product
from typing import Final

KOSME: Final = "κ\u1f79σμε".encode()  # as there: the accent in the code of ancient Greek, three octets
_CUT_SHORT: Final = (
    "c0",
    "e080",
    "f08080",
    "f8808080",
    "fc80808080",
    "df",
    "efbf",
    "f7bfbf",
    "fbbfbfbf",
    "fdbfbfbfbf",
)


def _of(*texts: str) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def _starts(first: int, last: int) -> bytes:
    return b"".join(bytes((byte, 0x20)) for byte in range(first, last))


def _non_characters() -> list[bytes]:
    """U+FFFE and U+FFFF of each plane, the basic one first."""
    return [chr(plane << 16 | low).encode() for plane, low in product(range(17), (0xFFFE, 0xFFFF))]


GROUPS: Final[tuple[tuple[str, list[bytes]], ...]] = (
    ("valid text", [*(f"hello{sign}world".encode() for sign in ("$", "¢", "€", "\U00024b62")), KOSME]),
    ("every beginning of a text", [KOSME[:end] for end in range(1, len(KOSME) + 1)]),
    ("first of each length", [chr(code).encode() for code in (0, 0x80, 0x800, 0x10000)]),
    ("first of 5 and 6 octets", _of("f888808080", "fc8480808080")),
    ("last of each length", [chr(code).encode() for code in (0x7F, 0x7FF, 0xFFFF, 0x10FFFF)]),
    ("last of 4, 5 and 6 octets", _of("f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf")),
    ("other boundaries", [*(chr(c).encode() for c in (0xD7FF, 0xE000, 0xFFFD, 0x10FFFF)), *_of("f4908080")]),
    (
        "unexpected continuation",
        [*_of("80", "bf"), *((b"\x80\xbf" * 3)[:length] for length in range(2, 7)), bytes(range(0x80, 0xBF))],
    ),
    (
        "lonely starts",
        [_starts(0xC0, 0xDF), _starts(0xE0, 0xEF), _starts(0xF0, 0xF7), _starts(0xF8, 0xFB), _starts(0xFC, 0xFD)],
    ),
    ("last octet missing", _of(*_CUT_SHORT)),
    ("incomplete ones in a row", _of("".join(_CUT_SHORT))),
    ("impossible octets", _of("fe", "ff", "fefeffff")),
    ("overlong slash", _of("c0af", "e080af", "f08080af", "f8808080af", "fc80808080af")),
    ("longest overlong", _of("c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf")),
    ("overlong NUL", _of("c080", "e08080", "f0808080", "f880808080", "fc8080808080")),
    ("single surrogates", _of("eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf")),
    (
        "paired surrogates",
        _of(*(high + low for high, low in product(("eda080", "edadbf", "edae80", "edafbf"), ("edb080", "edbfbf")))),
    ),
    ("non-characters, which are valid", _non_characters()),
    ("specials", [chr(code).encode() for code in range(0xFFF9, 0x10000)]),
)
"""Name and texts of 6.5, 6.6 and so on."""


def is_text(octets: bytes) -> bool:
    """Whether these are UTF-8."""
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True
