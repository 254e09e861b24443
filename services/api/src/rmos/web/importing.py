"""Import: a known id is changed, another entity is created, and either every row is taken or none."""

from __future__ import annotations

from collections.abc import Iterable

from rmos.domain.entities import JsonObject, Kind
from rmos.errors import ClientError, FieldError, InvalidError
from rmos.services import entities
from rmos.services.context import Context
from rmos.stores.base import Transaction
from rmos.web.errors import MAX_FIELD_ERRORS
from rmos.web.tables import Row


def import_rows(tx: Transaction, kind: Kind, rows: Iterable[Row], context: Context) -> JsonObject:
    """Write the rows; returns how many entities were `created`, `updated` and left `unchanged`.

    Raises:
        InvalidError: with a fault for each wrong field of each row, as many as fit an answer.
    """
    tally = {"created": 0, "updated": 0, "unchanged": 0}
    faults: list[FieldError] = []
    places: dict[str, str] = {}
    for row in rows:
        found = [FieldError(fault.pointer, f"{row.place}: {fault.detail}") for fault in row.faults]
        entity_id = row.fields.get("id")
        if isinstance(entity_id, str):
            first = places.setdefault(entity_id, row.place)
            if first != row.place:
                found.append(FieldError(f"{row.pointer}/id", f"{row.place}: id is also that of {first}"))
        if not found:
            try:
                tally[_write_row(tx, kind, row.fields, context)] += 1
            except ClientError as error:
                found = _located(error, row)
        faults += found
        if len(faults) >= MAX_FIELD_ERRORS:
            break
    if faults:
        raise InvalidError(f"nothing was imported: {faults[0].pointer.removeprefix('/')}: {faults[0].detail}", faults)
    return dict(tally)


def _write_row(tx: Transaction, kind: Kind, fields: JsonObject, context: Context) -> str:
    entity_id = fields.get("id")
    before = tx.get(kind, entity_id) if isinstance(entity_id, str) else None
    if before is None:
        entities.create(tx, kind, fields, context)
        return "created"
    after = entities.update(tx, kind, before.id, fields, context)
    return "unchanged" if after.version == before.version else "updated"


def _located(error: ClientError, row: Row) -> list[FieldError]:
    errors = error.errors if isinstance(error, InvalidError) else ()
    if not errors:
        return [FieldError(row.pointer, f"{row.place}: {error.message}")]
    return [
        FieldError(f"{row.pointer}{e.pointer}", f"{row.place}: {e.pointer.removeprefix('/')}: {e.detail}")
        for e in errors
    ]
