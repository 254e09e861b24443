"""Who may talk to this server from a browser.

Any web page can send requests to 127.0.0.1 from the browser of the person who visits it. Two checks keep it out, also
where nobody logs in:
    1. `Host` must be a name of this server. A page that had its own name point to 127.0.0.1 (DNS rebinding) is
       otherwise same-origin, and could read and write everything.
    2. `Origin`, where there is one, must be this server or an allowed one for everything that writes. Scripts and
       command line tools send none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from rmos.settings import Settings, is_loopback

DEV_ORIGINS: Final = ("http://localhost:5173", "http://127.0.0.1:5173")
"""Where `make dev` serves the web app from; allowed only while the server listens on loopback."""
LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class OriginPolicy:
    """Which hosts and origins this server answers.

    Attributes:
        hosts: Names that `Host` may carry on a loopback connection; None where any may be, because the server listens
            on an address, or stands behind a proxy, whose names it cannot know.
        origins: Web origins besides the server's own, as browsers write them.
    """

    hosts: frozenset[str] | None
    origins: frozenset[str]

    @classmethod
    def of(cls, settings: Settings) -> OriginPolicy:
        """The policy that follows from the address to listen on and `RMOS_ALLOWED_ORIGINS`."""
        allowed = {origin.rstrip("/").lower() for origin in settings.allowed_origins}
        if not is_loopback(settings.host) or settings.is_published:
            return cls(None, frozenset(allowed))
        names = {host for origin in allowed if (host := _split(origin).hostname)}
        return cls(LOOPBACK_NAMES | names | {settings.host.lower()}, frozenset({*allowed, *DEV_ORIGINS}))

    def is_host_allowed(self, host: str, address: str | None) -> bool:
        """Whether a request with this `Host`, received on this address of the server, is meant for it."""
        if self.hosts is None or (address is not None and not is_loopback(address)):
            return True
        return _split(f"//{host}").hostname in self.hosts

    def is_origin_allowed(self, origin: str, host: str) -> bool:
        """Whether a page of this origin may write: a page of the server itself, or of an allowed origin.

        Only authorities are compared: behind a proxy that ends TLS the page is https, and the server cannot know.
        """
        origin = origin.lower()
        authority = _split(origin).netloc
        return (authority != "" and authority == host.lower()) or origin in self.origins


def _split(url: str) -> SplitResult:
    """The parts of a URL that anybody may have made up; no parts at all when it is malformed."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")
