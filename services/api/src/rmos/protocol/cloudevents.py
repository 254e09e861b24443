"""CloudEvents 1.0 in their JSON format: the same events for systems that already read these.

Rule 1: `data` is the document, byte for byte.
Rule 2: `source` and `id` name an event for ever. The id of a logged event is its cursor; a frame that is not in the log
        is made once, for one occasion, and gets a random id.
Rule 3: names of extensions are lower-case letters and digits, their values text or whole numbers of 32 bits. Hence
        `channels` in one text, and `offset` as text: it may outgrow 32 bits.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from rmos.domain.ids import short_name
from rmos.protocol.envelope import Envelope

SUBPROTOCOL: Final = "cloudevents.json"
"""As the WebSockets binding of CloudEvents calls it."""
BATCH_MEDIA_TYPE: Final = "application/cloudevents-batch+json"
SPEC_VERSION: Final = "1.0"
_RENAMED: Final = {"timestamp": "time", "key": "subject", "version": "entityversion"}


def source_of(site: str) -> str:
    """The `source` of everything that this shop tells."""
    return f"/rmos/{site}"


def cloud_event(envelope: Envelope, source: str) -> bytes:
    """The frame as a CloudEvent. What is null or empty is left out, as the standard wants it."""
    attributes: dict[str, Any] = {  # Any: JSON
        "specversion": SPEC_VERSION,
        "id": envelope.rest.get("id") or short_name(),
        "source": source,
        "type": f"rmos.{envelope.type.replace(':', '.', 1)}",
        "datacontenttype": "application/json",
    }
    for name, value in envelope.rest.items():
        if value is None or value in ("", []) or name == "id":
            continue
        attributes[_RENAMED.get(name, name)] = _attribute(name, value)
    return b'%b,"data":%b}' % (orjson.dumps(attributes)[:-1], envelope.data)


def _attribute(name: str, value: Any) -> Any:
    """A value of one of the types that attributes may have."""
    match name:
        case "channels":
            return ",".join(value)
        case "offset":
            return str(value)
        case _:
            return value
