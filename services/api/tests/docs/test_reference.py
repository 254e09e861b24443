"""The reference is complete and true: whatever the code has is on its page, and nothing else is."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from rmos import errors
from rmos.domain.entities import JOBLOG, KINDS
from rmos.domain.events import Category, event_type
from rmos.domain.jobs import STATUSES, JobLog, create
from rmos.domain.rules import RULES
from rmos.protocol.close_codes import CloseCode
from rmos.settings import Settings
from rmos.web.app import create_app
from rmos.web.errors import _CODE_OF_STATUS
from tests.docs.pages import DOCS, ROOT, code_words, rows
from tests.processes import run_rmos
from tests.protocol.schemas import documents

REFERENCE = DOCS / "reference"
SCRIPT = ROOT / "scripts" / "generate_reference.py"
SOURCE = Path(errors.__file__).parent
NOT_OVER_HTTP = {"not_running", "startup"}
WITHOUT_CLASS = {"foreign_origin", "too_many_connections", "client_error"}
"""Codes of REST that the web layer gives without an error class or a status of their own."""


def page(name: str) -> str:
    """The text of a page of the reference."""
    return (REFERENCE / f"{name}.md").read_text("utf-8")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("generate_reference", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_parts_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True, encoding="utf-8", check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_check_names_a_page_that_is_out_of_date(
    generator: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "settings.md").write_text(page("settings").replace("`8000`", "`8080`"), encoding="utf-8")
    monkeypatch.setattr(generator, "REFERENCE", tmp_path)

    assert generator.main(["--check"]) == 1
    assert "settings.md is out of date" in capsys.readouterr().out
    assert generator.main([]) == 0
    assert (tmp_path / "settings.md").read_text("utf-8") == page("settings")


def test_every_generated_part_is_on_one_page(generator: ModuleType) -> None:
    found = [part for path in REFERENCE.glob("*.md") for _, part, _ in generator.PART.findall(path.read_text("utf-8"))]

    assert sorted(found) == sorted(generator.PARTS)


def test_settings_are_complete() -> None:
    documented = [code_words(cells[0])[0] for cells in rows(page("settings"), "Settings")]

    assert documented == [f"RMOS_{name.upper()}" for name in Settings.model_fields]


def test_close_codes_are_complete_and_each_has_advice() -> None:
    facts = {int(cells[0]): cells[3] for cells in rows(page("close-codes"), "Close codes")}
    advised = {
        int(code) for cells in rows(page("close-codes"), "What to do") for code in re.findall(r"\d{4}", cells[0])
    }

    assert facts == {int(code): "comes back" if code.reconnects else "stops" for code in CloseCode}
    assert advised == {int(code) for code in CloseCode} - {CloseCode.NORMAL}


def error_classes(root: type[errors.RmosError] = errors.RmosError) -> Iterator[type[errors.RmosError]]:
    """Every class of `rmos.errors`; commands have further ones of their own."""
    if root.__module__ == errors.__name__:
        yield root
    for child in root.__subclasses__():
        yield from error_classes(child)


def test_codes_of_rest_are_complete_with_their_status() -> None:
    documented = {code_words(code)[0]: status for code, status, *_ in rows(page("errors"), "Codes of REST")}

    of_classes = {cls.code: str(cls.status) for cls in error_classes() if cls.code not in NOT_OVER_HTTP}
    of_statuses = {code: str(status) for status, code in _CODE_OF_STATUS.items()}
    assert {
        code: status for code, status in documented.items() if code not in WITHOUT_CLASS
    } == of_statuses | of_classes
    assert documented.keys() >= WITHOUT_CLASS
    assert all(f"`{code}`" in page("errors") for code in NOT_OVER_HTTP)


def test_codes_given_by_name_in_the_web_layer_are_documented() -> None:
    named = {code for path in (SOURCE / "web").glob("*.py") for code in re.findall(r'code="(\w+)"', path.read_text())}

    assert named
    assert named <= {code_words(cells[0])[0] for cells in rows(page("errors"), "Codes of REST")}


def test_codes_of_the_monitor_are_complete() -> None:
    documented = {code_words(cells[0])[0] for cells in rows(page("errors"), "Codes of system:error")}

    assert documented == set(documents()["system-error.json"]["properties"]["data"]["properties"]["code"]["enum"])


def event_types() -> set[str]:
    """The types that the stores make, found by asking the rules of each kind about every change of status."""
    jobs = {status: make_job(status) for status in STATUSES}
    names = {kind.category: {"created", "deleted"} for kind in KINDS}
    for kind in KINDS:
        change_name = RULES[kind.name].change_name
        names[kind.category] |= (
            {change_name(before, after) for before in jobs.values() for after in jobs.values()}
            if kind is JOBLOG
            else {change_name(None, None)}
        )
    return {event_type(Category(category), name) for category, found in names.items() for name in found}


def make_job(status: str) -> JobLog:
    """A job log in this status."""
    return create({"job_type": "slice", "status": status}, entity_id="j", now="2026-11-24T10:00:00.000Z")


def named_types() -> set[str]:
    """The types that the source names as a whole, outside of comments and docstrings."""
    literal = re.compile(rf'"((?:{"|".join(Category)}):[a-z_]+)"')
    return {found for path in SOURCE.rglob("*.py") for found in literal.findall(path.read_text("utf-8"))}


def test_events_are_complete() -> None:
    documented = {code_words(cells[0])[0] for cells in rows(page("events"), "Types")}
    models = "".join(path.read_text("utf-8") for path in (SOURCE / "web").glob("*models.py"))
    examples = set(re.findall(r'examples=\["([a-z]+:[a-z]+)"\]', models))

    assert "job:completed" in event_types()
    assert documented == event_types() | named_types() | {"metrics:snapshot"}
    assert examples <= documented


def test_routes_are_those_that_the_server_describes() -> None:
    documented = set(re.findall(r"^\| `([A-Z]+ /\S+)` \|", page("rest"), re.MULTILINE))

    described = create_app(Settings()).openapi()["paths"]
    assert documented == {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}


def commands_in_help(*group: str) -> list[str]:
    """The commands that `--help` lists, of `rmos` or of a group."""
    listed = run_rmos(*group, "--help", COLUMNS="120", NO_COLOR="1").stdout
    return re.findall(r"^│ (\w+) ", listed, re.MULTILINE)


def test_commands_and_options_are_those_of_the_help() -> None:
    sections = dict(re.findall(r"^## rmos ([\w ]+)\n(.*?)(?=^## |^<!-- end)", page("cli"), re.MULTILINE | re.DOTALL))

    groups = ("user", "token")
    listed = [name for name in commands_in_help() if name not in groups]
    listed += [f"{group} {name}" for group in groups for name in commands_in_help(group)]
    assert list(sections) == listed
    for command, section in sections.items():
        help_text = run_rmos(*command.split(), "--help", COLUMNS="120", NO_COLOR="1").stdout
        options = re.findall(r"^│ (--[\w-]+)", help_text, re.MULTILINE)
        assert re.findall(r"^\| `(--[\w-]+)` \|", section, re.MULTILINE) == [o for o in options if o != "--help"], (
            command
        )
