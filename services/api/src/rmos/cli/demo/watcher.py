"""Whoever shows the demo's shop to people."""

from __future__ import annotations

from typing import Protocol


class Watcher(Protocol):
    """Is told what happens; `view.View` is one."""

    def happened(self, kind: str, text: str) -> None:
        """Something worth a line; `kind` is `job`, `pattern`, `material`, `good`, `bad` or `note`."""
        ...

    def machine(self, name: str, text: str, progress: float | None) -> None:
        """What a machine is doing now."""
        ...
