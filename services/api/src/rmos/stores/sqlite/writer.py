"""The one thread that writes, with group commit.

While a group is being committed, callers submit the next one. So the cost of a commit (an fsync) is shared by as many
writes as wait for it, without any delay to collect them.

Rule 1: nobody is told of a write before COMMIT has returned.
Rule 2: a work runs on the thread, in memory (`stores.batch`); only whole, successful works reach the database.
Rule 3: when the database refuses a group for what is in it, its works run again, each in a transaction of its own, so
one bad work fails alone. A work must therefore have no effect but on its transaction.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

from rmos.errors import UnavailableError
from rmos.stores.base import Transaction
from rmos.stores.batch import Changes, Unit
from rmos.stores.sqlite.connection import blames_content, is_busy, meaning, roll_back
from rmos.stores.sqlite.housekeeping import Housekeeping
from rmos.stores.sqlite.rows import CommittedRows, flush

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_WAITING: Final = 20_000
"""Writes that may wait; more are refused. Some seconds of work, so that who waits still gets an answer in time."""
GROUP_WORKS: Final = 1024
GROUP_BYTES: Final = 8 * 1024 * 1024
"""A group ends at whichever comes first: it bounds the memory, the WAL and the time until the first one is answered."""


@dataclass(slots=True)
class _Submitted:
    """A work that waits, and what became of it."""

    work: Callable[[Transaction], Any]  # Any: each work has a result type of its own, which `submit` gives back
    answer: asyncio.Future[Any]  # Any: as above
    since: float
    """`time.monotonic` of its submission."""
    result: Any = None  # Any: as above
    error: BaseException | None = None


class Writer:
    """Runs the works of `submit` in order.

    `submit` is for the event loop that made the writer, `stop` for any other thread. The connection belongs to the
    thread until `stop` has returned.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        housekeeping: Housekeeping,
        *,
        loop: asyncio.AbstractEventLoop,
        on_commit: Callable[[], None],
        busy_timeout_s: float,
    ) -> None:
        self._connection = connection
        self._committed = CommittedRows(connection)
        self._housekeeping = housekeeping
        self._loop = loop
        self._on_commit = on_commit
        self._busy_timeout_s = busy_timeout_s
        self._queue: SimpleQueue[_Submitted | None] = SimpleQueue()
        """None says that nothing will follow."""
        self._waiting: deque[_Submitted] = deque()
        """Taken from the queue and not yet begun; only the thread looks at it."""
        self._alone = 0
        """Works that are to run in a transaction of their own."""
        self._trouble: str | None = None
        """Why writes fail at present; said once, not for each group."""
        self._stopping = False
        self._unanswered = 0
        self._accepting = True
        self._thread = threading.Thread(target=self._run, name="rmos-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Transaction], T]) -> asyncio.Future[T]:
        """The result of `work`, once its transaction is durable.

        Raises:
            UnavailableError: stopped, or too many writes are waiting.
        """
        if not self._accepting:
            raise UnavailableError("the stores are closed")
        if self._unanswered >= MAX_WAITING:
            raise UnavailableError("too many writes are waiting")
        self._unanswered += 1
        answer: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Submitted(work, answer, time.monotonic()))
        return answer

    def stop(self) -> None:
        """Finish what was submitted, and end the thread. Blocks."""
        self._accepting = False
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping or self._waiting:
            self._take(self._housekeeping.due_in_s())
            if self._waiting:
                self._commit_group()
            self._housekeeping.run_if_due()

    def _take(self, timeout_s: float) -> None:
        """Move what was submitted to `_waiting`; wait for it when there is nothing to do."""
        try:
            while True:
                if self._waiting or self._stopping:
                    submitted = self._queue.get_nowait()
                else:
                    submitted = self._queue.get(timeout=timeout_s)
                if submitted is None:
                    self._stopping = True
                else:
                    self._waiting.append(submitted)
        except Empty:
            return

    def _commit_group(self) -> None:
        """One transaction: run what waits, write it, commit, answer."""
        group: list[_Submitted] = []
        changes = Changes()
        try:
            if not self._begin():
                return
            self._take(0)
            self._committed.begin()
            changes = self._work_through(group)
            if changes:
                self._require_transaction()
                flush(self._connection, changes)
                self._connection.execute("COMMIT")
        except Exception as error:
            if not self._run_alone(group, error):
                self._fail(group, error)
            return
        finally:
            roll_back(self._connection)
        if changes:
            self._say_trouble(None)
            self._committed.note_commit(changes)
            self._housekeeping.note_commit()
        self._answer(group, committed=bool(changes))

    def _begin(self) -> bool:
        """Take the write lock; meanwhile refuse who has waited too long. False when nobody is left."""
        while self._waiting:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    raise
                self._refuse_overdue(error)
            else:
                return True
        return False

    def _refuse_overdue(self, error: sqlite3.Error) -> None:
        overdue: list[_Submitted] = []
        submitted_before = time.monotonic() - self._busy_timeout_s
        while self._waiting and self._waiting[0].since <= submitted_before:
            overdue.append(self._waiting.popleft())
            overdue[-1].error = meaning(error)
        if overdue:
            self._say_trouble(error)
            self._answer(overdue, committed=False)

    def _work_through(self, group: list[_Submitted]) -> Changes:
        """Run waiting works until the group is full. Returns what the successful ones changed together."""
        together = Changes()
        works = 1 if self._alone else GROUP_WORKS
        while self._waiting and len(group) < works and together.size_bytes < GROUP_BYTES:
            submitted = self._waiting.popleft()
            group.append(submitted)
            if submitted.answer.cancelled():  # whoever asked has gone
                continue
            unit = Unit(self._committed, together)
            try:
                submitted.result, submitted.error = submitted.work(unit), None
            except BaseException as error:  # whatever it is, it belongs to the caller and must not end this thread
                submitted.error = _for_a_future(error)
            else:
                together.absorb(unit.changes)
        self._alone = max(0, self._alone - len(group))
        return together

    def _run_alone(self, group: list[_Submitted], error: Exception) -> bool:
        """Put a group back that was refused for what one of its works wrote; each then has a transaction of its own."""
        if len(group) <= 1 or not blames_content(error):
            return False
        log.warning("a group of writes was refused and is run one by one", extra={"error": str(error)})
        self._waiting.extendleft(reversed(group))
        self._alone = len(group)
        return True

    def _say_trouble(self, error: Exception | None) -> None:
        """Log when writing begins to fail, fails in another way, or succeeds again."""
        trouble = None if error is None else f"{type(error).__name__}: {error}"
        if trouble == self._trouble:
            return
        if trouble is None:
            log.warning("writes succeed again")
        else:
            log.error("writes fail", extra={"error": trouble})
        self._trouble = trouble

    def _require_transaction(self) -> None:
        """Some errors of the disk end a transaction by themselves, also when a work only read.

        Raises:
            UnavailableError: what is written now would not be one whole.
        """
        if not self._connection.in_transaction:
            raise UnavailableError("the database gave the transaction up")

    def _fail(self, group: list[_Submitted], error: Exception) -> None:
        """Nothing of the group was stored, or all that waits cannot even begin.

        Told to those as well whose work raised an error of its own: it may be about a change that is now lost.
        """
        if not group:
            group.extend(self._waiting)
            self._waiting.clear()
        for submitted in group:
            submitted.error = meaning(error)
        if not blames_content(error):
            self._say_trouble(error)
        self._answer(group, committed=False)

    def _answer(self, group: list[_Submitted], *, committed: bool) -> None:
        """Hand the results over: one wake-up of the event loop for the whole group."""
        if group:
            self._loop.call_soon_threadsafe(self._resolve, group, committed)

    def _resolve(self, group: list[_Submitted], committed: bool) -> None:
        """On the event loop."""
        self._unanswered -= len(group)
        for submitted in group:
            if submitted.answer.done():  # the caller was cancelled
                continue
            if submitted.error is None:
                submitted.answer.set_result(submitted.result)
            else:
                submitted.answer.set_exception(submitted.error)
        if committed:
            self._on_commit()


def _for_a_future(error: BaseException) -> BaseException:
    """The error without the frame of this module, which would tie the whole group into a reference cycle."""
    if isinstance(error, StopIteration):  # no future takes one
        return RuntimeError("the work of a write raised StopIteration")
    if isinstance(error, sqlite3.Error):  # the work asked and the database could not answer
        return meaning(error)
    return error.with_traceback(error.__traceback__.tb_next if error.__traceback__ else None)
