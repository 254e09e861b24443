"""Competitors: each must deliver every event to every subscriber, or say that it is not installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks import peers
from benchmarks.bench import Bench, Plan
from benchmarks.figures import NotMeasuredError
from benchmarks.peers import PEERS, Peer

BENCH = Bench(Plan.quick(), None, None)


def is_installed(peer: Peer) -> bool:
    try:
        peer.command()
    except NotMeasuredError:
        return False
    return True


@pytest.mark.skipif(shutil.which("cc") is None, reason="the native receiver needs a C compiler")
@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_everything_reaches_everybody(peer: Peer) -> None:
    if not is_installed(peer):
        pytest.skip(f"{peer.name} is not installed")

    with BENCH.peer(peer) as (server, port), BENCH.receiver(port, 3, peer.receiver) as receiver:
        server.tell("fan-out 4 0.05")
        events = server.hear_json(timeout_s=20)["events"]
        taken = receiver.take(3 * events)

    assert events >= 4
    assert (taken.least, taken.most, taken.disorder, taken.closed) == (events, events, 0, 0)


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peers, "DEPS", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)

    reasons = {}
    for peer in PEERS:
        try:
            peer.command()
        except NotMeasuredError as error:
            reasons[peer.name] = str(error)

    assert set(reasons) == {peer.name for peer in PEERS} - {"websockets"}  # which is a part of our environment
    assert all("make bench-deps" in reason for reason in reasons.values())
