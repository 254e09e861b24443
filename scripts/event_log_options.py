"""Options that `import_event_log.py` and `check_event_log.py` have in common, and how both talk to the server."""

from __future__ import annotations

import argparse
import json
import os
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from event_log import COLUMNS, EventLogError, Reading

ACTIVITY: Final = "activity"
CASE: Final = "case"
_TIMEOUT_S: Final = 60.0
_PATIENCE_S: Final = 600.0
"""For how long a server may say that it is still counting."""


def parser_of(description: str) -> argparse.ArgumentParser:
    """A parser of everything that says how the file is read, and where the server is."""
    parser = argparse.ArgumentParser(
        description=description.partition("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("file", type=Path, help="an event log: .xes or .csv, also with .gz behind it")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="address of the server")
    parser.add_argument("--token", default=os.environ.get("RMOS_TOKEN"), help="API key, where the server wants one")
    parser.add_argument("--job", choices=(ACTIVITY, CASE), default=ACTIVITY, help="what becomes a job")
    parser.add_argument("--zone", default="UTC", help="time zone of times that tell none")
    parser.add_argument("--time-format", help="how times are written (strptime); ISO 8601 when it is not given")
    for key in COLUMNS:
        parser.add_argument(f"--{key}-column", help=f"CSV: the column of the {key}; recognised when not given")
    return parser


def reading_of(given: argparse.Namespace) -> Reading:
    """How the file is to be read.

    Raises:
        EventLogError: an unknown time zone.
    """
    columns = {key: name for key in COLUMNS if (name := getattr(given, f"{key}_column")) is not None}
    try:
        zone = ZoneInfo(given.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise EventLogError(f"unknown time zone {given.zone!r}") from error
    return Reading(columns, given.time_format, zone)


class Shop:
    """The server: JSON in, JSON out."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})

    def ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the server answers: to a POST where there is a body.

        Raises:
            EventLogError: it does not answer, or refuses.
        """
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._url}{path}", data, self._headers)  # noqa: S310 -- the user's server
        deadline = time.monotonic() + _PATIENCE_S
        while (answer := self._try(request, path)) is None:
            if time.monotonic() > deadline:
                raise EventLogError(f"{path}: still counting after {_PATIENCE_S:g} s")
            time.sleep(0.5)
        return answer

    def _try(self, request: urllib.request.Request, path: str) -> dict[str, Any] | None:
        """The answer; None when the server is busy."""
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 -- as above
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return None
            raise EventLogError(f"{path}: {error.code} {error.read()[:500].decode(errors='replace')}") from error
        except OSError as error:
            raise EventLogError(f"no answer from {self._url}: {error}") from error
