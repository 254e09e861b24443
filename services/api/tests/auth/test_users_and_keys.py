"""The administration of users and keys over HTTP."""

from __future__ import annotations

import pytest

from tests.auth.shops import AUTH, GuardedShop, bearer
from tests.web.shops import PATTERNS, is_problem, pointers


async def test_users_are_added_listed_changed_and_removed(guarded: GuardedShop) -> None:
    admin = guarded.as_admin
    added = await admin.post(f"{AUTH}/users", json={"name": "ben", "role": "viewer", "channels": ["project:p7"]})
    changed = await admin.patch(f"{AUTH}/users/ben", json={"role": "operator", "channels": None})
    listed = (await admin.get(f"{AUTH}/users")).json()["users"]
    removed = await admin.delete(f"{AUTH}/users/ben")

    ben = added.json()["user"]
    assert added.status_code == 201
    assert ben | {"created_at": None} == {
        "name": "ben",
        "role": "viewer",
        "channels": ["project:p7"],
        "disabled": False,
        "has_password": False,
        "created_at": None,
    }
    assert changed.json()["user"] == ben | {"role": "operator", "channels": None}
    assert [user["name"] for user in listed] == ["admin", "ben"]
    assert removed.json() == {"success": True}
    assert is_problem(await admin.delete(f"{AUTH}/users/ben"), 404, "not_found")
    assert is_problem(await admin.patch(f"{AUTH}/users/ben", json={"role": "viewer"}), 404, "not_found")


async def test_a_name_is_taken_whatever_its_case(guarded: GuardedShop) -> None:
    assert is_problem(
        await guarded.as_admin.post(f"{AUTH}/users", json={"name": "ADMIN", "role": "viewer"}), 409, "conflict"
    )
    assert is_problem(
        await guarded.as_admin.post(f"{AUTH}/keys", json={"name": "The-Viewer", "role": "viewer"}), 409, "conflict"
    )


@pytest.mark.parametrize("change", [{"role": "operator"}, {"disabled": True}, {"channels": []}, None])
async def test_the_last_admin_stays(guarded: GuardedShop, change: dict[str, object] | None) -> None:
    path = f"{AUTH}/users/admin"
    request = guarded.as_admin.delete(path) if change is None else guarded.as_admin.patch(path, json=change)

    assert is_problem(await request, 409, "conflict")
    assert (await guarded.as_admin.get(f"{AUTH}/users")).status_code == 200


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": "local"}, "/name"),
        ({"name": "System"}, "/name"),
        ({"name": "key:saw"}, "/name"),
        ({"name": "a/b"}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "x" * 65}, "/name"),
        ({"role": "root"}, "/role"),
        ({"role": None}, "/role"),
        ({"password": "short"}, "/password"),
        ({"password": "x" * 201}, "/password"),
        ({"channels": "project:p7"}, "/channels"),
        ({"channels": ["project"]}, "/channels"),
        ({"disabled": "yes"}, "/disabled"),
        ({"admin": True}, "/admin"),
    ],
)
async def test_bad_fields_are_named(guarded: GuardedShop, fields: dict[str, object], pointer: str) -> None:
    answer = await guarded.as_admin.post(f"{AUTH}/users", json={"name": "ben", "role": "viewer", **fields})

    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == [pointer]
    assert "short" not in answer.text


async def test_keys_are_shown_once(guarded: GuardedShop) -> None:
    made = (await guarded.as_admin.post(f"{AUTH}/keys", json={"name": "saw", "role": "viewer"})).json()
    listed = await guarded.as_admin.get(f"{AUTH}/keys")

    assert made["secret"].startswith("rmos_")
    assert len(made["secret"]) == len("rmos_") + 43
    assert made["key"] in listed.json()["keys"]
    assert made["key"]["created_by"] == "admin"
    assert made["secret"] not in listed.text
    stored = b"".join(path.read_bytes() for path in guarded.shop.database.parent.glob("rmos.db*"))
    assert made["secret"].encode() not in stored


async def test_who_is_limited_to_channels_hears_of_nothing_else(guarded: GuardedShop) -> None:
    secret = await guarded.key("screen", channels=["machine:cnc1"])
    for machine in ("cnc1", "cnc2"):
        job = {"job_type": "slice", "machine_id": machine}
        assert (await guarded.as_admin.post("/api/rmos/stores/joblogs", json=job)).status_code == 201

    client = guarded.shop.client
    heard = await client.get("/api/rmos/monitor/events", headers=bearer(secret))
    asked = await client.get("/api/rmos/monitor/events?channels=machine:cnc2", headers=bearer(secret))

    assert [event["channels"] for event in heard.json()["events"]] == [["machine:cnc1"]]
    assert asked.json()["events"] == []
    assert is_problem(await client.get(PATTERNS, headers=bearer(secret)), 403, "forbidden")
    assert is_problem(await client.get("/api/analytics/shop", headers=bearer(secret)), 403, "forbidden")
