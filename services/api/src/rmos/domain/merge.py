"""Changing JSON documents and telling what changed: merge patch (RFC 7396) and diff."""

from __future__ import annotations

from rmos.domain.documents import child, is_same
from rmos.domain.entities import JsonObject, JsonValue


def merge_patch(target: JsonValue, patch: JsonValue) -> JsonValue:
    """`target` after the patch; neither is touched. Objects merge deeply, null removes a member, all else replaces.

    Source: RFC 7396, section 2.
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def diff(before: JsonValue, after: JsonValue, pointer: str = "") -> list[JsonObject]:
    """What changed, as `{"path", "from", "to"}` with a JSON pointer each.

    Setting every `to` turns `before` into `after`. Members and elements are told one by one. Where a member is gone or
    a list changed its length, the whole object or list is told, because a `to` of null means the value null. `from` is
    null where nothing was before.
    """
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() <= after.keys():
        return [
            change
            for name, value in after.items()
            for change in (
                diff(before[name], value, child(pointer, name))
                if name in before
                else [_change(child(pointer, name), None, value)]
            )
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            change
            for index, (old, new) in enumerate(zip(before, after, strict=True))
            for change in diff(old, new, child(pointer, index))
        ]
    return [] if is_same(before, after) else [_change(pointer, before, after)]


def _change(pointer: str, before: JsonValue, after: JsonValue) -> JsonObject:
    return {"path": pointer, "from": before, "to": after}
