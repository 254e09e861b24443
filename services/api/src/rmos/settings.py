"""Every setting, one list. Each has a default, so the program runs with none set.

Rule 1: read from `RMOS_…` environment variables; a command line option of the same name beats them.
Rule 2: the unit is in the name. `rmos doctor` and docs/reference/settings.md are made from this list.
"""

from __future__ import annotations

import os
from datetime import time
from functools import lru_cache
from importlib import metadata
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["Settings", "default_data_dir"]


def default_data_dir() -> Path:
    """`<checkout>/data` when the package runs from a checkout, else the user's data folder.

    Found from the package and not from the current folder, so that every way to start uses the same file.
    """
    checkout = Path(__file__).resolve().parents[4]
    if (checkout / "services" / "api" / "pyproject.toml").exists():
        return checkout / "data"
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "rmos"
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "rmos"


@lru_cache(maxsize=256)  # asked at every request, for one of the few addresses of this machine
def is_loopback(address: str) -> bool:
    """Whether only programs of this machine reach a server at this address."""
    if address.lower() == "localhost":
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


class ShiftTime(BaseModel):
    """One shift: its weekdays, 1 (Monday) to 7, and its times of the wall clock. It may go over midnight."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=60)
    days: list[Annotated[int, Field(ge=1, le=7)]] = Field(min_length=1)
    start: time
    end: time


class Settings(BaseSettings):
    """Effective settings of one server process. Immutable once read."""

    model_config = SettingsConfigDict(env_prefix="RMOS_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one.")
    data: Path = Field(
        default_factory=default_data_dir,
        description="Folder of the database, relative to the current folder. Default: `data` in a checkout, "
        "else the user's data folder.",
    )
    database_url: str | None = Field(
        None,
        description="Where the shop is stored, e.g. `sqlite:////srv/rmos/rmos.db`. Default: `rmos.db` in the data.",
    )
    site: str = Field(
        "shop",
        pattern=r"^[A-Za-z0-9._~-]{1,64}$",
        description="Name of this shop in CloudEvents, whose `source` is `/rmos/` and this name.",
    )
    auth: Literal["auto", "required", "off"] = Field(
        "auto",
        description="Whether people and programs must say who they are. `auto`: not on a loopback address, unless "
        "behind a proxy; everywhere else yes.",
    )
    tls_cert: Path | None = Field(
        None, description="Certificate with its chain, PEM; with `RMOS_TLS_KEY` the server speaks https and wss."
    )
    tls_key: Path | None = Field(None, description="Private key of the certificate, PEM.")
    behind_proxy: bool = Field(
        False,
        description="A reverse proxy in front ends TLS: believe what it says of the client, and answer to any name.",
    )
    trusted_proxies: list[str] = Field(
        default_factory=lambda: ["127.0.0.1", "::1"],
        description="Addresses and networks of that proxy, as a JSON list. Default: this machine.",
    )
    insecure: bool = Field(
        False, description="Allow an address that other machines can reach without TLS, or without a login."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["console", "json"] = Field("console", description="How log lines are rendered.")
    busy_timeout_s: float = Field(
        5.0,
        gt=0,
        description="How long a write waits for a database locked by another program before it answers 503.",
    )
    log_keep_days: float | None = Field(
        None, gt=0, description="Age in days after which events leave the log. Default: never."
    )
    log_keep_events: int | None = Field(None, ge=1, description="Number of newest events the log keeps. Default: all.")
    shifts: list[ShiftTime] = Field(
        default_factory=list,
        description="When the shop works, as a JSON list, e.g. "
        '`[{"name": "early", "days": [1, 2, 3, 4, 5], "start": "06:00", "end": "14:00"}]`; days are 1 (Monday) to 7. '
        "Default: figures plan eight hours from Monday to Friday.",
    )
    time_zone: str = Field("UTC", description="Where the shifts are, e.g. `Europe/Berlin`.")
    allowed_origins: list[str] = Field(
        default_factory=list,
        description="Web origins besides the server's own that may read, write and open the monitor, as a JSON list.",
    )
    lean_connections: bool = Field(
        True,
        description="Serve WebSockets past ASGI where the server allows it (2 KB instead of 31 KB a connection).",
    )
    ring_events: int = Field(65_536, ge=256, description="Number of newest events kept in memory, ready to send.")
    heartbeat_s: float = Field(
        15.0, gt=0, description="Seconds between `system:heartbeat` frames to version 2 clients."
    )
    ping_interval_s: float = Field(20.0, gt=0, description="Seconds of silence after which a client is pinged.")
    ping_timeout_s: float = Field(
        20.0, gt=0, description="Seconds a client has to answer a ping before it is closed with 4008."
    )
    stall_timeout_s: float = Field(
        30.0, gt=0, description="Seconds without progress after which a slow client is closed with 4108."
    )
    metrics_interval_s: float = Field(
        5.0, gt=0, description="Seconds between `metrics:snapshot` events to who subscribed to `metrics`."
    )
    watch_interval_s: float = Field(
        5.0, gt=0, description="Seconds between two looks for unusual jobs, stalled jobs and silent machines."
    )
    watch_silence_s: float = Field(
        300.0, gt=0, description="Silence of a job or machine that is never told, however lively it usually is."
    )
    max_connections: int = Field(
        10_000, ge=1, description="WebSockets and streams served at once; more are closed with 4129, or get 429."
    )
    max_connections_per_address: int | None = Field(
        None,
        ge=1,
        description="How many of them from one address. Default: 1,000 from another machine, any number from this one.",
    )
    max_connections_per_user: int = Field(1000, ge=1, description="How many of them of one user, where people log in.")
    poll_s: float = Field(1.0, gt=0, description="Seconds after which the log is read even without a wake-up.")
    shutdown_grace_s: float = Field(5.0, gt=0, description="Seconds open requests and connections get at shutdown.")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"unknown time zone {name!r}; expected one such as Europe/Berlin") from None
        return name

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith("sqlite:///"):
            raise ValueError(f"unknown database {url!r}; expected sqlite:///<path>")
        return url

    @property
    def is_auth_required(self) -> bool:
        """Whether everybody must say who they are, wherever they come in."""
        return self.auth == "required" or (self.auth == "auto" and (self.behind_proxy or not is_loopback(self.host)))

    @property
    def is_published(self) -> bool:
        """Whether a proxy shows this server to others under names of its own, and they have to log in."""
        return self.behind_proxy and self.is_auth_required

    @property
    def database_path(self) -> Path:
        """Absolute path of the SQLite file."""
        if self.database_url is not None:
            return Path(self.database_url.removeprefix("sqlite:///")).absolute()
        return self.data.absolute() / "rmos.db"


def version() -> str:
    """The installed version of RMOS."""
    return metadata.version("rmos")
