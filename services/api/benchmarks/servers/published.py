"""The published way: a connection manager that awaits `send_json` for one connection after the other.

Written as the published guide describes it, with the same paths and messages, as small as it can be.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from benchmarks import events


class ConnectionManager:
    """Who is connected and what each asked for."""

    def __init__(self) -> None:
        self.active_connections: set[WebSocket] = set()
        self.subscription_filters: dict[WebSocket, list[str]] = {}

    async def connect(self, socket: WebSocket) -> None:
        """Accept and greet."""
        await socket.accept()
        self.active_connections.add(socket)
        await socket.send_json({"type": "system:connected", "data": {"message": "monitoring"}, "timestamp": ""})

    def disconnect(self, socket: WebSocket) -> None:
        """Forget it."""
        self.active_connections.discard(socket)
        self.subscription_filters.pop(socket, None)

    async def broadcast(self, event: dict[str, object], category: str) -> None:
        """Send the event to everybody who asked for its category."""
        gone = []
        for socket in self.active_connections.copy():
            filters = self.subscription_filters.get(socket, [])
            if "all" in filters or category in filters:
                try:
                    await socket.send_json(event)
                except (RuntimeError, WebSocketDisconnect):
                    gone.append(socket)
        for socket in gone:
            self.disconnect(socket)


manager = ConnectionManager()
app = FastAPI()


@app.websocket("/ws/monitor")
async def monitor(socket: WebSocket) -> None:
    """One client."""
    await manager.connect(socket)
    try:
        while True:
            command = await socket.receive_json()
            if command["action"] == "subscribe":
                filters = command.get("filters", ["all"])
                manager.subscription_filters[socket] = filters
                await socket.send_json({"type": "system:subscribed", "data": {"filters": filters}, "timestamp": ""})
            elif command["action"] == "ping":
                await socket.send_json({"type": "system:pong", "data": {}, "timestamp": ""})
    except WebSocketDisconnect:
        manager.disconnect(socket)


@app.post("/echo", status_code=201)
async def echo(body: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
    """The least that a POST can do: what a write is held against."""
    return body


class PublishedDriver:
    """Broadcasts ready dictionaries."""

    def __init__(self) -> None:
        self.made = 0

    async def start(self) -> None:
        """Nothing to prepare."""

    async def publish(self, batch: int) -> None:
        """Broadcast one event after the other."""
        for _ in range(batch):
            self.made += 1
            await manager.broadcast(events.message_of(self.made), events.category_of(self.made))

    async def obey(self, words: list[str]) -> dict[str, Any]:  # Any: JSON
        """It has no store, so there is nothing else to command."""
        raise ValueError(f"unknown command {words}")
