"""Everybody who is connected, what they ask for, and what becomes of it.

Rule 1: the log is the only source of events: `tailer` fills the ring from it, `fan_out` brings the ring to subscribers.
Rule 2: commands of one client are carried out in the order in which they came, also when one has to read the log.
Rule 3: everything here runs on the event loop; only reading the log is awaited.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, replace
from typing import Final

from rmos.auth.identity import LOCAL, UNKNOWN, Identity
from rmos.auth.permissions import ACTIONS, require
from rmos.clock import Clock, utc_now
from rmos.domain.entities import JsonObject
from rmos.domain.events import METRICS_SNAPSHOT
from rmos.domain.filters import MAX_CHANNELS, MAX_TYPES
from rmos.domain.ids import short_name
from rmos.errors import ExpiredError, ForbiddenError, StorageError
from rmos.eventlog.base import EventLog, LogHead
from rmos.hub.doorkeeper import Authority, Doorkeeper, NoAuthority
from rmos.hub.fan_out import FanOut
from rmos.hub.filling import Filling
from rmos.hub.limits import Limits, MaxConnections
from rmos.hub.paging import StatePages
from rmos.hub.replay import Pace
from rmos.hub.ring import Ring
from rmos.hub.snapshots import SnapshotFeed, SnapshotSource
from rmos.hub.starts import LIVE, Begin, find_begin
from rmos.hub.subscriber import Sink, Subscriber
from rmos.hub.sweep import Periods, Sweep
from rmos.hub.tailer import Tailer
from rmos.hub.time_travel import TimeTravel
from rmos.protocol.close_codes import CloseCode
from rmos.protocol.commands import (
    Auth,
    Command,
    CommandError,
    Mode,
    Ping,
    ReadState,
    Since,
    StartReplay,
    SteerReplay,
    Subscribe,
    Unsubscribe,
    action_of,
)
from rmos.protocol.forms import TEXT_FRAMES, Form
from rmos.protocol.frames import MAX_MESSAGE_BYTES
from rmos.protocol.messages import closing_frame, error_frame, gap_frame, system_frame
from rmos.protocol.session import COMMAND_BURST, COMMANDS_PER_S, Dismissal, Outcome, Refusal, ServerSession

log = logging.getLogger(__name__)

_RETENTION_S: Final = 10.0
RETRY_AFTER_S: Final = 1.0
"""What a client closed for the server's own reasons is told to wait at least."""


@dataclass(frozen=True, slots=True)
class HubOptions:
    """What the hub takes from the settings."""

    periods: Periods
    ring_events: int
    poll_s: float
    metrics_interval_s: float
    max_connections: MaxConnections


class Hub:
    """Every live connection of this process. One instance; not thread-safe; used from the event loop alone."""

    def __init__(
        self,
        event_log: EventLog,
        head: LogHead,
        options: HubOptions,
        *,
        snapshot_source: SnapshotSource,
        authority: Authority | None = None,
        clock: Clock = utc_now,
        pace: Pace | None = None,
    ) -> None:
        """
        Args:
            head: Where the log stands now; the hub follows it from there.
            authority: Knows who may come in; None where authentication is off.
            snapshot_source: Makes the frames of `metrics:snapshot`.
            pace: The clock of replays; None for that of the event loop.
        """
        self.epoch = head.epoch
        self.subscribers: set[Subscriber] = set()
        self._oldest = head.oldest
        self._log = event_log
        self._options = options
        self._clock = clock
        self._ring = Ring(capacity=options.ring_events, head=head.offset)
        self._fan_out = FanOut(event_log, self._ring, epoch=head.epoch, on_sent=self._on_sent, on_expired=self._expire)
        self._tailer = Tailer(
            event_log, self._ring, epoch=head.epoch, on_events=self._fan_out.grown, on_lost=self._lose_everyone
        )
        self._doorkeeper = Doorkeeper(self, authority or NoAuthority(), clock)
        self._limits = Limits(options.max_connections)
        self._sweep = Sweep(self, options.periods, clock)
        self._filling = Filling(
            event_log,
            background=self._background,
            on_filled=lambda subscriber: self._fan_out.start(subscriber, subscriber.cursor),
            on_expired=self._expire,
        )
        self._feed = SnapshotFeed(self, snapshot_source, interval_s=options.metrics_interval_s)
        self._past = TimeTravel(event_log, clock, self._background, pace=pace)
        self._tasks: asyncio.TaskGroup | None = None

    # --- life -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Follow the log and serve, until cancelled.

        A fault of the hub itself closes every connection with 1011, so that clients resume from their cursors, and
        the hub starts again at the head of the log.
        """
        while True:
            try:
                async with asyncio.TaskGroup() as tasks:
                    self._tasks = tasks
                    tasks.create_task(self._tailer.run(poll_s=self._options.poll_s))
                    tasks.create_task(self._fan_out.run())
                    tasks.create_task(self._fan_out.catch_up.run())
                    tasks.create_task(self._sweep.run())
                    tasks.create_task(self._doorkeeper.run())
                    tasks.create_task(self._feed.run())
                    tasks.create_task(self._watch_retention())
            except Exception:
                log.exception("the hub failed and starts again")
                self.close_everyone(CloseCode.INTERNAL_ERROR)
                await asyncio.sleep(self._options.poll_s)

    def wake(self) -> None:
        """The log has probably grown."""
        self._tailer.wake()

    def review_access(self) -> None:
        """Who may come in, or what they may do, has changed: close who may not go on."""
        self._doorkeeper.review()

    async def room(self) -> None:
        """Wait while events are written faster than they can be delivered; otherwise return at once."""
        await self._tailer.room()

    def close_everyone(self, code: CloseCode) -> None:
        """Close every connection."""
        for subscriber in tuple(self.subscribers):
            self.close(subscriber, code, retry_after=RETRY_AFTER_S)

    # --- what connections call --------------------------------------------------------------------------------

    def connect(
        self,
        sink: Sink,
        *,
        is_v2: bool,
        identity: Identity = LOCAL,
        form: Form = TEXT_FRAMES,
        address: str | None = None,
    ) -> Subscriber:
        """Take in a client whose handshake is done. Nothing is sent until `welcome` or `close`.

        Args:
            address: Of the client's machine, for the limit of connections; None when it is not known.
        """
        now = asyncio.get_running_loop().time()
        session = ServerSession(is_v2=is_v2, now=now)
        subscriber = Subscriber(short_name(), sink, session, now, identity=identity, form=form, address=address)
        self.subscribers.add(subscriber)
        return subscriber

    def welcome(self, subscriber: Subscriber, first: Subscribe | CommandError | None = None) -> None:
        """Greet the client and do what its URL asked for; beyond the limit of connections, close it.

        Who is unknown is asked for `auth` first, and greeted then.
        """
        if (reason := self._limits.admit(subscriber)) is not None:
            self.close(subscriber, CloseCode.CONNECTION_LIMIT, reason, retry_after=RETRY_AFTER_S)
            return
        if subscriber.identity is UNKNOWN:
            self._doorkeeper.ask(subscriber, first)
            return
        if not self._doorkeeper.lets_in(subscriber):
            return
        if isinstance(first, Subscribe) and first.is_v2:
            subscriber.session.is_v2 = True
        self._sweep.add(subscriber)
        self.send(subscriber, self._connected(subscriber))
        self._doorkeeper.enter(subscriber)
        if isinstance(first, CommandError):
            self.send(subscriber, error_frame(first))
        elif first is not None:
            self._obey(subscriber, first)

    async def refusal(self, command: Subscribe) -> CommandError | None:
        """Why this subscription would be refused now; None when it would not. For who must know before it connects.

        Raises:
            StorageError: the log cannot be read.
        """
        if not command.is_strict:
            return None
        begin = await find_begin(command, await self._log.head(), self._log, self._filling)
        return begin.refusal(command)

    def too_many(self, address: str | None, identity: Identity) -> str | None:
        """Why one more connection from there is too many; None when it is not. For who must know before it connects."""
        return self._limits.refusal(address, identity)

    def listen(self, subscriber: Subscriber, command: Subscribe) -> None:
        """Begin the only subscription of a client that cannot send commands; it is not greeted."""
        subscriber.takes_commands = False
        if (reason := self._limits.admit(subscriber)) is not None:
            self.close(subscriber, CloseCode.CONNECTION_LIMIT, reason, retry_after=RETRY_AFTER_S)
            return
        if not self._doorkeeper.lets_in(subscriber):
            return
        self._sweep.add(subscriber)
        self._obey(subscriber, command)
        self._doorkeeper.enter(subscriber)

    def receive_text(self, subscriber: Subscriber, text: str) -> None:
        """A text message of the client."""
        self.heard(subscriber)
        self._take(subscriber, subscriber.session.receive(text, subscriber.heard_at))

    def receive_binary(self, subscriber: Subscriber) -> None:
        """A binary message of the client."""
        self.heard(subscriber)
        self._take(subscriber, subscriber.session.receive_binary(subscriber.heard_at))

    def heard(self, subscriber: Subscriber) -> None:
        """Something arrived from the client, if only a pong."""
        subscriber.heard_at = asyncio.get_running_loop().time()
        subscriber.pinged_at = None

    def paused(self, subscriber: Subscriber) -> None:
        """The transport is full. May be called from within `write`."""
        if subscriber.is_closed:
            return
        subscriber.is_paused = True
        subscriber.unsent_bytes = subscriber.sink.unsent_bytes
        subscriber.moved_at = asyncio.get_running_loop().time()
        self._fan_out.paused(subscriber)

    def resumed(self, subscriber: Subscriber) -> None:
        """The transport has room again."""
        subscriber.is_paused = False
        self._filling.resumed(subscriber)
        self._fan_out.resumed(subscriber)
        self._past.resumed(subscriber)

    def gone(self, subscriber: Subscriber) -> None:
        """The connection is lost, or closing by itself."""
        if subscriber.is_closed:
            return
        subscriber.is_closed = True
        self.subscribers.discard(subscriber)
        self._limits.forget(subscriber)
        self._sweep.discard(subscriber)
        self._filling.stop(subscriber)
        self._doorkeeper.forget(subscriber)
        self._fan_out.forget(subscriber)
        self._past.forget(subscriber)

    def close(
        self, subscriber: Subscriber, code: CloseCode, reason: str | None = None, *, retry_after: float | None = None
    ) -> None:
        """Tell the client why, and close. `retry_after` in seconds, None for at its own discretion."""
        if subscriber.is_closed:
            return
        self.gone(subscriber)
        reason = reason or code.reason
        level = logging.DEBUG if code is CloseCode.CONNECTION_LIMIT else logging.INFO  # those are counted by `limits`
        log.log(
            level,
            "connection closed by the server",
            extra={
                "client": subscriber.id,
                "peer": subscriber.sink.peer,
                "user": subscriber.identity.user,
                "code": int(code),
                "reason": reason,
            },
        )
        farewell = closing_frame(code, reason, reconnect=code.reconnects, retry_after=retry_after)
        subscriber.sink.close(code, reason, last_words=subscriber.form.encode(farewell))

    # --- what the sweep and the snapshot feed call ------------------------------------------------------------

    @property
    def head(self) -> int:
        """The newest offset that the hub knows."""
        return self._ring.head

    def reached(self, subscriber: Subscriber) -> int:
        """The offset up to which everything that the subscriber wants was written to it."""
        return self._fan_out.reached(subscriber)

    def send(self, subscriber: Subscriber, payload: bytes) -> None:
        """Write one frame to one subscriber."""
        if not subscriber.is_closed:
            subscriber.write(payload)

    def has_listeners(self, event_type: str) -> bool:
        """Whether anybody subscribed to events of this type that are heard on no channel."""
        return self._fan_out.wants(event_type)

    def broadcast(self, event_type: str, payload: bytes, *, among: Iterable[Subscriber] | None = None) -> None:
        """Write a frame that is not in the log, and heard on no channel, to who wants its type and can take it.

        Args:
            among: Who is asked; None asks everybody.
        """
        encoded: dict[Form, bytes] = {}
        for subscriber in tuple(self.subscribers if among is None else among):
            group = subscriber.group
            if group is not None and group.wanted.matches(event_type, ()) and not subscriber.is_paused:
                form = subscriber.form
                if form not in encoded:
                    encoded[form] = form.encode(payload)
                subscriber.sink.transport.write(encoded[form])

    # --- commands ---------------------------------------------------------------------------------------------

    def _take(self, subscriber: Subscriber, outcome: Outcome) -> None:
        if subscriber.identity is UNKNOWN:
            self._doorkeeper.hear(subscriber, outcome)
            return
        if subscriber.backlog is not None:
            subscriber.backlog.append(outcome)
            return
        match outcome:
            case Refusal(frame):
                self.send(subscriber, frame)
            case Dismissal(frame, code):
                self.send(subscriber, frame)
                self.close(subscriber, code)
            case _:
                self._obey(subscriber, outcome)

    def _obey(self, subscriber: Subscriber, command: Command) -> None:
        action = action_of(command)
        try:
            require(subscriber.identity, ACTIONS.get(action), f"action {action!r}")
        except ForbiddenError as error:
            self.send(subscriber, error_frame(CommandError("forbidden", error.message, command.id)))
            return
        match command:
            case Auth():
                self._doorkeeper.renew(subscriber, command)
            case Ping(command_id):
                self.send(subscriber, system_frame("pong", {} if command_id is None else {"id": command_id}))
            case Unsubscribe(command_id):
                self._filling.stop(subscriber)
                self._past.stop(subscriber)
                self._fan_out.unsubscribe(subscriber)
                self.send(subscriber, system_frame("subscribed", self._subscribed(subscriber, command_id)))
            case Subscribe(wanted=wanted) if wanted.allowed != subscriber.identity.channels:
                self._obey(subscriber, replace(command, wanted=wanted.narrowed(subscriber.identity.channels)))
            case Subscribe(start=None):
                self._activate(subscriber, command, LIVE)
            case Subscribe(start=Since(cursor)) if self._can_go_on(cursor.epoch, cursor.offset):
                self._activate(subscriber, command, Begin(cursor.offset))
            case Subscribe():
                subscriber.backlog = deque()
                self._background(self._activate_from_log(subscriber, command))
            case ReadState() | StartReplay() | SteerReplay():
                subscriber.backlog = deque()
                self._background(self._look_back(subscriber, command))

    def _background(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        if self._tasks is None:
            work.close()
            raise RuntimeError("the hub is not running")
        return self._tasks.create_task(work)

    async def _look_back(self, subscriber: Subscriber, command: ReadState | StartReplay | SteerReplay) -> None:
        """Answer a command about the past, then carry out what the client asked for meanwhile, in its order."""
        try:
            await self._past.obey(subscriber, command)
        except CommandError as error:
            self.send(subscriber, error_frame(error))
        except StorageError as error:
            log.warning("a look at the past failed", extra={"client": subscriber.id, "error": str(error)})
            refusal = CommandError("unavailable", "the event log cannot be read just now", command.id)
            self.send(subscriber, error_frame(refusal, retry_after=RETRY_AFTER_S))
        self._work_off(subscriber)

    def _can_go_on(self, epoch: str, offset: int) -> bool:
        """Whether this is plainly a place that can be resumed from, without a look at the log: many come back at once.

        What the log no longer keeps has expired also while the ring still has it (PROTOCOL.md RES-07).
        """
        is_kept = offset >= self._oldest - 1 and self._ring.holds_after(offset)
        return epoch == self.epoch and is_kept and offset <= self._ring.sent

    async def _activate_from_log(self, subscriber: Subscriber, command: Subscribe) -> None:
        """Find the start in the log, activate, then carry out what the client asked for meanwhile, in its order."""
        try:
            begin = await self._find_begin(command)
        except (StorageError, ExpiredError) as error:
            log.warning("a subscription could not be started", extra={"client": subscriber.id, "error": str(error)})
            unavailable = CommandError("unavailable", "the event log cannot be read just now", command.id)
            self._refuse(subscriber, unavailable, CloseCode.INTERNAL_ERROR, retry_after=RETRY_AFTER_S)
        else:
            if (refusal := begin.refusal(command)) is not None:
                self._refuse(subscriber, refusal, CloseCode.BAD_REQUEST)
            elif not subscriber.is_closed:
                self._activate(subscriber, command, begin)
        self._work_off(subscriber)

    def _refuse(
        self, subscriber: Subscriber, refusal: CommandError, code: CloseCode, *, retry_after: float | None = None
    ) -> None:
        """Say why there is no subscription. Who cannot ask for another one is closed with this code."""
        self.send(subscriber, error_frame(refusal, retry_after=retry_after))
        if not subscriber.takes_commands:
            self.close(subscriber, code, refusal.message, retry_after=retry_after)

    def _work_off(self, subscriber: Subscriber) -> None:
        """Carry out the backlog, up to the next command that has to read the log."""
        waiting, subscriber.backlog = subscriber.backlog, None
        for outcome in waiting or ():
            if not subscriber.is_closed:
                self._take(subscriber, outcome)

    async def _find_begin(self, command: Subscribe) -> Begin:
        """Where the subscription begins, by the log as it is now."""
        head = await self._log.head()
        self._oldest = head.oldest
        begin = await find_begin(command, head, self._log, self._filling)
        while begin.after is not None and self._ring.sent < begin.after:  # the database is ahead of the hub
            self._tailer.wake()
            await self._fan_out.ticked()
        return begin

    def _activate(self, subscriber: Subscriber, command: Subscribe, begin: Begin) -> None:
        """Put the subscription in force, say so, and begin with the snapshot or the replay."""
        self._filling.stop(subscriber)
        self._fan_out.subscribe(subscriber, command.wanted, command.mode)
        if command.wanted.matches(METRICS_SNAPSHOT, ()):
            self._feed.welcome(subscriber)
        if begin.snapshot is not None and begin.after is not None:
            self._fill(subscriber, command, begin.after, *begin.snapshot)
            return
        sent = self._ring.sent
        answer = self._subscribed(subscriber, command.id)
        if command.start is not None:
            answer |= {"recovered": begin.after is not None, "reason": begin.reason}
        if begin.after is not None and begin.after < sent:
            answer["replay"] = {"from": begin.after + 1, "to": sent, "truncated": begin.reason is not None}
        self.send(subscriber, system_frame("subscribed", answer))
        if begin.reason is not None and begin.missed_after is not None and begin.missed_after < sent:
            self.send(subscriber, gap_frame(begin.missed_after, sent, begin.reason))
        self._fan_out.start(subscriber, begin.after)

    def _fill(self, subscriber: Subscriber, command: Subscribe, at: int, pages: StatePages, first: bytes) -> None:
        """Say that the subscription is in force, and begin with the snapshot. Events wait until that is complete."""
        self._fan_out.hold(subscriber, at)
        answer = self._subscribed(subscriber, command.id) | {"offset": at, "snapshot": {"offset": at}}
        self.send(subscriber, system_frame("subscribed", answer))
        self.send(subscriber, first)
        if subscriber.is_closed:
            return
        if pages.is_over:
            self._fan_out.start(subscriber, at)
        else:
            self._filling.go_on(subscriber, pages)

    def _connected(self, subscriber: Subscriber) -> bytes:
        return system_frame(
            "connected",
            {
                "message": "Real-time monitoring active",
                "protocol": subscriber.session.protocol,
                "client": subscriber.id,
                "epoch": self.epoch,
                "offset": self._ring.sent,
                "oldest": self._oldest,
                "heartbeat_s": self._options.periods.heartbeat_s,
                "server_time": self._clock(),
                "auth": {
                    "required": subscriber.identity.credential is not None,
                    "user": subscriber.identity.user,
                    "expires_at": subscriber.identity.expires_at,
                },
                "limits": {
                    "max_frame_bytes": MAX_MESSAGE_BYTES,
                    "max_channels": MAX_CHANNELS,
                    "max_types": MAX_TYPES,
                    "commands_per_s": COMMANDS_PER_S,
                    "command_burst": COMMAND_BURST,
                },
            },
        )

    def _subscribed(self, subscriber: Subscriber, command_id: str | None) -> JsonObject:
        wanted = subscriber.group.wanted if subscriber.group else None
        return {
            "filters": [*subscriber.filter_names],
            "channels": None if wanted is None or wanted.channels is None else [*sorted(wanted.channels)],
            "types": None if wanted is None or wanted.types is None else [*sorted(wanted.types)],
            "mode": subscriber.group.order.mode if subscriber.group else Mode.STREAM,
            "id": command_id,
            "epoch": self.epoch,
            "offset": self._ring.sent,
            "recovered": None,
            "reason": None,
            "replay": None,
            "snapshot": None,
        }

    def _on_sent(self) -> None:
        self._tailer.sent()

    def _expire(self, subscriber: Subscriber) -> None:
        """It is so far behind that the log no longer keeps what comes next: it must be told, at its next subscribe."""
        self.close(subscriber, CloseCode.TOO_SLOW, "behind what the log keeps", retry_after=RETRY_AFTER_S)

    def _lose_everyone(self) -> None:
        """The log does not go on where the hub stood: nobody may be served as if it did."""
        log.error("the event log has a hole before the hub's place; every connection is closed to resume")
        self.close_everyone(CloseCode.TOO_SLOW)

    async def _watch_retention(self) -> None:
        """Keep the published `oldest` fresh."""
        while True:
            await asyncio.sleep(_RETENTION_S)
            try:
                self._oldest = (await self._log.head()).oldest
            except StorageError:
                log.warning("the head of the log could not be read")
