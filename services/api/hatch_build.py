"""Build hook: the wheel and the source distribution carry the built web app."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))
import build_web


class WebAppHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own example leaves the config type open
    def dependencies(self) -> list[str]:
        """Node as a wheel, asked for only where the machine has none that will do."""
        if os.environ.get("RMOS_SKIP_WEB") == "1" or build_web.machine_npm():
            return []
        return [build_web.NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the app before files are collected; an editable install leaves it to `make web`."""
        if version != "editable":
            build_web.ensure(Path(self.root))
