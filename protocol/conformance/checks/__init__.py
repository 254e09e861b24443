"""A module for each part of the page. Importing this package registers every check with `rules`."""

from __future__ import annotations

from . import (
    closing,
    commands,
    connecting,
    frames,
    liveness,
    log,
    past,
    resuming,
    snapshots,
    subscribing,
    twins,
    version1,
)

__all__ = ["LONG"]

LONG = (version1.snapshots_come_periodically, *liveness.ALL)
"""Checks that mostly wait."""

_REGISTERED = (closing, commands, connecting, frames, log, past, resuming, snapshots, subscribing, twins)
