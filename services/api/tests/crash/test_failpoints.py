"""Killed at a chosen point around a commit, nothing is lost; and the checker sees it when something is."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.checker import Acked, epoch_of, faults

ROOT = Path(__file__).resolve().parents[2]


def run_until_killed(database: Path, point: str, commit: int, *bug: str) -> list[Acked]:
    """The writes that the process acknowledged before it killed itself."""
    finished = subprocess.run(
        [sys.executable, "-m", "tests.crash.writer_process", str(database), point, str(commit), *bug],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert finished.returncode == -signal.SIGKILL, finished.stderr
    return [Acked(key, int(version)) for key, version in (line.split() for line in finished.stdout.splitlines())]


@pytest.mark.parametrize("point", ["begin", "flushed", "committed"])
def test_a_kill_around_a_commit_loses_nothing(tmp_path: Path, point: str) -> None:
    database = tmp_path / "rmos.db"
    acked: list[Acked] = []
    epochs = set()

    for commit in (3, 17):
        acked += run_until_killed(database, point, commit)
        epochs.add(epoch_of(database))

    assert faults(database, acked, epoch=epochs.pop()) == []
    assert not epochs, "both lives had the same epoch"
    assert len(acked) > 20


def test_the_checker_sees_an_answer_before_the_commit(tmp_path: Path) -> None:
    database = tmp_path / "rmos.db"

    acked = run_until_killed(database, "flushed", 9, "early")

    found = faults(database, acked, epoch=epoch_of(database))
    assert found
    assert all("was acknowledged and has 0 events" in fault for fault in found)


def test_the_checker_sees_an_event_outside_of_the_transaction(tmp_path: Path) -> None:
    database = tmp_path / "rmos.db"

    acked = run_until_killed(database, "begin", 9, "apart")

    found = faults(database, acked, epoch=epoch_of(database))
    assert any("is stored and has no event" in fault for fault in found)


def test_the_checker_sees_another_epoch(tmp_path: Path) -> None:
    database = tmp_path / "rmos.db"

    acked = run_until_killed(database, "committed", 2)

    assert faults(database, acked, epoch="before") == [f"the epoch is {epoch_of(database)}; it was before"]
