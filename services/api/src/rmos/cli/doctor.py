"""`rmos doctor`: is this installation sound, and which settings are in force?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rmos.cli.address import Token
from rmos.cli.effective import EffectiveSetting, effective_settings, read_settings
from rmos.cli.failure import fail
from rmos.errors import StartupError
from rmos.settings import version

if TYPE_CHECKING:
    from rmos.cli.checks import Finding

_MARKS: Final = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "bold red")}


def doctor(
    host: Annotated[str | None, typer.Option(help="As for `rmos serve`.")] = None,
    port: Annotated[int | None, typer.Option(help="As for `rmos serve`.")] = None,
    data: Annotated[Path | None, typer.Option(help="As for `rmos serve`.")] = None,
    token: Token = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check the installation and show every setting with its origin; exit code 1 when a check fails."""
    from rmos.cli.checks import run_checks  # SQLAlchemy would slow the start of every other command

    try:
        settings = read_settings(host=host, port=port, data=data)
    except StartupError as error:
        fail(error.message)
    console = Console(highlight=False, soft_wrap=True)
    with console.status("checking…"):  # an integrity check of a large database takes a while
        findings = list(run_checks(settings, token=token))
    effective = effective_settings(settings, host=host, port=port, data=data)
    failures = sum(finding.status == "failed" for finding in findings)
    if json:
        typer.echo(_as_json(findings, effective))
    else:
        _print_report(console, findings, effective, failures)
    raise typer.Exit(1 if failures else 0)


def _print_report(console: Console, findings: list[Finding], effective: list[EffectiveSetting], failures: int) -> None:
    for finding in findings:
        mark, style = _MARKS[finding.status]
        line = Text.assemble((mark, style), f" {finding.check:<16}{finding.detail}")
        if finding.advice:
            line.append(f"; {finding.advice}", style=style)
        console.print(line)
    console.print()
    if console.is_terminal:
        table = Table("variable", "value", "origin", box=None, header_style="bold", pad_edge=False)
        for setting in effective:
            table.add_row(setting.variable, Text(_shown(setting.value)), setting.origin)
        console.print(table)
    else:  # a table cuts long values; a file or pipe has room for them
        for setting in effective:
            console.print(Text(f"{setting.variable:<26}{_shown(setting.value)}  ({setting.origin})"))
    console.print()
    if failures:
        console.print(Text(f"{failures} check{'s' if failures > 1 else ''} failed", style="bold red"))
    else:
        console.print(Text("all is well", style="green"))


def _shown(value: object) -> str:
    return "not set" if value is None else str(value)


def _as_json(findings: list[Finding], effective: list[EffectiveSetting]) -> str:
    report = {
        "version": version(),
        "ok": all(finding.status != "failed" for finding in findings),
        "checks": findings,
        "settings": effective,
    }
    return orjson.dumps(report, default=str, option=orjson.OPT_INDENT_2).decode()
