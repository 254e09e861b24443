"""The description of the monitor: valid, made from the contract, and readable without a network."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from rmos.web.asyncapi import DESCRIPTION
from tests.protocol.schemas import documents

from .shops import Shop

ROOT = Path(__file__).resolve().parents[4]
STANDARD = ROOT / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0-without-$id.json"
DOCUMENT = json.loads(DESCRIPTION.read_text(encoding="utf-8"))


def references(value: Any) -> list[str]:
    """Every `$ref` in the document."""
    if isinstance(value, list):
        return [found for item in value for found in references(item)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return own + [found for item in value.values() for found in references(item)]


def test_description_is_what_the_schemas_of_the_protocol_give() -> None:
    script = str(ROOT / "scripts" / "generate_asyncapi.py")

    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_description_is_valid_asyncapi() -> None:
    assert STANDARD.exists(), f"{STANDARD} is missing: run make node_modules/.ready"
    standard = json.loads(STANDARD.read_text(encoding="utf-8"))

    faults = [f"{error.json_path}: {error.message[:200]}" for error in Draft7Validator(standard).iter_errors(DOCUMENT)]

    assert faults == []


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        place: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            assert step in place, reference
            place = place[step]


def test_every_frame_and_command_of_the_contract_is_a_message() -> None:
    contract = {name.removesuffix(".json") for name in documents()} - {"common", "frame", "command"}

    assert DOCUMENT["components"]["messages"].keys() == contract
    assert DOCUMENT["channels"]["monitor"]["messages"].keys() == contract


async def test_description_is_served_and_its_page_needs_no_script(shop: Shop) -> None:
    served = await shop.client.get("/asyncapi.json")
    page = await shop.client.get("/asyncapi")

    assert served.json() == DOCUMENT
    assert served.headers["content-type"] == "application/json"
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert "'unsafe-inline'" not in page.headers["content-security-policy"]
    for address in set(re.findall(r'(?:href|src)="(/[^"]*)"', page.text)):
        assert (await shop.client.get(address)).status_code == 200, address
    anchors = set(re.findall(r'href="#([^"]+)"', page.text))
    assert anchors
    assert anchors <= set(re.findall(r'id="([^"]+)"', page.text))
