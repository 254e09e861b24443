"""The demo in the terminal: what happens as lines, what the machines do as a table below them."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from rmos.cli.demo.catalogue import MACHINES, MINUTE_S
from rmos.cli.demo.orders import Tally
from rmos.cli.lines import COLOURS

_STYLES: Final = {**COLOURS, "good": "bold green", "bad": "bold red", "note": "dim"}
_REFRESH_PER_S: Final = 4


class View:
    """Shows a demo. On a terminal the table is drawn in place; elsewhere only the lines are printed."""

    def __init__(self, console: Console, server: str, *, speed: float) -> None:
        self._console = console
        self._server = server
        self._speed = speed
        self._machines: dict[str, tuple[str, float | None]] = {name: ("idle", None) for name in MACHINES}
        self._outage: str | None = None
        self._live = Live(
            console=console, get_renderable=self._table, refresh_per_second=_REFRESH_PER_S, transient=True
        )

    def __enter__(self) -> Self:
        self._console.print(
            f"A small shop works on {self._server} at {self._speed:g} times its pace; Ctrl-C closes it."
        )
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def happened(self, kind: str, text: str) -> None:
        """Print a line in the colour of its kind."""
        self._console.print(Text.assemble(("● ", _STYLES[kind]), text))

    def machine(self, name: str, text: str, progress: float | None) -> None:
        """Change a row of the table."""
        self._machines[name] = (text, progress)

    def outage(self, reason: str | None) -> None:
        """The server went away (with the reason), or is back (None)."""
        self._outage = reason
        if reason is None:
            self.happened("note", "the server is back")
        else:
            self.happened("bad", f"the server does not answer: {reason}; trying again")

    def _table(self) -> Group:
        table = Table.grid(padding=(0, 2))
        for name, (text, progress) in self._machines.items():
            bar = ProgressBar(total=1, completed=progress, width=20) if progress is not None else ""
            table.add_row(Text(name, style="bold"), bar, Text(text))
        head = Text(f"watch it live: {self._server}", style="dim")
        return Group("", head if self._outage is None else Text("waiting for the server …", style="yellow"), table)

    def summary(self, tally: Tally, *, shop_s: float, still_open: int) -> None:
        """Print what was done."""
        hours, minutes = divmod(round(shop_s / MINUTE_S), 60)
        rows = {
            "shop time": f"{hours} h {minutes:02} min",
            "orders": f"{tally.orders}, {tally.rosettes} rosettes finished",
            "jobs": f"{tally.completed} completed, {tally.failed} failed, {tally.cancelled} cancelled at the end",
            "tiles": f"{tally.good_tiles} good, {tally.scrap_tiles} scrap",
            "strip": f"{tally.strip_used_mm / 1000:.1f} m used, {tally.deliveries} deliveries",
        }
        table = Table.grid(padding=(0, 2))
        for name, text in rows.items():
            table.add_row(Text(name, style="bold"), text)
        self._console.print("", table)
        if still_open:
            self._console.print(
                f"{still_open} jobs are still open, because the server does not answer; the next demo ends them",
                style="bold red",
            )
