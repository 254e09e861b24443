"""The published N10.0 smoke test, with a real WebSocket: a line about an event is printed only once the event was seen.

Run it against a running server, with the Python of the virtual environment:

    services/api/.venv/bin/python scripts/smoke.py [--base-url http://127.0.0.1:8000]

It leaves one pattern and one job log behind. The exit code is 1 when a check failed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

API_FOLDER = Path(__file__).resolve().parent.parent / "services" / "api"
STORES = "/api/rmos/stores"
DEFAULT_TIMEOUT_S = 10.0
"""Longest wait for one answer or one event; a shop's laptop may be busy."""

# No proxy: the server is on this machine or in this workshop.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

IMPORT_CHECK = """
from app.websocket.monitor import (
    broadcast_job_event, broadcast_material_event, broadcast_metrics_snapshot, broadcast_pattern_event,
    get_connection_manager,
)
functions = (broadcast_job_event, broadcast_material_event, broadcast_metrics_snapshot, broadcast_pattern_event)
assert all(callable(function) for function in functions), functions
manager = get_connection_manager()
print(type(manager).__name__, len(manager.active_connections))
"""


class CheckFailedError(Exception):
    """One of the five checks failed; the message says how."""


class SmokeTest:
    """The five checks, in their published order. Not reusable: the later ones use what the earlier ones made."""

    def __init__(self, base_url: str, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._monitor: ClientConnection | None = None
        self._closing = contextlib.ExitStack()
        self._joblog_id: str | None = None

    def run(self) -> int:
        """Run every check, print the published report, and return how many failed."""
        print("=== N10.0 WebSocket Smoke Test ===\n")
        checks: list[tuple[str, Callable[[], None]]] = [
            ("Testing server availability", self.server_is_available),
            ("Checking WebSocket router registration", self.endpoint_is_registered),
            ("Testing RMOS entity creation", self.entities_are_created),
            ("Testing joblog update (status change)", self.joblog_is_completed),
            ("Verifying WebSocket infrastructure", self.infrastructure_is_importable),
        ]
        failed = 0
        with self._closing:
            for number, (title, check) in enumerate(checks, 1):
                print(f"{number}. {title}...")
                try:
                    check()
                except CheckFailedError as error:
                    print(f"   ✗ {error}")
                    failed += 1
                print()
        print("=" * 44)
        print(f"Tests Passed: {len(checks) - failed}\nTests Failed: {failed}\n")
        print(
            f"✗ {failed} of {len(checks)} smoke tests failed" if failed else "✓ All N10.0 WebSocket smoke tests passed!"
        )
        return failed

    def server_is_available(self) -> None:
        """`GET /health` answers 200."""
        self._request("GET", "/health")
        print("   ✓ Server is running")

    def endpoint_is_registered(self) -> None:
        """The monitor stands in the OpenAPI document."""
        if "/ws/monitor" not in self._request("GET", "/openapi.json").get("paths", {}):
            raise CheckFailedError("/ws/monitor is not among the paths of /openapi.json")
        print("   ✓ WebSocket endpoint registered at /ws/monitor")

    def entities_are_created(self) -> None:
        """A pattern and a job log are created, and both are seen live."""
        self._subscribe()
        rings = [{"radius": radius, "angle": angle} for radius, angle in ((40, 0), (45, 15), (50, 30))]
        pattern = self._write(
            "pattern",
            "POST",
            f"{STORES}/patterns",
            {"name": "WebSocket Test Pattern", "ring_count": 3, "geometry": {"rings": rings}},
        )
        print(f"   ✓ Pattern created: {pattern['id']}")
        self._expect_event("pattern:created", pattern["id"])
        joblog = self._write(
            "joblog",
            "POST",
            f"{STORES}/joblogs",
            {
                "job_type": "slice",
                "pattern_id": pattern["id"],
                "status": "pending",
                "parameters": {"blade_id": "blade-001", "speed": 1200},
            },
        )
        self._joblog_id = joblog["id"]
        print(f"   ✓ JobLog created: {joblog['id']}")
        self._expect_event("job:created", joblog["id"])

    def joblog_is_completed(self) -> None:
        """The job log is completed, and that is seen live."""
        if self._joblog_id is None:
            raise CheckFailedError("there is no job log to update, because none was created")
        joblog = self._write(
            "joblog",
            "PUT",
            f"{STORES}/joblogs/{self._joblog_id}",
            {
                "status": "completed",
                "end_time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "duration_seconds": 45.3,
                "results": {"strips_produced": 24, "success_rate": 0.96},
            },
        )
        if joblog["status"] != "completed":
            raise CheckFailedError(f"the job log is {joblog['status']!r} instead of 'completed'")
        print("   ✓ JobLog updated to 'completed'")
        self._expect_event("job:completed", self._joblog_id)

    def infrastructure_is_importable(self) -> None:
        """The published names import in a Python of their own, and no connection is there."""
        result = subprocess.run(  # noqa: S603 -- this very Python
            [sys.executable, "-c", IMPORT_CHECK],
            cwd=API_FOLDER,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if result.returncode:
            raise CheckFailedError(f"app.websocket.monitor: {(result.stderr.strip() or 'failed').splitlines()[-1]}")
        print("   ✓ All broadcast functions importable")
        name, connections = result.stdout.split()
        if name != "ConnectionManager":
            raise CheckFailedError(f"get_connection_manager() returned a {name}")
        print(f"   ✓ ConnectionManager instance: {name}")
        if connections != "0":
            raise CheckFailedError(f"{connections} active connections outside a server")
        print(f"   ✓ Active connections: {connections}")

    def _write(self, kind: str, method: str, path: str, fields: dict[str, Any]) -> dict[str, Any]:
        """The entity that the server answers in its envelope."""
        entity = self._request(method, path, fields).get(kind)
        if not isinstance(entity, dict) or not {"id", "status" if kind == "joblog" else "name"} <= entity.keys():
            raise CheckFailedError(f"{method} {path} did not answer a {kind}")
        return entity

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 -- `main` accepts only http and https
            self._base_url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with OPENER.open(request, timeout=self._timeout_s) as response:
                content = response.read()
        except urllib.error.HTTPError as error:
            raise CheckFailedError(f"{method} {path} answered {error.code}: {error.read(300).decode()}") from None
        except OSError as error:
            raise CheckFailedError(f"{method} {path}: {getattr(error, 'reason', error)}") from None
        try:
            answer = json.loads(content)
        except ValueError:
            raise CheckFailedError(f"{method} {path} did not answer JSON") from None
        if not isinstance(answer, dict):
            raise CheckFailedError(f"{method} {path} did not answer a JSON object")
        return answer

    def _subscribe(self) -> None:
        """Open the monitor and wait until the subscription is active, so that no later event can be missed."""
        url = f"ws{self._base_url.removeprefix('http')}/ws/monitor"
        try:
            self._monitor = self._closing.enter_context(connect(url, open_timeout=self._timeout_s, proxy=None))
            self._monitor.send(json.dumps({"action": "subscribe", "filters": ["job", "pattern"]}))
        except (OSError, WebSocketException) as error:
            raise CheckFailedError(f"{url} cannot be opened: {error}") from None
        self._wait(lambda message: message["type"] == "system:subscribed", "the answer 'system:subscribed'")

    def _expect_event(self, event_type: str, entity_id: str) -> None:
        self._wait(
            lambda message: message["type"] == event_type and message["data"].get("id") == entity_id,
            f"the WebSocket event {event_type!r}",
        )
        print(f"     (WebSocket event '{event_type}' should have been broadcast)")

    def _wait(self, is_wanted: Callable[[dict[str, Any]], bool], what: str) -> None:
        """Read the monitor until the wanted message comes; others pass by."""
        if self._monitor is None:
            raise CheckFailedError(f"{what} cannot be seen, because the monitor is not open")
        deadline = time.monotonic() + self._timeout_s
        try:
            while not is_wanted(json.loads(self._monitor.recv(timeout=max(0.0, deadline - time.monotonic())))):
                pass
        except TimeoutError:
            raise CheckFailedError(f"{what} was not seen within {self._timeout_s:g} s") from None
        except (WebSocketException, ValueError, KeyError) as error:
            raise CheckFailedError(f"{what} was not seen: {error!r}") from None


def main() -> int:
    """Parse the command line and run the checks."""
    parser = argparse.ArgumentParser(description="The published N10.0 WebSocket smoke test.")
    parser.add_argument("--base-url", default="http://127.0.0.1:8000", help="address of the running server")
    parser.add_argument(
        "--timeout", type=float, default=DEFAULT_TIMEOUT_S, help="seconds to wait for one answer or event (10)"
    )
    options = parser.parse_args()
    base_url: str = options.base_url
    if not base_url.startswith(("http://", "https://")):
        parser.error(f"--base-url is {base_url!r}; expected http://… or https://…")
    if isinstance(sys.stdout, io.TextIOWrapper):
        with contextlib.suppress(ValueError):  # a stream that was read from already keeps its encoding
            sys.stdout.reconfigure(encoding="utf-8", line_buffering=True)
    return 1 if SmokeTest(base_url, options.timeout).run() else 0


if __name__ == "__main__":
    sys.exit(main())
