"""What an auditor asks of the log: is it what it was, and give me a part of it with its proof."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import timedelta

from rmos.clock import Timestamp, from_timestamp, to_timestamp
from rmos.errors import ConflictError, InvalidError
from rmos.eventlog.audit import AuditLog, Ends, Walk
from rmos.eventlog.bundle import BundleWriter
from rmos.eventlog.chain import HASH_BYTES


async def verify(
    audit: AuditLog, known: Iterable[tuple[int, bytes]], *, is_abandoned: Callable[[], Awaitable[bool]]
) -> Walk:
    """Walk along the whole log, a short read at a time, and compare it with the hashes that were noted elsewhere.

    Args:
        is_abandoned: Whether nobody waits for the result any more; then the walk is left where it is.
    """
    walk = Walk(known)
    while not await audit.read(walk.after, walk.feed):
        if await is_abandoned():
            break
    return walk


async def range_of(audit: AuditLog, start: str | None, end: str | None) -> tuple[int, int]:
    """First and last offset of what an export asks for.

    Args:
        start: An offset or an RFC 3339 time; None for the oldest event kept.
        end: As `start`, and itself part of the range; None for the newest event.

    Raises:
        InvalidError: neither offset nor time, or the end is before the start.
        ConflictError: an offset that the log does not have.
    """
    ends = await audit.ends()
    first = ends.oldest if start is None else await _offset(audit, "from", start, 0)
    last = ends.head if end is None else await _offset(audit, "to", end, 1)
    if not end or not end.isdecimal():
        last = max(last, first - 1)  # an interval without an event is an empty bundle
    if first < ends.oldest:
        raise ConflictError(f"event {first} is no longer kept; the oldest is {ends.oldest}")
    if max(first - 1, last) > ends.head:
        raise ConflictError(f"event {max(first, last)} is not written yet; the newest is {ends.head}")
    if last < first - 1:
        raise InvalidError.at("/to", f"{end!r} is before the start")
    return first, last


async def export(audit: AuditLog, first: int, last: int, *, now: Timestamp) -> AsyncIterator[bytes]:
    """The lines of a bundle, a page at a time.

    Raises:
        UnavailableError, CorruptError: as `BundleWriter.lines`; what was given before has no last line then.
    """
    writer = BundleWriter(first, last, epochs=await audit.epochs(), now=now)
    while not writer.is_complete:
        yield await audit.read(writer.after, writer.lines)
    yield writer.end()


def parse_noted(text: str, name: str) -> tuple[int, bytes]:
    """Offset and hash of a noted head, `<offset>:<hash in hexadecimal>`.

    Raises:
        InvalidError: of another form; `name` says where it stood.
    """
    offset, _, digits = text.rpartition(":")
    offset = offset.rpartition(":")[2]  # a whole cursor may stand before the hash
    try:
        found = int(offset), bytes.fromhex(digits)
    except ValueError:
        found = -1, b""
    if found[0] < 0 or len(found[1]) != HASH_BYTES:
        raise InvalidError.at(f"/{name}", f"is {text[:100]!r}; expected <offset>:<64 hexadecimal digits>")
    return found


def noted(ends: Ends) -> str:
    """The head in the form that `parse_noted` takes back."""
    return f"{ends.head}:{ends.hash.hex()}"


async def _offset(audit: AuditLog, name: str, text: str, before: int) -> int:
    """The offset that is meant; of a time the first one after it, less `before`."""
    if text.isdecimal() and len(text) < 19:
        return int(text)
    try:
        moment = from_timestamp(text)
    except ValueError:
        raise InvalidError.at(f"/{name}", f"is {text[:100]!r}; expected an offset or a time with its zone") from None
    # Stored times have milliseconds, so the first one after `moment` is at the next of them.
    return await audit.offset_at(to_timestamp(moment + timedelta(milliseconds=before))) - before
