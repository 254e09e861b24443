"""Autobahn's WebSocket cases against RMOS' own connection.

python -m soak.autobahn [--quick]
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterable

from soak.autobahn.cases import quick_cases
from soak.autobahn.echo import echo_server
from soak.autobahn.engine import Result, Verdict, run_all
from soak.autobahn.limits import limits
from soak.report import finish, parser_of

_AT_ONCE = 16
_LARGE_AT_ONCE = 1
"""One after the other: some hold 16 MiB more than once."""


async def _run(*, is_quick: bool) -> list[Result]:
    async with echo_server() as port:
        results = await run_all(quick_cases(), port, at_once=_AT_ONCE)
        return results if is_quick else results + await run_all(limits(), port, at_once=_LARGE_AT_ONCE)


def main(arguments: Iterable[str] | None = None) -> int:
    """Print one line of JSON."""
    parser = parser_of("soak.autobahn", __doc__)
    parser.add_argument("--quick", action="store_true", help="leave out family 9, the large messages")
    options = parser.parse_args(None if arguments is None else list(arguments))
    results = asyncio.run(_run(is_quick=options.quick))
    counts = Counter(result.verdict for result in results)
    failed = [result for result in results if result.verdict is Verdict.FAILED]
    for result in failed:
        print(result, file=sys.stderr)
    figures: dict[str, object] = {
        "autobahn_cases": len(results),
        "ok": counts[Verdict.OK],
        "non_strict": counts[Verdict.NON_STRICT],
        "informational": counts[Verdict.INFORMATIONAL],
        "failed": [result.case.number for result in failed],
        "differs": [result.case.number for result in results if result.verdict is Verdict.NON_STRICT],
    }
    return finish(figures) or int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
