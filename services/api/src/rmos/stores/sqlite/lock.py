"""One server per database file: a lock of the operating system, gone by itself when the process dies."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Final

from rmos.errors import StartupError

log = logging.getLogger(__name__)

_LOCKED_BYTE: Final = 1024
"""Windows locks a range of bytes and then nobody else can read them: far behind the process id that is to be read."""


class ServerLock:
    """The lock `<database>.lock`, from `ServerLock(path)` to `release`. The file stays; only the lock counts."""

    def __init__(self, database: Path) -> None:
        """Take the lock.

        Raises:
            StartupError: another server has it.
            OSError: the file cannot be made.
        """
        self._file = os.open(database.with_name(f"{database.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if not _try_lock(self._file):
                owner = os.read(self._file, 32).decode(errors="replace").strip()
                who = f" (process {owner})" if owner.isdigit() else ""
                raise StartupError(
                    f"another RMOS server{who} uses the database {database}; "
                    "stop it, or choose another folder with --data"
                )
            os.ftruncate(self._file, 0)
            os.write(self._file, f"{os.getpid()}\n".encode())
        except BaseException:
            os.close(self._file)
            raise

    def release(self) -> None:
        """Let the next server in."""
        os.close(self._file)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: int) -> bool:
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(file, 0, os.SEEK_SET)
        return True
else:
    import fcntl

    def _try_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            # Some network file systems have no locks; the shop still runs, and is told what it has lost.
            log.warning("the file system has no locks: nothing stops a second server", extra={"error": str(error)})
        return True
