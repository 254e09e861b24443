"""`rmos verify`: is the log what it was? Reads only, beside a running server or without one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final

import typer

from rmos.cli.effective import read_settings
from rmos.cli.failure import fail
from rmos.cli.progress import Report, progress_bar
from rmos.errors import RmosError

if TYPE_CHECKING:
    from rmos.eventlog.audit import Epoch, Walk
    from rmos.eventlog.bundle import BundleCheck

BUSY_TIMEOUT_S: Final = 5.0


def verify(
    file: Annotated[
        Path | None, typer.Argument(help="A bundle to check by itself. Default: the log of the database is checked.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="As for `rmos serve`.")] = None,
    head: Annotated[
        str | None, typer.Option(help="A head noted before, <offset>:<hash>; the log must still have it.")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="A bundle exported before; the log must still have each of its events.")
    ] = None,
) -> None:
    """Check the chain of hashes over the log; exit code 1 names the first event that is not what it was."""
    try:
        if file is not None:
            if data or head or bundle:
                fail("a bundle is checked by itself; leave FILE away to check the database against something")
            _check_file(file)
        else:
            _check_database(read_settings(data=data).database_path, head, bundle)
    except RmosError as error:
        fail(error.message)
    except OSError as error:
        fail(f"cannot read {error.filename}: {(error.strerror or str(error)).lower()}")
    except sqlite3.Error as error:
        fail(f"cannot read the database: {error}")


def _check_file(path: Path) -> None:
    from rmos.eventlog.bundle import BundleCheck

    with path.open("rb") as file, progress_bar() as report:
        check = BundleCheck(_lines(file))
        for offset, _ in check:
            _count(report, offset, check.header.first, check.header.last)
    header = check.header
    typer.echo(f"bundle of epoch {header.epoch}, events {header.first} to {header.last}, {check.checked} checked")
    _refuse_unsound(check)
    typer.echo(f"anchor  {header.first - 1}:{header.anchor.hex()}")
    typer.echo(f"end     {header.last}:{check.hash.hex()}")
    typer.echo("the bundle is sound")


def _check_database(path: Path, head: str | None, bundle: Path | None) -> None:
    from rmos.eventlog.bundle import BundleCheck
    from rmos.eventlog.sqlite_audit import read_epochs
    from rmos.services.audit import noted, parse_noted
    from rmos.stores.sqlite.connection import connect_reader
    from rmos.stores.sqlite.migrate import require_schema

    if not path.exists():
        fail(f"there is no database {path}; choose its folder with --data")
    check: BundleCheck | None = None
    known: Iterable[tuple[int, bytes]] = [parse_noted(head, "head")] if head is not None else ()
    with closing(connect_reader(path, busy_timeout_s=BUSY_TIMEOUT_S)) as connection:
        require_schema(path, connection)
        if bundle is None:
            walk = _walk(connection, known)
        elif head is not None:
            fail("give --head or --bundle, not both")
        else:
            with bundle.open("rb") as file:
                check = BundleCheck(_lines(file))
                hashes = iter(check)
                walk = _walk(connection, hashes)
                for _ in hashes:  # what the walk did not ask for must be sound as well
                    pass
        epochs = read_epochs(connection)
    _print_walk(path, walk, epochs)
    if check is not None:
        _refuse_unsound(check)
    if walk.fault is not None:
        fail(f"event {walk.fault.offset}: {walk.fault.reason}")
    if (head is not None or check is not None) and walk.compared == 0:
        fail("what was noted is no longer kept in the log, so it cannot be compared")
    assert walk.ends is not None  # noqa: S101  # a walk has read one page at least
    typer.echo(f"head    {noted(walk.ends)}")
    typer.echo("the log is sound" if not walk.compared else f"the log is sound, {walk.compared} noted hashes are in it")


def _walk(connection: sqlite3.Connection, known: Iterable[tuple[int, bytes]]) -> Walk:
    from rmos.eventlog.audit import Walk
    from rmos.eventlog.sqlite_audit import read_page

    walk = Walk(known)
    with progress_bar() as report:
        while not walk.feed(read_page(connection, walk.after)):
            if walk.ends is not None:
                report("verifying", walk.checked, walk.ends.head - walk.ends.oldest + 1)
    return walk


def _print_walk(path: Path, walk: Walk, epochs: list[Epoch]) -> None:
    ends = walk.ends
    assert ends is not None  # noqa: S101  # a walk has read one page at least
    typer.echo(f"{path}: epoch {ends.epoch}, events {ends.oldest} to {ends.head}, {walk.checked} checked")
    for epoch in epochs:
        typer.echo(f"epoch   {epoch.name} from event {epoch.start}, {epoch.time}, {epoch.reason}")


def _refuse_unsound(check: BundleCheck) -> None:
    if check.fault is not None:
        fail(f"the bundle is not sound; event {check.fault.offset}: {check.fault.reason}")


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of the file, cut where no line of a bundle would be so long."""
    from rmos.eventlog.bundle import MAX_LINE_BYTES

    while line := file.readline(MAX_LINE_BYTES):
        yield line


def _count(report: Report, offset: int, first: int, last: int) -> None:
    if offset % 500 == 0:
        report("verifying", offset - first + 1, last - first + 1)
