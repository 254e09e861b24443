"""Rules about the repository as a whole that no linter knows. Part of `make check`; standard library only.

Each `check_…` function yields faults as `<path>:<line>: <what is wrong>`; the exit code is 1 when there is one.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

LEAST_PYTHON = {
    # Below these, a known fault lets a stranger stall or read the server.
    "starlette": (1, 3, 1),
    "pyjwt": (2, 13, 0),
    "uvicorn": (0, 52, 1),
    "h11": (0, 16, 0),
    "websockets": (9, 1),
    "python-multipart": (0, 0, 27),
}
LEAST_NPM = {"ws": (8, 21, 0)}

MACHINE_PATH = re.compile(r"(?<![\w.])(?:/(?:home|Users|root|work)/[\w.-]+|[A-Z]:\\Users\\\w+)")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")  # split, so that this line does not find itself
ADDRESS = re.compile(r"\b\w+://")
MARKDOWN_LINK = re.compile(r"(?<!\!)\[[^\]\n]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)|!\[[^\]\n]*\]\(([^)\s]+)\)")
CODE_FENCE = re.compile(r"^\s*(```|~~~)")


def main() -> int:
    """Run every check and print its faults."""
    files = repository_files(ROOT)
    faults = [fault for check in CHECKS for fault in check(ROOT, files)]
    for fault in faults:
        print(fault)
    print(f"repository: {len(files)} files, {len(faults) or 'no'} fault{'' if len(faults) == 1 else 's'}")
    return 1 if faults else 0


def repository_files(root: Path) -> list[Path]:
    """Every file that is or will be committed, relative to `root`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 -- the developer's git
        cwd=root,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return sorted({Path(name) for name in listed.split("\0") if name and (root / name).is_file()})


def check_lock_files(root: Path, files: list[Path]) -> Iterator[str]:
    """A lock file names packages and hashes, never where one developer's machine got them."""
    for path in files:
        is_npm = path.name == "package-lock.json"
        if not is_npm and not (path.name.startswith("requirements") and path.suffix in {".txt", ".lock", ".in"}):
            continue
        for number, line in enumerate(_lines(root / path), 1):
            if '"resolved": "http' in line if is_npm else ADDRESS.search(line):
                yield f"{path}:{number}: a lock file names an address: {line.strip()[:80]}"


def check_least_versions(root: Path, files: list[Path]) -> Iterator[str]:
    """Locked packages are not older than the versions that close known holes."""
    for path in files:
        if path.name == "requirements.lock":
            for number, line in enumerate(_lines(root / path), 1):
                if found := re.match(r"([\w.-]+)==([\w.]+)", line):
                    least = LEAST_PYTHON.get(found[1].lower())
                    yield from _too_old(f"{path}:{number}", found[1], found[2], least)
        elif path.name == "package-lock.json":
            for place, package in json.loads((root / path).read_text(encoding="utf-8")).get("packages", {}).items():
                name = place.rpartition("node_modules/")[2]
                yield from _too_old(f"{path}:1", name, package.get("version", ""), LEAST_NPM.get(name))


def _too_old(place: str, name: str, version: str, least: tuple[int, ...] | None) -> Iterator[str]:
    if least is not None and tuple(int(part) for part in re.findall(r"\d+", version)[: len(least)]) < least:
        yield f"{place}: {name} {version} is older than {'.'.join(map(str, least))}"


def check_texts(root: Path, files: list[Path]) -> Iterator[str]:
    """No path of one machine and no mark of unfinished work in any text."""
    for path in files:
        for number, line in enumerate(_lines(root / path), 1):
            if found := MACHINE_PATH.search(line):
                yield f"{path}:{number}: a path of one machine: {found[0]}"
            if found := UNFINISHED.search(line):
                yield f"{path}:{number}: unfinished work is marked: {found[0]}"


def check_module_docstrings(root: Path, files: list[Path]) -> Iterator[str]:
    """Every Python module says in its first line what it is. An empty one only makes its folder a package."""
    for path in files:
        if path.suffix != ".py" or not (root / path).stat().st_size:
            continue
        try:
            module = ast.parse((root / path).read_text(encoding="utf-8"))
        except SyntaxError as error:
            yield f"{path}:{error.lineno}: does not parse: {error.msg}"
        else:
            if not ast.get_docstring(module):
                yield f"{path}:1: the module has no docstring"


def check_licences(root: Path, files: list[Path]) -> Iterator[str]:
    """Packages carry a copy of the licence, because a wheel cannot reach beyond its folder; copies must not drift."""
    original = (root / "LICENSE").read_bytes()
    for path in files:
        if path.name == "LICENSE" and (root / path).read_bytes() != original:
            yield f"{path}:1: differs from LICENSE at the root"


def check_links(root: Path, files: list[Path]) -> Iterator[str]:
    """Relative links in the documentation lead to a file or folder that is there."""
    for path in files:
        if path.suffix != ".md":
            continue
        in_code = False
        for number, line in enumerate(_lines(root / path), 1):
            if CODE_FENCE.match(line):
                in_code = not in_code
            if in_code:
                continue
            for link in MARKDOWN_LINK.finditer(line):
                target = (link[1] or link[2]).partition("#")[0]
                if not target or ADDRESS.match(target) or target.startswith("mailto:"):
                    continue
                base = root if target.startswith("/") else (root / path).parent
                if not (base / target.lstrip("/")).exists():
                    yield f"{path}:{number}: the link leads nowhere: {target}"


def _lines(path: Path) -> list[str]:
    """Lines of a text file; none of a binary one."""
    data = path.read_bytes()
    if b"\0" in data[:8192]:
        return []
    return data.decode("utf-8", errors="replace").splitlines()


CHECKS = (
    check_lock_files,
    check_least_versions,
    check_texts,
    check_module_docstrings,
    check_licences,
    check_links,
)

if __name__ == "__main__":
    sys.exit(main())
