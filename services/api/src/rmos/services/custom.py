"""Events that a program on the server makes itself, through the published `broadcast_*_event`."""

from __future__ import annotations

from rmos.domain.documents import json_faults
from rmos.domain.entities import JsonObject
from rmos.domain.events import Category, NewEvent, channels_of, event_type
from rmos.domain.fields import raise_if_any
from rmos.services.context import Context
from rmos.services.encoding import encode
from rmos.stores.base import Transaction


def append_custom(tx: Transaction, category: Category, name: str, data: JsonObject, context: Context) -> None:
    """Append `<category>:<name>` to the log. `data["id"]` gives the key, `project_id` and `machine_id` the channels.

    Raises:
        InvalidError: `name` is no event name, or `data` is not JSON.
        TooLargeError: the data are over the limit of an entity.
    """
    type_ = event_type(category, name)
    raise_if_any(json_faults(data))
    entity_id = data.get("id")
    tx.append(
        NewEvent(
            type=type_,
            data=encode(data),
            timestamp=context.now,
            key=f"{category}/{entity_id}" if isinstance(entity_id, str) else None,
            channels=channels_of(data),
            actor=context.actor,
            request_id=context.request_id,
            cause=context.cause,
        )
    )
