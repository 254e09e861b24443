"""Pages say what is true: their links lead somewhere, and their commands do what they say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, anchors, headings, links, pages, steps
from tests.docs.reader import Reader

FOLLOWED = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", DOCS / "troubleshooting.md", *(DOCS / "how-to").glob("*.md")]
"""Pages whose every block of commands is run, or says why it is not. The tutorial has a test of its own."""
SHELLS = {"bash", "sh", "shell", "console"}
PUBLISHED_TROUBLES = (
    "WebSocket connection failed",
    "Max reconnection attempts reached",
    "No events received",
    "Events delayed or missing",
)


def name(page: Path) -> str:
    """The page, for the report."""
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Somebody at the beginning of a page."""
    reader = Reader(tmp_path)
    yield reader
    reader.leave()


@pytest.mark.parametrize("page", pages(), ids=name)
def test_links_lead_to_a_file_and_to_a_heading_in_it(page: Path) -> None:
    text = page.read_text("utf-8")

    for link in links(text):
        path, _, anchor = link.partition("#")
        if "://" in path or path.startswith("mailto:"):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text("utf-8")), link


@pytest.mark.parametrize("page", FOLLOWED, ids=name)
def test_every_block_of_commands_is_run_or_says_why_not(page: Path) -> None:
    unmarked = [step.code for step in steps(page.read_text("utf-8")) if step.language in SHELLS and not step.mark]

    assert unmarked == []


@pytest.mark.parametrize("page", FOLLOWED, ids=name)
def test_commands_do_what_the_page_says(page: Path, reader: Reader) -> None:
    for step in steps(page.read_text("utf-8")):
        reader.follow(step)


def test_every_page_can_be_found_from_the_index() -> None:
    index = DOCS / "index.md"
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in links(index.read_text("utf-8"))}

    assert {path.resolve() for path in DOCS.rglob("*.md")} - linked == {index}


def test_troubleshooting_has_the_published_headings() -> None:
    assert set(PUBLISHED_TROUBLES) <= set(headings((DOCS / "troubleshooting.md").read_text("utf-8")))


def test_decisions_are_numbered_without_holes_and_have_one_form() -> None:
    decisions = sorted((DOCS / "decisions").glob("*.md"))

    assert [path.name[:4] for path in decisions] == [f"{n:04}" for n in range(1, len(decisions) + 1)]
    for path in decisions:
        title, *sections = headings(path.read_text("utf-8"))
        assert title.startswith(f"{int(path.name[:4])}. "), path.name
        assert sections == ["Context", "Decision", "Consequences"], path.name
