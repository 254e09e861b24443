"""How good the estimates of ends are: one JSON line, of a made shop or of a running one.

    services/api/.venv/bin/python scripts/eta_quality.py [--jobs 4000 | --url http://127.0.0.1:8000]

Every estimate knows only the jobs before the one it is for. `coverage` should be at least `wanted_coverage`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "services" / "api"))

from benchmarks.jobs_dataset import fill
from rmos.errors import UnavailableError
from rmos.services.analytics.eta import eta_quality
from rmos.stores.sqlite import open_sqlite


async def of_made_shop(jobs: int) -> dict[str, Any]:
    """Quality in a shop of so many made-up jobs."""
    with tempfile.TemporaryDirectory() as folder:
        stores = await open_sqlite(Path(folder) / "rmos.db", on_commit=lambda: None)
        try:
            await fill(stores, jobs=jobs, seed=1)
            while True:
                try:
                    return dict(await stores.figures(eta_quality))
                except UnavailableError:  # still counting
                    await asyncio.sleep(0.5)
        finally:
            await stores.close()


def of_running_shop(url: str) -> dict[str, Any]:
    """Quality that a server tells."""
    with urllib.request.urlopen(f"{url}/api/analytics/jobs/eta/quality") as answer:  # noqa: S310 -- the user's own server
        return dict(json.load(answer))


def main() -> int:
    """Print the line. Returns 1 when the server gives none."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=4000)
    parser.add_argument("--url")
    given = parser.parse_args()
    if not given.url:
        print(json.dumps(asyncio.run(of_made_shop(given.jobs))))
        return 0
    try:
        print(json.dumps(of_running_shop(given.url)))
    except OSError as error:
        print(f"{given.url} does not tell it: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
