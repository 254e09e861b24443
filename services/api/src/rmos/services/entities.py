"""Create, change and delete an entity of any kind, with the event that tells of it in the same transaction.

Rule 1: everything that can be refused is refused before the first write, so a caller may go on after an error.
Rule 2: a change that changes nothing writes nothing.
Rule 3: the event's data are the very bytes that are stored; those of a deletion are the last ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import orjson

from rmos.domain.documents import json_faults
from rmos.domain.entities import JsonObject, JsonValue, Kind, Revision
from rmos.domain.events import Category, NewEvent, channels_of, event_type
from rmos.domain.fields import identifier, raise_if_any
from rmos.domain.ids import new_id
from rmos.domain.merge import merge_patch
from rmos.domain.revise import Entity, document_of
from rmos.domain.rules import RULES
from rmos.errors import ConflictError, FieldError, InvalidError, NotFoundError, PreconditionFailedError
from rmos.services.context import Context
from rmos.services.encoding import encode
from rmos.stores.base import Reference, Transaction
from rmos.stores.schema import REFERENCES

_NAMED_REFERRERS: Final = 10
"""How many referrers a refusal names; a pattern may have thousands of jobs."""


def create(tx: Transaction, kind: Kind, fields: Mapping[str, JsonValue], context: Context) -> Revision:
    """Store a new entity. Its id is `fields["id"]`, or a new one.

    Raises:
        InvalidError: a field is malformed, a rule is broken, or a referenced entity does not exist.
        ConflictError: the id is taken.
        TooLargeError: the document is over its limit.
    """
    given_id = fields.get("id")
    entity_id = new_id() if given_id is None else identifier(given_id, "/id")
    entity = RULES[kind.name].create(fields, entity_id=entity_id, now=context.now)
    document = document_of(entity)
    _check_references(tx, kind, document, {})
    if given_id is not None and tx.get(kind, entity_id) is not None:
        raise ConflictError(f"{kind.label} already exists: {entity_id}")
    revision = Revision(kind, entity_id, entity.version, encode(document))
    return _write(tx, _Step(revision, document, _event(revision, context, "created", (document,))))


def update(
    tx: Transaction,
    kind: Kind,
    entity_id: str,
    changes: Mapping[str, JsonValue],
    context: Context,
    *,
    if_match: int | None = None,
    merge: bool = False,
) -> Revision:
    """Store the entity's next version, or nothing when nothing changes. Absent fields stay; null clears a field.

    Args:
        if_match: The version that the caller has seen; None to change any.
        merge: Merge objects deeply (RFC 7396) instead of replacing each given field whole.

    Raises:
        NotFoundError: there is no such entity.
        PreconditionFailedError: another version is stored.
        InvalidError, TooLargeError: as `create`.
        ConflictError: the change does not fit the present state.
    """
    stored = _stored(tx, kind, entity_id, if_match)
    step = _next_step(tx, stored, changes, context, merge=merge)
    return stored if step is None else _write(tx, step)


def delete(
    tx: Transaction,
    kind: Kind,
    entity_id: str,
    context: Context,
    *,
    if_match: int | None = None,
    force: bool = False,
) -> None:
    """Remove the entity.

    Args:
        if_match: The version that the caller has seen; None to delete any.
        force: Clear the fields that point to it, with one event for each entity that is changed so.

    Raises:
        NotFoundError: there is no such entity.
        PreconditionFailedError: another version is stored.
        ConflictError: it is referenced, and `force` is false; the message names the referrers.
    """
    stored = _stored(tx, kind, entity_id, if_match)
    referrers = tx.referrers(kind, entity_id)
    if referrers and not force:
        raise ConflictError(
            f"{kind.label} {entity_id} is used by {_told(referrers)}; delete or change them first, "
            "or unlink them with ?force=true"
        )
    because = replace(context, cause=f"delete {kind.key(entity_id)}")
    unlinked = [
        _next_step(tx, _stored(tx, reference.kind, reference.id), {reference.field: None}, because)
        for reference in referrers
    ]
    for step in unlinked:
        if step is not None:
            _write(tx, step)
    tx.delete(kind, entity_id)
    last = Revision(kind, entity_id, stored.version + 1, stored.body)
    tx.append(_event(last, context, "deleted", (orjson.loads(stored.body),)))


@dataclass(frozen=True, slots=True)
class _Step:
    """A revision that is ready to be written, its document and its event."""

    revision: Revision
    document: JsonObject
    event: NewEvent


def _next_step(
    tx: Transaction,
    stored: Revision,
    changes: Mapping[str, JsonValue],
    context: Context,
    *,
    merge: bool = False,
) -> _Step | None:
    """The next version of what is stored, or None when nothing changes. Writes nothing."""
    kind = stored.kind
    rules = RULES[kind.name]
    before: Entity = rules.entity(**orjson.loads(stored.body))
    old = document_of(before)
    if merge:
        raise_if_any(json_faults(dict(changes)))
        changes = {name: merge_patch(old.get(name), value) for name, value in changes.items()}
    if changes.get("id", stored.id) != stored.id:
        raise InvalidError.at("/id", f"is another id than {stored.id!r}; an id never changes")
    after = rules.change(before, changes, now=context.now)
    if after is before:
        return None
    document = document_of(after)
    _check_references(tx, kind, document, old)
    revision = Revision(kind, stored.id, after.version, encode(document))
    return _Step(revision, document, _event(revision, context, rules.change_name(before, after), (old, document)))


def _write(tx: Transaction, step: _Step) -> Revision:
    tx.put(step.revision, step.document)
    tx.append(step.event)
    return step.revision


def _stored(tx: Transaction, kind: Kind, entity_id: str, if_match: int | None = None) -> Revision:
    stored = tx.get(kind, entity_id)
    if stored is None:
        raise NotFoundError(f"{kind.label} not found: {entity_id}")
    if if_match is not None and if_match != stored.version:
        raise PreconditionFailedError(
            f"{kind.label} {entity_id} has version {stored.version} now, not {if_match}; read it again"
        )
    return stored


def _check_references(
    tx: Transaction, kind: Kind, document: Mapping[str, JsonValue], before: Mapping[str, JsonValue]
) -> None:
    """Every entity that the document newly points to must exist; the stores keep those it pointed to before."""
    faults = []
    for field, parent in REFERENCES[kind.name].items():
        target = document[field]
        if isinstance(target, str) and target != before.get(field) and tx.get(parent, target) is None:
            faults.append(FieldError(f"/{field}", f"{parent.label} not found: {target}"))
    raise_if_any(faults)


def _event(revision: Revision, context: Context, name: str, documents: Sequence[JsonObject]) -> NewEvent:
    """The event of a change. `documents`, before and after as far as there are such, name the channels."""
    return NewEvent(
        type=event_type(Category(revision.kind.category), name),
        data=revision.body,
        timestamp=context.now,
        key=revision.kind.key(revision.id),
        version=revision.version,
        channels=channels_of(*documents),
        actor=context.actor,
        request_id=context.request_id,
        cause=context.cause,
    )


def _told(referrers: Sequence[Reference]) -> str:
    """The first referrers by label and id, and how many more there are."""
    named = ", ".join(f"{reference.kind.label} {reference.id}" for reference in referrers[:_NAMED_REFERRERS])
    unnamed = len(referrers) - _NAMED_REFERRERS
    return f"{named} and {unnamed} more" if unnamed > 0 else named
