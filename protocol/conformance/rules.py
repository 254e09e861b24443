"""The rules of PROTOCOL.md and the checks that ask for them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

if TYPE_CHECKING:
    from world import World

PROTOCOL: Final = Path(__file__).resolve().parent.parent
_DEFINITION: Final = re.compile(r"\*\*([A-Z0-9]{2,3}-[0-9]{2})\*\*")

Check: TypeAlias = Callable[["World"], Awaitable[None]]
CHECKS: Final[dict[str, list[Check]]] = {}


class Miss(Exception):
    """The server does not keep the rule; the message says what was seen."""


class Wait(Exception):
    """The rule could not be seen in this run; the message says what it would take."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Why a rule is not for this tool to see."""

    reason: str


_CLIENTS: Final = Elsewhere("binds clients; proved by vectors")
_AUTH: Final = Elsewhere("needs a server that asks who one is")
ELSEWHERE: Final[dict[str, Elsewhere]] = {
    "CON-14": Elsewhere("needs a server that is full"),
    "V1-15": Elsewhere("needs a program on the server"),
    "PST-10": Elsewhere("binds clients; proved by a test"),
    "PST-11": Elsewhere("binds clients; proved by a test"),
    "LOG-08": Elsewhere("needs a restart of the server"),
    "CLS-03": Elsewhere("needs a server that stops"),
    "SNP-06": Elsewhere("needs a log that cannot be read"),
    "FRM-13": Elsewhere("part of every answer: this tool's client takes nothing else"),
}

SHOULD: Final = frozenset({"FRM-09", "FRM-14", "LIV-03", "LIM-05"})
"""Rules that a server may have good reasons to break; doing so is shown, and fails nothing."""


def labels() -> list[str]:
    """Every rule, in the order of the page."""
    return _DEFINITION.findall((PROTOCOL / "PROTOCOL.md").read_text(encoding="utf-8"))


def elsewhere(label: str) -> Elsewhere | None:
    """Why this rule has no check here; None where it must have one."""
    if label.startswith("AUT-"):
        return _AUTH
    return _CLIENTS if label.startswith("CLI-") else ELSEWHERE.get(label)


def check(*rules: str) -> Callable[[Check], Check]:
    """Mark a function as the check (or one of the checks) of these rules."""

    def register(function: Check) -> Check:
        for rule in rules:
            CHECKS.setdefault(rule, []).append(function)
        return function

    return register


def expect(condition: object, found: str) -> None:
    """Miss the rule unless the condition holds; `found` says what was seen instead."""
    if not condition:
        miss(found)


def expect_equal(found: object, wanted: object, what: str) -> None:
    """Miss the rule unless both are equal."""
    if found != wanted:
        miss(f"{what} is {_short(found)} instead of {_short(wanted)}")


def miss(found: str) -> NoReturn:
    """Miss the rule."""
    raise Miss(found)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:157]}…"
