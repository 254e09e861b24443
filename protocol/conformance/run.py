"""Does this server keep the rules of PROTOCOL.md? One line a rule; exit code 1 when one was missed. See README.md."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Final

import checks
from rules import CHECKS, SHOULD, Check, Miss, Wait, elsewhere, labels
from wire import EndOfStreamError
from world import World

CHECK_S: Final = 90.0
"""Longest time of one check; only a hanging server takes it."""
_LONG: Final = frozenset(checks.LONG)


async def verdict(check: Check, world: World) -> tuple[str, str]:
    """`ok`, `MISS` or `wait`, and why."""
    try:
        async with asyncio.timeout(CHECK_S):
            await check(world)
    except Miss as found:
        return "MISS", str(found)
    except Wait as needed:
        return "wait", str(needed)
    except EndOfStreamError:
        return "MISS", "the connection ended"
    except TimeoutError:
        return "MISS", "nothing came in time"
    except (OSError, EOFError, ValueError, LookupError, TypeError) as error:
        # An answer of an unexpected form is a miss as well, however it came to light.
        return "MISS", f"{type(error).__name__}: {error}"
    return "ok", ""


async def run(world: World, wanted: Sequence[str]) -> int:
    """Check the wanted rules and print a line for each. Returns the number of misses."""
    functions = list(dict.fromkeys(c for label in wanted if elsewhere(label) is None for c in CHECKS[label]))
    # One after another, so that none meets the events of another; those that mostly wait do so together at the end.
    found = {c: await verdict(c, world) for c in functions if c not in _LONG}
    waiting = [c for c in functions if c in _LONG]
    found |= zip(waiting, await asyncio.gather(*(verdict(c, world) for c in waiting)), strict=True)
    count = dict.fromkeys(("ok", "MISS", "warn", "wait", "note"), 0)
    for label in wanted:
        if reason := elsewhere(label):
            word, why = "note", reason.reason
        else:
            word, why = max((found[c] for c in CHECKS[label]), key=lambda v: ("ok", "wait", "MISS").index(v[0]))
        if word == "MISS" and label in SHOULD:
            word = "warn"
        count[word] += 1
        print(f"{word:<4} {label} {why}".rstrip())
    print(f"{count['warn']} warnings, {count['wait']} to wait for, {count['note']} to prove elsewhere")
    print(f"{count['ok']} passed, {count['MISS']} failed")
    return count["MISS"]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="ws://127.0.0.1:8000/ws/monitor", help="address of the monitor")
    parser.add_argument("--api", default="http://127.0.0.1:8000", help="address of the REST interface")
    parser.add_argument("--slow", action="store_true", help="wait for heartbeats and pings of any length")
    parser.add_argument("--only", nargs="+", metavar="RULE", default=[""], help="labels, or sections such as RES")
    options = parser.parse_args(arguments)
    wanted = [label for label in labels() if label.startswith(tuple(options.only))]
    if not wanted:
        parser.error(f"no rule starts with {' or '.join(options.only)}")
    world = World(options.url, options.api, is_slow=options.slow)
    try:
        asyncio.run(world.head())
    except (OSError, EOFError, Miss) as error:
        print(f"{options.url} cannot be reached: {error}", file=sys.stderr)
        return 2
    return 1 if asyncio.run(run(world, wanted)) else 0


if __name__ == "__main__":
    sys.exit(main())
