"""Makes a server's clock or disk go wrong while it runs, by a small library in front of the system's own calls.

Needs Linux and a C compiler.
"""

from __future__ import annotations

import mmap
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, Self

_SOURCE: Final = Path(__file__).parent / "native" / "faults.c"


def compiler() -> str | None:
    """What can build the library; None where that cannot be done."""
    return (shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")) if sys.platform == "linux" else None


class System:
    """What the servers of one nursery are told about the system. Its process needs the `variables`."""

    def __init__(self, folder: Path) -> None:
        """Build the library in a folder.

        Raises:
            subprocess.CalledProcessError: the compiler does not like it.
        """
        library = folder / "faults.so"
        told = folder / "faults.told"
        told.write_bytes(bytes(16))
        command = [compiler() or "cc", "-O2", "-Wall", "-shared", "-fPIC", "-o", str(library), str(_SOURCE)]
        subprocess.run(command, check=True, timeout=60)  # noqa: S603  # our own source
        self.variables = {"LD_PRELOAD": str(library), "FAULTS_TOLD": str(told)}
        with open(told, "r+b") as file:
            self._told = mmap.mmap(file.fileno(), 16)

    def shift_clock(self, seconds: int) -> None:
        """Let the wall clock be wrong by so much from now on."""
        self._write(0, seconds)

    def fail_fsync(self, errno: int) -> None:
        """Let fsync fail with this from now on; 0 lets it succeed."""
        self._write(8, errno)

    def _write(self, at: int, value: int) -> None:
        self._told[at : at + 8] = value.to_bytes(8, sys.byteorder, signed=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._told.close()
