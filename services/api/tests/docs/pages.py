"""The documentation as data: its pages, their headings, links and blocks of code.

A block may have a mark in a comment right above it, which readers of the rendered page do not see:

    <!-- run -->              its commands are run, and must succeed
    <!-- run until: done -->  it runs until it prints this, and is then left with Ctrl-C
    <!-- prints -->           what the commands before it print, in this order; `…` stands for anything
    <!-- file: shop.py -->    it is the content of this file, from here on
    <!-- serve -->            its command is a server that runs from here on; `<!-- serve: COMMAND -->` starts this one
    <!-- not run: reason -->  why it cannot be run

Without a block, `<!-- serve: COMMAND -->` starts a server and `<!-- stop -->` stops it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[4]
DOCS: Final = ROOT / "docs"

_FENCED: Final = re.compile(r"^(`{3,})([\w-]*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
_STEP: Final = re.compile(
    r"^<!-- (?P<alone>stop|serve)(?:: (?P<command>[^\n]*?))? -->$(?!\n`)"
    r"|(?:^<!-- (?P<mark>run until|run|prints|file|serve|not run)(?:: (?P<argument>[^\n]*?))? -->\n)?"
    r"^(?P<fence>`{3,})(?P<language>[\w-]*)\n(?P<code>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_CODE_SPAN: Final = re.compile(r"`[^`\n]*`")
_LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def pages() -> list[Path]:
    """Every page that people read: of the root, of `docs/` and of the packages."""
    places = (ROOT.glob("*.md"), DOCS.rglob("*.md"), ROOT.glob("packages/*/*.md"), ROOT.glob("protocol/**/*.md"))
    return sorted(path for place in places for path in place)


@dataclass(frozen=True)
class Step:
    """A block of code with its mark, or a mark alone."""

    mark: str | None
    argument: str | None
    language: str
    code: str


def steps(text: str) -> Iterator[Step]:
    """What a reader of the page meets, from top to bottom."""
    for found in _STEP.finditer(text):
        mark, argument = found["alone"] or found["mark"], found["command"] or found["argument"]
        yield Step(mark, argument, found["language"] or "", (found["code"] or "").strip("\n"))


def blocks(text: str, language: str) -> list[str]:
    """The blocks of code in a language."""
    return [code for _, found, code in _FENCED.findall(text) if found == language]


def prose(text: str) -> str:
    """The page without its blocks of code and comments."""
    return _COMMENT.sub("", _FENCED.sub("", text))


def links(text: str) -> list[str]:
    """Targets of the links, images included."""
    return _LINK.findall(_CODE_SPAN.sub("", prose(text)))


def headings(text: str) -> list[str]:
    """The headings of all levels."""
    return _HEADING.findall(prose(text))


def anchors(text: str) -> set[str]:
    """What may stand behind `#` in a link to the page, made as GitHub makes it."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings(text)}


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table after a heading, without its head."""
    after = text.split(f"# {heading}\n", 1)[1]
    table = re.search(r"^\|[^\n]*\n\|[-| ]+\n((?:\|[^\n]*\n)+)", after, re.MULTILINE)
    assert table is not None, heading
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table[1].splitlines()]


def code_words(cell: str) -> list[str]:
    """What stands in backquotes."""
    return re.findall(r"`([^`]+)`", cell)
