"""What one connection has agreed on: its protocol version, its patience with bad input, its allowance of commands.

No I/O and no clock: the hub hands in text and the time, and carries out what comes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from rmos.protocol.close_codes import CloseCode
from rmos.protocol.commands import SUBPROTOCOL_V1, SUBPROTOCOL_V2, Command, CommandError, parse_command
from rmos.protocol.messages import error_frame

COMMANDS_PER_S: Final = 10.0
COMMAND_BURST: Final = 30.0
MAX_ERRORS_IN_A_ROW: Final = 20


@dataclass(frozen=True, slots=True)
class Refusal:
    """Answer with this frame and carry on."""

    frame: bytes


@dataclass(frozen=True, slots=True)
class Dismissal:
    """Answer with this frame, then close."""

    frame: bytes
    code: CloseCode


Outcome: TypeAlias = Command | Refusal | Dismissal


class ServerSession:
    """The server's side of the conversation with one client."""

    __slots__ = ("_allowance", "_errors", "_refilled_at", "_warned", "is_v2")

    def __init__(self, *, is_v2: bool, now: float) -> None:
        self.is_v2 = is_v2
        self._errors = 0
        self._allowance = COMMAND_BURST
        self._refilled_at = now
        self._warned = False

    @property
    def protocol(self) -> str:
        """Name of the version that is spoken."""
        return SUBPROTOCOL_V2 if self.is_v2 else SUBPROTOCOL_V1

    def receive(self, text: str, now: float) -> Outcome:
        """What a text message asks for. `now` is any steady clock, in seconds."""
        if not self._spend(now):
            return self._rate_limited()
        try:
            command = parse_command(text)
        except CommandError as error:
            return self.refuse(error)
        self._errors = 0
        self.is_v2 = self.is_v2 or command.is_v2
        return command

    def receive_binary(self, now: float) -> Outcome:
        """The answer to a binary message: the monitor has none."""
        if not self._spend(now):
            return self._rate_limited()
        return self.refuse(CommandError("binary_not_supported", "binary messages are not supported; send JSON text"))

    def refuse(self, error: CommandError) -> Refusal | Dismissal:
        """The answer to a bad command; after too many in a row the last one."""
        self._errors += 1
        frame = error_frame(error)
        return Dismissal(frame, CloseCode.BAD_REQUEST) if self._errors >= MAX_ERRORS_IN_A_ROW else Refusal(frame)

    def _spend(self, now: float) -> bool:
        """Token bucket: `COMMANDS_PER_S` in the long run, `COMMAND_BURST` at once."""
        self._allowance = min(COMMAND_BURST, self._allowance + (now - self._refilled_at) * COMMANDS_PER_S)
        self._refilled_at = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        self._warned = False
        return True

    def _rate_limited(self) -> Refusal | Dismissal:
        """The first command over the limit is a warning, the next one the end."""
        error = CommandError("rate_limited", f"more than {COMMANDS_PER_S:.0f} commands/s; wait before the next one")
        frame = error_frame(error, retry_after=1)
        if self._warned:
            return Dismissal(frame, CloseCode.ABUSIVE_RATE)
        self._warned = True
        return Refusal(frame)
