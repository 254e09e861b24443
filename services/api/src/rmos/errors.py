"""Every error RMOS raises on purpose.

    RmosError
    ├── ClientError               theirs: HTTP 4xx, WebSocket `system:error`
    │   ├── BadRequestError          400 bad_request
    │   ├── UnauthorizedError        401 unauthorized
    │   ├── ForbiddenError           403 forbidden
    │   ├── NotFoundError            404 not_found
    │   ├── ConflictError            409 conflict
    │   ├── ExpiredError             410 expired
    │   ├── PreconditionFailedError  412 precondition_failed
    │   ├── TooLargeError            413 too_large
    │   ├── InvalidError             422 invalid, with one `FieldError` for each fault
    │   └── RateLimitedError         429 rate_limited, worth trying again later
    ├── StorageError              ours
    │   ├── UnavailableError         503 unavailable, worth trying again
    │   ├── StorageFullError         507 storage_full
    │   └── CorruptError             500 integrity
    ├── NotRunningError           a published function was called outside a running server
    └── StartupError              the server cannot start; one sentence for the person who started it

Rule 1: a message is lower case, names the value that was wrong and what is accepted, and ends without a full stop.
Rule 2: blame is in the type. A `ClientError` is never logged as a fault of the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of one field. `pointer` is a JSON pointer into the request body, e.g. `/geometry/rings/0/width_mm`."""

    pointer: str
    detail: str


class RmosError(Exception):
    """Root of the tree. `code` is stable and meant for programs, the message is meant for people."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    @property
    def message(self) -> str:
        """The sentence for people."""
        return str(self)


class ClientError(RmosError):
    """The request was wrong; nothing was stored."""

    code = "bad_request"
    status = 400


class BadRequestError(ClientError):
    """The request cannot be read: a malformed body, parameter or header."""


class UnauthorizedError(ClientError):
    """Nobody knows who the caller is: no credential, or one that does not hold."""

    code = "unauthorized"
    status = 401


class ForbiddenError(ClientError):
    """The caller may not do this."""

    code = "forbidden"
    status = 403


class NotFoundError(ClientError):
    """There is no such thing."""

    code = "not_found"
    status = 404


class ConflictError(ClientError):
    """The request does not fit the present state: duplicate id, closed job, referenced entity."""

    code = "conflict"
    status = 409


class ExpiredError(ClientError):
    """It was there, and is no longer kept; the message says how far back one can go."""

    code = "expired"
    status = 410


class PreconditionFailedError(ClientError):
    """`If-Match` names another version than the stored one."""

    code = "precondition_failed"
    status = 412


class TooLargeError(ClientError):
    """The body or the entity is over its limit."""

    code = "too_large"
    status = 413


class InvalidError(ClientError):
    """The request can be read, but a rule is broken. `errors` names each field and its fault."""

    code = "invalid"
    status = 422

    def __init__(self, message: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.errors = tuple(errors)

    @classmethod
    def at(cls, pointer: str, detail: str) -> InvalidError:
        """One fault at one place, which is also the message."""
        return cls(f"{pointer.removeprefix('/')}: {detail}", [FieldError(pointer, detail)])


class RateLimitedError(ClientError):
    """Too many attempts. `retry_after_s` says when the next one is looked at."""

    code = "rate_limited"
    status = 429

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StorageError(RmosError):
    """The database did not do what it must. Nothing of the failed write was stored."""


class UnavailableError(StorageError):
    """Storage cannot be reached or is locked just now. `retry_after_s` says when to try again."""

    code = "unavailable"
    status = 503

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StorageFullError(StorageError):
    """The disk is full. Reads and the live stream go on."""

    code = "storage_full"
    status = 507


class CorruptError(StorageError):
    """The database contradicts itself."""

    code = "integrity"


class NotRunningError(RmosError):
    """A published function needs a running server in this process, and there is none."""

    code = "not_running"


class StartupError(RmosError):
    """The server cannot start. The message is printed as it is; the exit code is 1."""

    code = "startup"
