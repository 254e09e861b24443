"""Effective settings: defaults, beaten by the environment, beaten by options of the command line."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import ValidationError

from rmos.errors import StartupError
from rmos.settings import Settings

Origin = Literal["default", "environment", "option"]
PREFIX: Final = "RMOS_"


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """One setting as `rmos doctor` shows it."""

    name: str
    variable: str
    value: object
    origin: Origin


def read_settings(**options: Any) -> Settings:  # Any: each option has the type of its setting, which pydantic checks
    """The settings of this process.

    Args:
        options: Values given on the command line; None for those that were not.

    Raises:
        StartupError: a value is not acceptable; the sentence names the variable or option.
    """
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        fault = error.errors()[0]
        name = str(fault["loc"][0]) if fault["loc"] else "settings"
        place = f"--{name.replace('_', '-')}" if name in given else f"{PREFIX}{name.upper()}"
        reason = fault["msg"].removeprefix("Value error, ")
        raise StartupError(f"{place} is {fault['input']!r}: {reason[0].lower()}{reason[1:]}") from None


def effective_settings(settings: Settings, **options: Any) -> list[EffectiveSetting]:  # Any: as in read_settings
    """Every setting with its value and where that came from; `options` as given to `read_settings`."""
    environment = {name.upper() for name in os.environ}  # pydantic-settings reads names without regard to case
    result = []
    for name in Settings.model_fields:
        variable = f"{PREFIX}{name.upper()}"
        origin: Origin = "default"
        if options.get(name) is not None:
            origin = "option"
        elif variable in environment:
            origin = "environment"
        result.append(EffectiveSetting(name, variable, getattr(settings, name), origin))
    return result
