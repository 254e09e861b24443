"""The application around the routes: description, pages, health, figures, published paths."""

from __future__ import annotations

import gc
import json
import re
from pathlib import Path
from typing import Annotated, Any

import httpx2
import jsonschema
import pytest
from fastapi import Depends, FastAPI
from starlette.responses import Response

from rmos.domain.entities import KINDS
from rmos.domain.rules import RULES
from rmos.settings import Settings
from rmos.web import app as web_app
from rmos.web import docs_pages, stores_api
from rmos.web.direct import call_directly
from rmos.web.models import ANSWER, CHANGE, CREATE

from .shops import (
    FAMILIES,
    JOBS,
    PATTERNS,
    STORES,
    Shop,
    is_problem,
    make_family,
    make_job,
    make_pattern,
    open_shop,
)


def test_published_paths_are_the_real_ones() -> None:
    import app.api.routes.rmos_stores_api as published_routes
    import app.main as published

    assert published_routes.router is stores_api.router
    assert published.create_app is web_app.create_app
    assert isinstance(published.app, FastAPI)
    for module in (published, published_routes):
        assert module.__file__ is not None
        assert len(Path(module.__file__).read_text().splitlines()) <= 12


IN_PATH = {"entity_id": "x", "pattern_id": "x", "measure": "duration", "text": "x"}
NEEDED = {"x": "job.success", "y": "pattern.ring_count"}
"""Values of the query parameters without which a route refuses."""


async def test_openapi_names_every_published_path(shop: Shop) -> None:
    document = (await shop.client.get("/openapi.json")).json()

    assert document["info"]["title"] == "RMOS"
    expected = {
        "/ws/monitor": {"get"},
        "/sse/monitor": {"get"},
        "/health": {"get"},
        "/healthz": {"get"},
        "/readyz": {"get"},
        "/metrics": {"get"},
        "/api/rmos/presets": {"get"},
        "/api/rmos/patterns/{entity_id}/plan": {"get"},
        "/api/rmos/monitor/events": {"get"},
        "/api/rmos/monitor/state": {"get"},
        "/api/rmos/monitor/connections": {"get"},
        "/api/rmos/auth/me": {"get"},
        "/api/rmos/auth/login": {"post"},
        "/api/rmos/auth/logout": {"post"},
        "/api/rmos/auth/token": {"post"},
        "/api/rmos/auth/ticket": {"post"},
        "/api/rmos/auth/users": {"get", "post"},
        "/api/rmos/auth/users/{name}": {"patch", "delete"},
        "/api/rmos/auth/keys": {"get", "post"},
        "/api/rmos/auth/keys/{key_id}": {"delete"},
        "/api/rmos/audit/verify": {"get"},
        "/api/rmos/audit/export": {"get"},
        f"{STORES}/bulk": {"post"},
        f"{STORES}/migration/status": {"get"},
        f"{PATTERNS}/filter/rings/{{value}}": {"get"},
        f"{PATTERNS}/search/name/{{text}}": {"get"},
        f"{FAMILIES}/search/name/{{text}}": {"get"},
        f"{FAMILIES}/filter/material/{{value}}": {"get"},
        f"{JOBS}/filter/status/{{value}}": {"get"},
        f"{JOBS}/filter/pattern/{{value}}": {"get"},
        f"{JOBS}/filter/type/{{value}}": {"get"},
    }
    for path in (PATTERNS, JOBS, FAMILIES):
        expected |= {
            path: {"get", "post"},
            f"{path}/{{entity_id}}": {"get", "put", "patch", "delete"},
            f"{path}/{{entity_id}}/history": {"get"},
            f"{path}/statistics": {"get"},
            f"{path}/export.csv": {"get"},
            f"{path}/export.json": {"get"},
            f"{path}/import": {"post"},
        }
    described = {path: set(operations) for path, operations in document["paths"].items()}
    # The routes of the analytics are held by a test beside them.
    assert {path: methods for path, methods in described.items() if not path.startswith("/api/analytics/")} == expected


async def test_openapi_refers_only_to_what_it_defines(shop: Shop) -> None:
    text = (await shop.client.get("/openapi.json")).text

    schemas = json.loads(text)["components"]["schemas"]
    references = {part.partition('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert references <= schemas.keys()
    assert {"PatternCreate", "JobLogChange", "StripFamilyFields", "Bulk", "Problem"} <= references


async def test_answers_are_as_described(shop: Shop) -> None:
    document = (await shop.client.get("/openapi.json")).json()
    await shop.make(FAMILIES, make_family(id="x", materials=[{"key": "a"}]))
    await shop.make(PATTERNS, make_pattern(id="x", strip_family_id="x"))
    await shop.make(JOBS, make_job(id="x", pattern_id="x", status="completed", results={"strips_produced": 3}))
    await shop.client.put(f"{JOBS}/x", json={"note": "n"})

    for path, operations in document["paths"].items():
        described = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        schema = described.get("application/json", {}).get("schema")
        if not schema:
            continue
        concrete = path.format(**IN_PATH, value="completed" if "status" in path else "2")
        required = [p["name"] for p in operations["get"].get("parameters", ()) if p["required"] and p["in"] == "query"]
        answer = await shop.client.get(concrete, params={name: NEEDED[name] for name in required})
        assert answer.status_code == 200, concrete
        jsonschema.validate(answer.json(), {**schema, "components": document["components"]})
    refused = await shop.client.get(f"{PATTERNS}/nope")
    problem = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
    jsonschema.validate(refused.json(), problem)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_models_describe_the_fields_that_the_domain_reads(kind: Any) -> None:
    fields = [name for name in RULES[kind.name].entity.__dataclass_fields__]
    own = {name for name in fields if name not in ("id", "created_at", "updated_at", "version")}

    assert CREATE[kind.name].model_fields.keys() == own | {"id"}
    assert CHANGE[kind.name].model_fields.keys() - {"reopen"} == own
    (entity,) = (f.annotation for name, f in ANSWER[kind.name].model_fields.items() if name != "success")
    assert entity is not None
    assert entity.model_fields.keys() == set(fields)


async def test_docs_pages_need_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "docs_assets"
    (package / "static").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "redoc.standalone.js", "favicon.png"):
        (package / "static" / name).write_text("asset")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(docs_pages, "_PACKAGE", "docs_assets")

    async with open_shop(tmp_path / "data") as shop:
        for path in ("/docs", "/redoc"):
            page = await shop.client.get(path)
            assert page.status_code == 200
            assert "://" not in page.text
            assert "<script>" not in page.text
            addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
            assert len(addresses) >= 2
            for address in addresses:
                asset = await shop.client.get(address)
                assert asset.status_code == 200, address
                assert asset.headers["cache-control"] in ("no-cache", "no-store")
        start = await shop.client.get("/docs/start.js")
        assert start.headers["content-type"].startswith("text/javascript")


async def test_docs_pages_say_what_they_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docs_pages, "_PACKAGE", "nobody_has_this_package")

    async with open_shop(tmp_path) as shop:
        for path in ("/docs", "/redoc"):
            assert "/openapi.json" in (await shop.client.get(path)).text


async def test_health_and_readiness(shop: Shop) -> None:
    health = await shop.client.get("/health")
    assert (health.status_code, health.json()["status"]) == (200, "ok")
    assert (await shop.client.get("/healthz")).status_code == 200
    ready = await shop.client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})

    await shop.app.state.runtime.stores.close()

    assert is_problem(await shop.client.get("/readyz"), 503, "unavailable")
    assert (await shop.client.get("/healthz")).status_code == 200


async def test_metrics_tell_requests_by_route_and_where_the_log_stands(shop: Shop) -> None:
    created = await shop.client.post(PATTERNS, json=make_pattern())
    for _ in range(3):
        await shop.client.get(created.headers["location"])
    await shop.client.get("/some/address/that/nobody/knows")
    await shop.client.request("PURGE", PATTERNS)

    answer = await shop.client.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    route = f"{PATTERNS}/{{entity_id}}"
    assert f'rmos_http_requests_total{{method="GET",route="{route}",status="200"}} 3.0' in lines
    assert f'rmos_http_requests_total{{method="other",route="{PATTERNS}",status="405"}} 1.0' in lines
    assert "rmos_events_head 1.0" in lines
    assert "rmos_monitor_connections 0.0" in lines
    assert created.headers["location"] not in answer.text
    assert "nobody" not in answer.text


async def test_two_applications_do_not_share_figures(shop: Shop, tmp_path: Path) -> None:
    async with open_shop(tmp_path / "other") as other:
        await other.make(PATTERNS, make_pattern())

        assert "rmos_events_head 0.0" in (await shop.client.get("/metrics")).text


async def test_presets_can_be_stored_as_they_are(shop: Shop) -> None:
    answer = await shop.client.get("/api/rmos/presets")

    assert len(answer.json()["presets"]) >= 9
    for preset in answer.json()["presets"]:
        await shop.make(PATTERNS, {"name": preset["name"], "geometry": preset["geometry"]})


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built web app in place of the real one."""
    folder = tmp_path / "webapp"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>RMOS</title>")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "index-4f2a.js").write_text("export {}")
    (tmp_path / "secret.txt").write_text("not for the web")
    monkeypatch.setattr(web_app, "WEBAPP_DIR", folder)
    return folder


@pytest.mark.usefixtures("built")
async def test_the_web_app_is_served_with_the_right_caching(tmp_path: Path) -> None:
    html = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    async with open_shop(tmp_path / "data") as shop:
        for path in ("/", "/index.html", "/live", "/patterns/0198c2f0", "/jobs/v1.2"):
            page = await shop.client.get(path, headers=html)
            assert page.status_code == 200, path
            assert page.text.startswith("<!doctype html>")
            assert page.headers["cache-control"] == "no-cache"
            assert (
                await shop.client.get(path, headers=html | {"If-None-Match": page.headers["etag"]})
            ).status_code == 304
        script = await shop.client.get("/assets/index-4f2a.js")
        assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert script.headers["content-type"].startswith("text/javascript")
        assert (await shop.client.get("/favicon.svg")).headers["cache-control"] == "no-cache"

        assert is_problem(await shop.client.get("/assets/old-1234.js"), 404, "not_found")
        assert is_problem(await shop.client.get("/live"), 404, "not_found")
        assert is_problem(await shop.client.get("/api/unknown", headers=html), 404, "not_found")
        for path in ("/..%2fsecret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/%00", "//etc/passwd"):
            assert "not for the web" not in (await shop.client.get(path)).text
            assert "root:" not in (await shop.client.get(path)).text


async def test_without_a_built_web_app_the_page_says_how_to_build_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_app, "WEBAPP_DIR", tmp_path / "absent")

    async with open_shop(tmp_path / "data") as shop:
        page = await shop.client.get("/", headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert "make web" in page.text


def doubled(count: int) -> int:
    """A dependency of a route."""
    return 2 * count


async def test_a_route_added_to_the_application_may_use_all_of_the_framework(tmp_path: Path) -> None:
    application = web_app.create_app(Settings(data=tmp_path))

    @application.get("/days")
    async def days(count: Annotated[int, Depends(doubled)]) -> int:
        return count

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(application), base_url="http://localhost") as client:
        answer = await client.get("/days", params={"count": "4"})
        refused = await client.get("/days", params={"count": "many"})

    assert answer.json() == 8
    assert is_problem(refused, 422, "invalid")


def test_a_route_function_that_asks_for_more_than_it_is_given_is_found_at_once() -> None:
    application = FastAPI()

    @application.get("/days/{day}")
    async def days(day: str, count: int) -> Response:
        return Response()

    with pytest.raises(TypeError, match=r"/days/\{day\} is given the request and what is in its path, not count, day"):
        call_directly(application.router.routes)


async def test_an_open_shop_is_not_stopped_by_full_searches_for_cycles_and_leaves_none_of_its_settings(
    tmp_path: Path,
) -> None:
    before = gc.get_threshold()

    async with open_shop(tmp_path):
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() > before

    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == before
