"""Close codes of the monitor. 1000–1999 are the WebSocket standard's, 4000–4399 come back, 4400–4999 stop."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["CloseCode"]


class CloseCode(IntEnum):
    """Why a connection was closed. `reason` is the text of the close frame, `reconnects` what the client does next."""

    reason: str

    def __new__(cls, code: int, reason: str) -> CloseCode:
        member = int.__new__(cls, code)
        member._value_ = code
        member.reason = reason
        return member

    NORMAL = 1000, "closed"
    GOING_AWAY = 1001, "going away"
    PROTOCOL_ERROR = 1002, "protocol error"
    UNSUPPORTED_DATA = 1003, "unsupported data"
    INVALID_TEXT = 1007, "text is not UTF-8"
    MESSAGE_TOO_BIG = 1009, "message too big"
    INTERNAL_ERROR = 1011, "internal error"
    RESTART = 1012, "server restarts"
    SHUTDOWN = 4000, "server shuts down"
    NO_PONG = 4008, "no answer to ping"
    TOO_SLOW = 4108, "too slow"
    CONNECTION_LIMIT = 4129, "too many connections"
    TOKEN_EXPIRED = 4301, "token expired"
    PERMISSIONS_CHANGED = 4302, "permissions changed"
    BAD_REQUEST = 4400, "malformed request"
    UNAUTHORIZED = 4401, "missing or invalid token"
    FORBIDDEN = 4403, "forbidden"
    AUTH_TIMEOUT = 4408, "no authentication in time"
    ABUSIVE_RATE = 4429, "too many requests"
    INTERNAL_FATAL = 4500, "internal error, do not retry"

    @property
    def reconnects(self) -> bool:
        """Whether a client should come back: our own range below 4400, and the standard's transient codes."""
        return 4000 <= self < 4400 or self in (1001, 1006, 1011, 1012)
