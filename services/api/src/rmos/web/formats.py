"""What `format` of the stream and of the pages of the log may be."""

from __future__ import annotations

from typing import Any, Final

from rmos.web.queries import described_text

JSON_FORMAT: Final = "json"
CLOUD_EVENTS: Final = "cloudevents"
FORMATS: Final = (JSON_FORMAT, CLOUD_EVENTS)


def described_format() -> dict[str, Any]:
    """The parameter, for OpenAPI."""
    return described_text("format", "`json` (default), or `cloudevents` for CloudEvents 1.0.")
