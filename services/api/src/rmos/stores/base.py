"""What services may ask of the stores.

Guarantees of every implementation, held by one contract suite:
    1. All that one `write` does (changes, events, remembered answer) is committed as a whole or not at all.
    2. `write` returns after the commit is durable; until then nobody can read any of it.
    3. Writes are serialised: the work of one sees everything that earlier ones did, and no half of another.
    4. When the work raises, nothing of it is kept, and the other writes of the same group commit are not touched.
    5. Nothing here blocks the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from rmos.clock import Timestamp
from rmos.domain.access import AccessBook, AccessRecord
from rmos.domain.entities import JsonObject, JsonValue, Kind, Revision
from rmos.domain.events import Event, NewEvent
from rmos.eventlog.audit import AuditLog
from rmos.eventlog.base import EventLog
from rmos.stores.figures import Figures

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reference:
    """An entity that points to another one, by the named field (`pattern_id`, `strip_family_id`)."""

    kind: Kind
    id: str
    field: str


@dataclass(frozen=True, slots=True)
class RememberedAnswer:
    """The answer that was given under an idempotency key, kept for 7 days.

    Attributes:
        scope: Method, path, actor and the key itself.
        fingerprint: SHA-256 of the request body; another body under the same key is refused.
    """

    scope: str
    fingerprint: bytes
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    created_at: Timestamp


class Transaction(Protocol):
    """One unit of work. Synchronous: it runs on the writer thread, and only between begin and commit of its `write`."""

    def get(self, kind: Kind, entity_id: str) -> Revision | None:
        """The entity as this transaction sees it, or None."""
        ...

    def put(self, revision: Revision, columns: Mapping[str, JsonValue]) -> None:
        """Insert the entity, or replace the version before it.

        Args:
            columns: The searchable fields of the kind (`stores.schema`), by their document names.
        """
        ...

    def delete(self, kind: Kind, entity_id: str) -> None:
        """Remove the entity. The caller has made sure that nothing refers to it."""
        ...

    def referrers(self, kind: Kind, entity_id: str) -> list[Reference]:
        """Every entity that points to this one."""
        ...

    def append(self, event: NewEvent) -> None:
        """Write the event to the log, in this transaction. Offsets are given at commit, in order of `append`."""
        ...

    def access(self) -> AccessBook:
        """Everybody who may come in, as this transaction sees it."""
        ...

    def put_access(self, record: AccessRecord) -> None:
        """Insert the user, key or session, or replace the one at its address."""
        ...

    def drop_access(self, record: AccessRecord) -> None:
        """Remove the user, key or session."""
        ...

    def recall(self, scope: str) -> RememberedAnswer | None:
        """The answer remembered under this idempotency scope, or None."""
        ...

    def remember(self, answer: RememberedAnswer) -> None:
        """Keep the answer together with the write it answers."""
        ...


@dataclass(frozen=True, slots=True)
class ListQuery:
    """One page of a list.

    Attributes:
        where: Exact values by searchable field; text fields named in `stores.schema` compare without case.
        name_like: LIKE pattern on `name`, `\\` escapes; None for no condition.
        text: Free text: matches a substring of any text column of the kind, without case; None for no condition.
        at_least, below: Bounds of text fields that hold times; the first belongs to what is found, the second does not.
        sort: Fields in order of weight, each with True for descending. `id` is always the last, implicit tie-breaker.
        after: The opaque `next` of the page before; beats `offset`.
    """

    where: Mapping[str, JsonValue]
    name_like: str | None = None
    text: str | None = None
    at_least: Mapping[str, str] = field(default_factory=dict)
    below: Mapping[str, str] = field(default_factory=dict)
    sort: Sequence[tuple[str, bool]] = (("created_at", True), ("id", True))
    limit: int = 100
    offset: int = 0
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Encoded documents of one page, how many match in all, and where the next page begins (None: nowhere)."""

    items: list[bytes]
    total: int
    next: str | None


@dataclass(frozen=True, slots=True)
class Overview:
    """The shop at one moment, counted row by row.

    Attributes:
        jobs_by_status: Count for every known status, zeros included.
        entities: Count by plural name of the kind.
    """

    jobs_by_status: Mapping[str, int]
    entities: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Running:
    """What runs at one moment.

    Attributes:
        jobs: Documents of the running jobs, oldest start first, at most 100.
        offset: Head of the log at that moment.
    """

    jobs: Sequence[JsonObject]
    offset: int


class Stores(Protocol):
    """The database of the shop. One instance a process; every coroutine may be called concurrently."""

    @property
    def log(self) -> EventLog:
        """The event log of the same database."""
        ...

    @property
    def audit(self) -> AuditLog:
        """The same log with its hashes, for who verifies it."""
        ...

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction and return its result once that is durable.

        `work` must do nothing but ask and change the transaction: it may be run a second time, with the first run
        forgotten, when the database refuses another write of the same group commit.

        Raises:
            ClientError: whatever `work` raised; nothing was stored.
            UnavailableError: the database stayed locked for the busy timeout.
            StorageFullError: the disk is full.
        """
        ...

    async def get(self, kind: Kind, entity_id: str) -> Revision | None:
        """The committed entity, or None."""
        ...

    async def page(self, kind: Kind, query: ListQuery) -> Page:
        """One page of committed entities.

        Raises:
            InvalidError: unknown field in `where` or `sort`, or an `after` of another sort.
        """
        ...

    async def statistics(self, kind: Kind) -> dict[str, JsonValue]:
        """The published statistics of the kind: counts are 0 and averages None when there is nothing."""
        ...

    async def overview(self) -> Overview:
        """Counts of the shop, read in one transaction. It costs as much as there are jobs."""
        ...

    async def running(self) -> Running:
        """The jobs that run now, read in one transaction."""
        ...

    async def history(self, key: str, *, limit: int = 1000) -> list[Event]:
        """The logged events of one entity, oldest first, also after it was deleted."""
        ...

    async def access(self) -> AccessBook:
        """Everybody who may come in."""
        ...

    async def access_version(self) -> int:
        """The version of the book that `access` would answer, for less."""
        ...

    async def figures(self, work: Callable[[Figures], T]) -> T:
        """Run `work` on the figures of the shop, and return its result.

        Raises:
            UnavailableError: so much has changed since they were last asked for that counting takes seconds.
        """
        ...

    async def status(self) -> dict[str, JsonValue]:
        """Schema version, counts by kind, events, size in bytes. No path of the server."""
        ...

    async def close(self) -> None:
        """Finish what was submitted, then close. Further writes raise `UnavailableError`."""
        ...
