"""scripts/check_repository.py finds what it is meant to find."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.processes import ROOT

Check = Callable[[Path, list[Path]], Iterator[str]]


def load() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("check_repository", ROOT / "scripts" / "check_repository.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


script = load()


def faults(check: Check, root: Path, **files: str) -> list[str]:
    """Faults of files given as `path with __ for /` and content."""
    paths = []
    for name, content in files.items():
        path = Path(name.replace("__", "/").replace("_DOT_", "."))
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content, encoding="utf-8")
        paths.append(path)
    return list(check(root, paths))


@pytest.mark.parametrize(
    ("name", "content", "count"),
    [
        ("package-lock_DOT_json", '{"x": {"resolved": "https://registry.example/x.tgz"}}', 1),
        ("package-lock_DOT_json", '{"x": {"funding": {"url": "https://example.org"}}}', 0),
        ("api__requirements_DOT_lock", "x==1 --hash=sha256:0\n--index-url https://example.org/simple", 1),
        ("api__requirements_DOT_lock", "x==1 --hash=sha256:0", 0),
    ],
)
def test_an_address_in_a_lock_file(tmp_path: Path, name: str, content: str, count: int) -> None:
    assert len(faults(script.check_lock_files, tmp_path, **{name: content})) == count


def test_a_package_below_its_least_version(tmp_path: Path) -> None:
    lock = "starlette==1.3.0 \\\nuvicorn==0.54.0 \\\nh11==0.16.0\nwebsockets==17.4\npython-multipart==0.0.26"
    npm = (
        '{"packages": {"node_modules/ws": {"version": "8.20.1"}, "node_modules/x/node_modules/ws": {"version": "9.0"}}}'
    )

    found = faults(script.check_least_versions, tmp_path, requirements_DOT_lock=lock, **{"package-lock_DOT_json": npm})

    assert [fault.split(": ", 1)[1] for fault in found] == [
        "starlette 1.3.0 is older than 1.3.1",
        "python-multipart 0.0.26 is older than 0.0.27",
        "ws 8.20.1 is older than 8.21.0",
    ]


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("open /home/" + "anna/rmos/data", 1),
        ("open C:\\Users\\" + "anna", 1),
        ("open /srv/rmos/rmos.db", 0),
        ("GET /api/" + "work/orders", 0),
        ("# TO" + "DO: later", 1),
        ("todo list", 0),
    ],
)
def test_a_path_of_one_machine_and_unfinished_work(tmp_path: Path, line: str, count: int) -> None:
    assert len(faults(script.check_texts, tmp_path, notes_DOT_md=f"fine\n{line}\n")) == count


def test_a_module_without_a_docstring(tmp_path: Path) -> None:
    found = faults(
        script.check_module_docstrings, tmp_path, a_DOT_py="x = 1\n", b_DOT_py='"""Says it."""\n', c_DOT_py="("
    )

    assert [fault.partition(":")[0] for fault in found] == ["a.py", "c.py"]


def test_a_licence_that_drifted(tmp_path: Path) -> None:
    found = faults(script.check_licences, tmp_path, LICENSE="MIT\n", api__LICENSE="MIT \n", web__LICENSE="MIT\n")

    assert [fault.partition(":")[0] for fault in found] == ["api/LICENSE"]


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    page = """
[here](page.md#part) [web](https://example.org) [mail](mailto:a@example.org) [top](#top) [root](/docs)
[gone](gone.md) ![picture](gone.png) `code` [up](../README.md "title")
```
[not a link](nowhere.md)
```
"""
    found = faults(script.check_links, tmp_path, docs__page_DOT_md=page)

    assert [fault.rpartition(" ")[2] for fault in found] == ["gone.md", "gone.png", "../README.md"]


def test_every_file_that_is_or_will_be_committed_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.setattr(script, "ROOT", tmp_path)
    (tmp_path / "LICENSE").write_text("MIT\n")
    (tmp_path / ".gitignore").write_text("ignored.py\n")
    (tmp_path / "ignored.py").write_text("x = 1\n")

    assert script.main() == 0
    (tmp_path / "new.py").write_text("x = 1\n")
    assert script.main() == 1

    assert capsys.readouterr().out.splitlines() == [
        "repository: 2 files, no faults",
        "new.py:1: the module has no docstring",
        "repository: 3 files, 1 fault",
    ]
