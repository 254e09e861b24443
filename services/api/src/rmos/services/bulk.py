"""Many writes in one transaction.

Rule 1: whole or not at all, unless the caller asks for a partial run.
Rule 2: in a partial run a failed operation leaves nothing of itself; `services.entities` refuses before it writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rmos.domain.documents import child, json_faults
from rmos.domain.entities import KINDS, JsonObject, JsonValue, Kind, Revision
from rmos.domain.fields import Reader, choice, identifier, integer, invalid, json_object, raise_if_any, read_known
from rmos.errors import ClientError, FieldError, InvalidError
from rmos.services import entities
from rmos.services.context import Context
from rmos.stores.base import Transaction

_KIND: Final[Mapping[str, Kind]] = {kind.name: kind for kind in KINDS}
_MEMBERS: Final[Mapping[str, Reader]] = {
    "op": choice(("create", "update", "delete")),
    "entity": choice(tuple(_KIND)),
    "id": identifier,
    "version": integer(at_least=1, at_most=2**63 - 1),
    "data": json_object,
}
_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {"create": ("data",), "update": ("id", "data"), "delete": ("id",)}
_OPTIONAL: Final[Mapping[str, tuple[str, ...]]] = {"create": ("id",), "update": ("version",), "delete": ("version",)}
_MAX_FAULTS: Final = 100
"""Faults after which a run that stores nothing anyway looks no further."""
_DONE: Final[Mapping[str, int]] = {"create": 201, "update": 200, "delete": 200}


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of one operation.

    Attributes:
        status: The HTTP status that the operation would have had alone.
        id: The entity, as far as it is known.
        version: The stored version; None after a deletion or an error.
        error: Why nothing was done; None when it was.
    """

    index: int
    status: int
    id: str | None
    version: int | None
    error: ClientError | None = None


@dataclass(frozen=True, slots=True)
class _Operation:
    op: str
    kind: Kind
    id: str | None
    version: int | None
    data: JsonObject


def run_bulk(tx: Transaction, operations: Sequence[JsonValue], context: Context, *, partial: bool) -> list[BulkResult]:
    """Run the operations in order; each sees what those before it did.

    Args:
        operations: `{"op", "entity", "id", "version", "data"}` each, as they were sent.
        partial: Keep what succeeds; a failed operation has its error in its result.

    Raises:
        InvalidError: unless `partial`: with every fault of every operation, by pointers such as
            `/operations/3/data/name`.
        ClientError: unless `partial`: the first operation that fails for another reason than its content.
    """
    results: list[BulkResult] = []
    faults: list[FieldError] = []
    for index, value in enumerate(operations):
        result = _result(tx, index, value, context)
        results.append(result)
        if partial or result.error is None:
            continue
        if isinstance(result.error, InvalidError):
            faults += result.error.errors
        elif not faults:
            raise result.error
        # Beside faults, other refusals may be a mere consequence: of a creation that failed, an update finds nothing.
        if len(faults) >= _MAX_FAULTS:
            break
    raise_if_any(faults)
    return results


def _result(tx: Transaction, index: int, value: JsonValue, context: Context) -> BulkResult:
    entity_id: str | None = None
    try:
        operation = _read(value)
        entity_id = operation.id
        revision = _run(tx, operation, context)
    except ClientError as error:
        return BulkResult(index, error.status, entity_id, None, _located(error, child("/operations", index)))
    if revision is not None:
        return BulkResult(index, _DONE[operation.op], revision.id, revision.version)
    return BulkResult(index, _DONE[operation.op], entity_id, None)


def _read(value: JsonValue) -> _Operation:
    """The operation as it was sent. What is in its data is for `services.entities` to judge."""
    if isinstance(value, dict):
        raise_if_any(json_faults({name: member for name, member in value.items() if name != "data"}))
    given = {name: member for name, member in read_known(_MEMBERS, value, "").items() if member is not None}
    op = str(given.get("op"))
    required = ("op", "entity", *_REQUIRED.get(op, ()))
    accepted = (*required, *_OPTIONAL.get(op, ()))
    raise_if_any(
        [FieldError(child("", name), "is required") for name in required if name not in given]
        or [
            FieldError(child("", name), f"does not belong to {op}; expected {', '.join(accepted)}")
            for name in given
            if name not in accepted
        ]
    )
    entity_id, version, data = given.get("id"), given.get("version"), given.get("data")
    return _Operation(
        op=op,
        kind=_KIND[str(given["entity"])],
        id=entity_id if isinstance(entity_id, str) else None,
        version=version if isinstance(version, int) else None,
        data=data if isinstance(data, dict) else {},
    )


def _run(tx: Transaction, operation: _Operation, context: Context) -> Revision | None:
    """The stored revision, or None after a deletion."""
    kind, entity_id, data = operation.kind, operation.id, operation.data
    try:
        if operation.op == "create" or entity_id is None:  # only a creation may go without an id
            if entity_id is not None and data.get("id", entity_id) != entity_id:
                raise InvalidError.at("/id", f"is another id than {entity_id!r} beside the data")
            return entities.create(tx, kind, data if entity_id is None else data | {"id": entity_id}, context)
        if operation.op == "update":
            return entities.update(tx, kind, entity_id, data, context, if_match=operation.version)
    except InvalidError as error:
        raise _located(error, "/data") from error
    entities.delete(tx, kind, entity_id, context, if_match=operation.version)
    return None


def _located(error: ClientError, pointer: str) -> ClientError:
    """The same error with its place among the operations in front."""
    if not isinstance(error, InvalidError):
        return type(error)(f"{pointer.removeprefix('/')}: {error.message}")
    faults = error.errors or (FieldError("", error.message),)
    return invalid([FieldError(f"{pointer}{fault.pointer}", fault.detail) for fault in faults])
