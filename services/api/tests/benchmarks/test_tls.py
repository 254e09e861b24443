"""TLS in the benchmarks: real servers that speak it, and what is said where it cannot be measured."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from benchmarks import native
from benchmarks.bench import Bench, Plan
from benchmarks.figures import Figure, Missing
from benchmarks.native import OVER_TLS
from benchmarks.processes import ChildError
from benchmarks.suites import fanout
from benchmarks.suites import tls as suite
from tests.benchmarks.conftest import TlsSettings

SUBSCRIBERS = 300  # more than the receiver opens together
BENCH = Bench(Plan(rounds=1, fan_out_s=0.05, subscribers=3), None, None)
CAN_BUILD = sys.platform == "linux" and any(shutil.which(name) for name in ("cc", "gcc", "clang"))


@pytest.mark.parametrize("server_name", ["shop-ready", "published"])
def test_every_event_of_a_real_server_reaches_everybody_in_order(server_name: str, tls: TlsSettings) -> None:
    with (
        BENCH.server(server_name, tls) as (server, port),
        BENCH.subscribers(port, SUBSCRIBERS, options=(OVER_TLS,)) as receiver,
    ):
        receiver.take()
        server.tell("fan-out 40 0.05")
        events = server.hear_json(timeout_s=60)["events"]
        taken = receiver.take(SUBSCRIBERS * events)

    assert events >= 40
    assert (taken.events, taken.disorder, taken.closed) == (SUBSCRIBERS * events, 0, 0)
    assert taken.least == taken.most == events


def test_a_server_that_should_speak_tls_does_not_take_plain_words(tls: TlsSettings) -> None:
    with (
        BENCH.server("published", tls) as (_, port),
        pytest.raises(ChildError, match="no answer to the handshake"),
        BENCH.subscribers(port, 1),
    ):
        pass


def test_a_server_without_tls_is_not_taken_for_one_with_it(tls: TlsSettings) -> None:
    assert tls

    with (
        BENCH.server("published") as (_, port),
        pytest.raises(ChildError, match="TLS handshake failed"),
        BENCH.subscribers(port, 1, options=(OVER_TLS,)),
    ):
        pass


@pytest.mark.skipif(not CAN_BUILD, reason="the native receiver needs Linux and a C compiler")
def test_without_openssl_what_has_no_tls_is_measured_and_the_rest_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fanout, "_WARM_UP_S", 0.01)
    monkeypatch.setattr(native, "_BUILT", tmp_path)
    monkeypatch.setattr(native, "_WITH_TLS", ("-include", "openssl/err.h.that.is.absent"))

    results = suite.run(BENCH)

    measured = {one.name for one in results if isinstance(one, Figure)}
    missing = {one.name: one.reason for one in results if isinstance(one, Missing)}
    assert len(measured) == len(missing) == 12
    assert all(name.endswith(".tls") and "libssl-dev" in reason for name, reason in missing.items())
