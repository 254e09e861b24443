"""What log lines look like, and what never stands in them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from rmos.logs import configure_logging


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    names = (None, "rmos", "uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagate


def test_json_is_one_object_a_line_with_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")

    logging.getLogger("rmos.hub").info("subscriber closed", extra={"code": 4108, "lag": 512})

    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {"event": "subscriber closed", "level": "info", "logger": "rmos.hub", "code": 4108, "lag": 512}


def test_the_console_shows_message_fields_and_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "console")

    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("rmos.web").exception("request failed", extra={"path": "/x"})

    printed = capsys.readouterr()
    assert printed.out == ""
    assert "request failed" in printed.err
    assert "path=/x" in printed.err
    assert "ValueError: broken" in printed.err
    assert "\x1b" not in printed.err  # not a terminal


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_secrets_and_payloads_are_left_out(capsys: pytest.CaptureFixture[str], log_format: str) -> None:
    configure_logging("debug", log_format)  # type: ignore[arg-type]  # one of the two, which parametrize cannot say

    logging.getLogger("rmos.auth").info(
        "open http://127.0.0.1:8000/#login=onceonly with Bearer abcdef",
        extra={
            "authorization": "Basic s3cret",
            "access_token": "s3cret",
            "body": '{"name": "s3cret"}',
            "key": "rmos_s3crets3crets3cret",
            "protocol": "bearer.s3cret",
            "jwt": "eyJs3cret.eyJs3cret.s3cret",
        },
    )

    printed = capsys.readouterr().err
    assert "left out" in printed
    for secret in ("s3cret", "onceonly", "abcdef"):
        assert secret not in printed


def test_other_libraries_speak_only_of_what_went_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "console")

    logging.getLogger("alembic.runtime").info("a step")
    logging.getLogger("uvicorn.error").info("another step")
    logging.getLogger("uvicorn.error").error("a fault")

    printed = capsys.readouterr().err
    assert "step" not in printed
    assert printed.count("a fault") == 1


def test_the_level_counts_for_rmos(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("warning", "console")

    logging.getLogger("rmos.web").info("request")
    logging.getLogger("rmos.web").warning("trouble")

    printed = capsys.readouterr().err
    assert "request" not in printed
    assert "trouble" in printed
