"""PROTOCOL.md keeps its promises: every rule is proved somewhere, and its tables say what the code says."""

from __future__ import annotations

import json
import re
from pathlib import Path

from rmos.domain.events import Category
from rmos.domain.filters import ALL, MAX_CHANNEL_LENGTH, MAX_CHANNELS, MAX_TYPES
from rmos.protocol.close_codes import CloseCode
from rmos.protocol.commands import MAX_ID_LENGTH, MAX_LAST
from rmos.protocol.frames import MAX_FRAGMENTS, MAX_MESSAGE_BYTES
from rmos.protocol.session import COMMAND_BURST, COMMANDS_PER_S, MAX_ERRORS_IN_A_ROW
from tests.protocol.schemas import documents
from tests.protocol.vectors import PROTOCOL, VECTORS

PAGE = (PROTOCOL / "PROTOCOL.md").read_text(encoding="utf-8")
LABEL = re.compile(r"\b(?:CON|AUT|V1|CMD|FRM|SUB|LOG|RES|SNP|LIV|CLS|LIM|RSV|CLI|SSE|CE|PST)-[0-9]{2}\b")
DEFINITION = re.compile(rf"\*\*({LABEL.pattern})\*\*")
ROOT = PROTOCOL.parent

PROOFS = (
    PROTOCOL / "vectors",
    PROTOCOL / "conformance",
    ROOT / "services" / "api" / "tests",
    ROOT / "packages" / "monitor-core" / "src",
)
"""Where a label that is named counts as proved."""
NO_PROOFS = (Path(__file__), PROTOCOL / "conformance" / "rules.py")
"""They name labels for other reasons."""


def sources(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.suffix in {".py", ".ts", ".json"} and "node_modules" not in p.parts]


def test_every_rule_is_defined_once() -> None:
    labels = DEFINITION.findall(PAGE)

    assert len(labels) == len(set(labels)) > 60


def test_rules_of_a_section_are_numbered_without_holes() -> None:
    numbers: dict[str, set[int]] = {}
    for label in DEFINITION.findall(PAGE):
        section, number = label.split("-")
        numbers.setdefault(section, set()).add(int(number))

    assert numbers == {section: set(range(1, max(found) + 1)) for section, found in numbers.items()}


def test_every_rule_is_proved_by_a_vector_a_test_or_the_conformance_tool() -> None:
    named = {
        label.replace("_", "-").upper()
        for folder in PROOFS
        for path in sources(folder)
        if path not in NO_PROOFS
        for label in re.findall(r"(?i)(?<![a-z0-9])[a-z0-9]{2,3}[-_][0-9]{2}(?![0-9])", path.read_text("utf-8"))
    }

    assert set(DEFINITION.findall(PAGE)) - named == set()


def test_vectors_name_only_rules_that_exist() -> None:
    defined = set(DEFINITION.findall(PAGE))

    for path in sorted(VECTORS.glob("*.json")):
        for part, vectors in json.loads(path.read_text(encoding="utf-8")).items():
            if part == "about":
                continue
            names = [vector["name"] for vector in vectors]
            assert len(names) == len(set(names)), path.name
            for vector in vectors:
                assert vector["rules"], (path.name, vector["name"])
                assert set(vector["rules"]) <= defined, (path.name, vector["name"])


def test_every_vector_file_is_described() -> None:
    readme = (VECTORS / "README.md").read_text(encoding="utf-8")

    described = set(re.findall(r"^## `([a-z-]+\.json)`", readme, re.MULTILINE))

    assert described == {path.name for path in VECTORS.glob("*.json")}


def close_code_rows() -> dict[int, str]:
    """Code → what the client does, of the table in §10."""
    return {int(code): does for code, does in re.findall(r"^\| ([0-9]{4}) \|[^|]*\| ([^|]*) \|$", PAGE, re.MULTILINE)}


def test_close_codes_of_the_page_are_those_of_the_code() -> None:
    assert set(close_code_rows()) == {int(code) for code in CloseCode}


def test_the_page_and_the_code_agree_on_who_comes_back() -> None:
    comes_back = {code for code, does in close_code_rows().items() if "comes back" in does or "again" in does}

    assert comes_back == {int(code) for code in CloseCode if code.reconnects}


def test_close_code_vectors_agree_with_the_code() -> None:
    vectors = json.loads((VECTORS / "close-codes.json").read_text(encoding="utf-8"))["vectors"]

    for code in CloseCode:
        (vector,) = [v for v in vectors if v["code"] == code and v["announced"] is None]
        assert vector["reconnect"] is code.reconnects, code


def test_error_codes_of_the_page_are_those_of_the_schema() -> None:
    table = set(re.findall(r"\| `([a-z_]+)` \|$", PAGE, re.MULTILINE)) - {"code"} | {"unavailable"}

    codes = documents()["system-error.json"]["properties"]["data"]["properties"]["code"]["enum"]

    assert table == set(codes)


def test_figures_of_the_page_are_those_of_the_code() -> None:
    prose = " ".join(PAGE.split())

    for sentence in (
        f"a message over {MAX_MESSAGE_BYTES:,} bytes",
        f"a message of more than {MAX_FRAGMENTS} fragments",
        f"At most {MAX_CHANNELS} channels of at most {MAX_CHANNEL_LENGTH} characters",
        f"an integer from 1 to {MAX_LAST:,} ",
        f"longer than {MAX_ID_LENGTH} characters",
        f"`max_frame_bytes` {MAX_MESSAGE_BYTES:,}, `max_channels` {MAX_CHANNELS}, `max_types` {MAX_TYPES}, "
        f"`commands_per_s` {COMMANDS_PER_S:.0f}, `command_burst` {COMMAND_BURST:.0f}",
        f"send {COMMAND_BURST:.0f} commands at once and {COMMANDS_PER_S:.0f} a second",
    ):
        assert sentence in prose, sentence
    assert MAX_ERRORS_IN_A_ROW == 20, "CMD-14 says twentieth"


def test_filters_of_the_schema_are_those_of_the_code() -> None:
    definitions = documents()["common.json"]["$defs"]

    assert definitions["category"]["enum"] == [c.value for c in Category]
    assert definitions["filter"]["enum"] == [*definitions["category"]["enum"], ALL]
