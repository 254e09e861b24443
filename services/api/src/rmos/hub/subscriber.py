"""One connected client as the hub sees it: a cursor, a filter and a sink. No queue, no task, no timer.

A subscriber is either *caught up* (a member of the group of its filter; the group's cursor is the hub's) or
*lagging* (it has a cursor of its own, and is written to from the ring or the log until it has caught up).
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from rmos.auth.identity import LOCAL, Identity
from rmos.domain.filters import EventFilter
from rmos.hub.ring import Order
from rmos.protocol.forms import TEXT_FRAMES, Form
from rmos.protocol.session import Outcome, ServerSession


class Transport(Protocol):
    """Takes complete frames, in the form of its subscriber, and never blocks.

    When it holds more than it should it calls `Hub.paused`, possibly from within `write`, and later `Hub.resumed`
    from a turn of the loop of its own.
    """

    def write(self, data: bytes) -> None:
        """Send these joined frames, or hold them until the client takes them."""
        ...


class Sink(Protocol):
    """How a subscriber's bytes leave: past ASGI or through it."""

    @property
    def transport(self) -> Transport:
        """Where ready frames are written."""
        ...

    @property
    def peer(self) -> str:
        """Address of the client, for the log."""
        ...

    @property
    def unsent_bytes(self) -> int:
        """Bytes the transport holds because the client does not take them."""
        ...

    def ping(self) -> bool:
        """Send a WebSocket ping. False where none can be sent, or the server below sends its own."""
        ...

    def close(self, code: int, reason: str, *, last_words: bytes = b"") -> None:
        """Send the frames `last_words`, then the close frame; drop what the client does not take within 5 s."""
        ...


class Group:
    """The subscribers with the same order.

    `members` are caught up and share one buffer and one cursor; `size` counts the lagging ones as well.
    """

    __slots__ = ("members", "order", "size")

    def __init__(self, order: Order) -> None:
        self.order = order
        self.size = 0
        self.members: dict[Subscriber, Transport] = {}

    @property
    def wanted(self) -> EventFilter:
        """Which events they want."""
        return self.order.wanted


class Subscriber:
    """State of one connection; changed by the hub alone. Times are of the loop's clock, in seconds.

    Attributes:
        identity: Who it belongs to.
        form: How frames are written to it.
        address: Address of the client's machine, as far as it is known.
        takes_commands: Whether it can ask for something else; False for a stream of one direction.
        group: What it subscribed to; None before `subscribe` and after `unsubscribe`.
        cursor: Everything up to this offset was written to it. Valid only while it is not a member of its group.
        is_held: Whether events have to wait, because the state they change is still being sent.
        replay_to: Where the asked-for replay ends and `system:caught_up` is due; None when none is due.
        backlog: What the client said since a command that is still reading the log; None when none is.
        is_paused: Whether its transport is full; nothing is written to it then.
        is_closed: Whether it left, or was told to.
        is_looking_back: Whether it is being sent a replay or a state, and so fills its transport by itself.
        unsent_bytes: What its transport held when the sweep last looked, while it is paused.
        moved_at: When that had last become less.
        connected_at: When it came.
        heard_at: When the client was last heard.
        pinged_at: When the unanswered ping was sent; None when none is.
        beat_at: When the last heartbeat was sent.
    """

    __slots__ = (
        "address",
        "backlog",
        "beat_at",
        "connected_at",
        "cursor",
        "form",
        "group",
        "heard_at",
        "id",
        "identity",
        "is_closed",
        "is_held",
        "is_looking_back",
        "is_paused",
        "moved_at",
        "pinged_at",
        "replay_to",
        "session",
        "sink",
        "takes_commands",
        "unsent_bytes",
    )

    def __init__(
        self,
        subscriber_id: str,
        sink: Sink,
        session: ServerSession,
        now: float,
        *,
        identity: Identity = LOCAL,
        form: Form = TEXT_FRAMES,
        address: str | None = None,
    ) -> None:
        self.id = subscriber_id
        self.identity = identity
        self.sink = sink
        self.form = form
        self.address = address
        self.session = session
        self.takes_commands = True
        self.group: Group | None = None
        self.cursor = 0
        self.replay_to: int | None = None
        self.backlog: deque[Outcome] | None = None
        self.is_held = False
        self.is_paused = False
        self.is_closed = False
        self.is_looking_back = False
        self.unsent_bytes = 0
        self.connected_at = self.heard_at = self.beat_at = self.moved_at = now
        self.pinged_at: float | None = None

    def write(self, payload: bytes) -> None:
        """Write one frame to it, in its form."""
        self.sink.transport.write(self.form.encode(payload))

    @property
    def is_caught_up(self) -> bool:
        """Whether it is a member of its group."""
        return self.group is not None and self in self.group.members

    @property
    def filter_names(self) -> list[str]:
        """The filters in force, as published names."""
        return self.group.wanted.names if self.group else []
