"""Reads protocol/vectors (its README.md defines the format) and turns vectors into test parameters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
from _pytest.mark import ParameterSet

PROTOCOL: Final = Path(__file__).resolve().parents[4] / "protocol"
VECTORS: Final = PROTOCOL / "vectors"

Vector: TypeAlias = dict[str, Any]  # Any: JSON whose shape depends on the file
Pieces: TypeAlias = str | list[str | dict[str, Any]]


def load(file: str, part: str = "vectors") -> list[Vector]:
    """The vectors of one list of one file, in order."""
    vectors: list[Vector] = json.loads((VECTORS / file).read_text(encoding="utf-8"))[part]
    return vectors


def parameters(file: str, part: str = "vectors") -> list[ParameterSet]:
    """The same as parameters of a test, named by the vectors."""
    return [pytest.param(vector, id=vector["name"]) for vector in load(file, part)]


def join(pieces: Pieces) -> str:
    """The text that pieces stand for."""
    if isinstance(pieces, str):
        return pieces
    return "".join(piece if isinstance(piece, str) else piece["repeat"] * piece["times"] for piece in pieces)
