"""Write the AsyncAPI description of the monitor from protocol/schema; `--check` only says whether it is up to date.

The schemas are the contract and the only source. The description is kept in the package, because an installed RMOS has
no protocol folder beside it. Run it with the Python of the virtual environment:

    services/api/.venv/bin/python scripts/generate_asyncapi.py [--check]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rmos.protocol.cloudevents import SUBPROTOCOL
from rmos.protocol.commands import QUERY_KEYS, SUBPROTOCOL_V1, SUBPROTOCOL_V2
from rmos.protocol.sse import MEDIA_TYPE
from rmos.settings import version
from rmos.web.asyncapi import DESCRIPTION
from rmos.web.sse import STREAM_PATH
from rmos.web.websocket import MONITOR_PATH

SCHEMA = Path(__file__).resolve().parent.parent / "protocol" / "schema"
SHARED = "common"
GROUPS = frozenset({SHARED, "frame", "command"})
"""Schemas that are no message of their own."""
ON_SOCKETS_ALONE = frozenset({"system-connected", "system-pong", "system-authenticated"})
"""Frames that answer what a stream cannot say."""

Json = dict[str, Any]  # Any: JSON


def main(arguments: list[str]) -> int:
    """Renew the description, or say that it is out of date; the exit code is 1 then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 when it is out of date")
    is_check = parser.parse_args(arguments).check
    text = json.dumps(description(), indent=1, ensure_ascii=False) + "\n"
    if DESCRIPTION.exists() and DESCRIPTION.read_text(encoding="utf-8") == text:
        return 0
    if not is_check:
        DESCRIPTION.write_text(text, encoding="utf-8")
    print(f"{DESCRIPTION.name} {'is out of date: run scripts/generate_asyncapi.py' if is_check else 'renewed'}")
    return 1 if is_check else 0


def description() -> Json:
    """The whole document."""
    schemas = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(SCHEMA.glob("*.json"))}
    names = [name for name in schemas if name not in GROUPS]
    commands = [name for name in names if name.startswith("command-")]
    frames = [name for name in names if name not in commands]
    streamed = [name for name in frames if name not in ON_SOCKETS_ALONE]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "RMOS monitor",
            "version": version(),
            "description": "Every change of the shop, live, once and in order. PROTOCOL.md is the contract in words.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "shop": {
                "host": "{host}",
                "protocol": "ws",
                "description": "wss where the server or a proxy before it speaks TLS.",
                "variables": {"host": {"default": "127.0.0.1:8000", "description": "Host and port of the server."}},
            }
        },
        "channels": {
            "monitor": {
                "address": MONITOR_PATH,
                "title": "The live monitor (WebSocket)",
                "description": f"Subprotocols {SUBPROTOCOL_V1} and {SUBPROTOCOL_V2}; with {SUBPROTOCOL} every frame is "
                "a CloudEvent whose data is that of the frame.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
                "bindings": {"ws": {"method": "GET", "query": _query(schemas["command-subscribe"])}},
            },
            "stream": {
                "address": STREAM_PATH,
                "title": "The live monitor (server-sent events)",
                "description": f"GET answers {MEDIA_TYPE}: the JSON of a frame as the data of each event, its cursor "
                "as the id. Parameters as on the WebSocket; format=cloudevents gives CloudEvents.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in streamed},
            },
        },
        "operations": {
            "obey": _operation("receive", "monitor", commands, "What a client asks for"),
            "tell": _operation("send", "monitor", frames, "What the server tells"),
            "stream": _operation("send", "stream", streamed, "What the server tells a listener over plain HTTP"),
        },
        "components": {
            "messages": {name: _message(name, schemas[name]) for name in names},
            "schemas": _schemas(schemas),
        },
    }


def _operation(action: str, channel: str, messages: list[str], summary: str) -> Json:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }


def _message(name: str, schema: Json) -> Json:
    texts = {"title": schema["title"], "summary": schema.get("description")}
    return {
        "name": name,
        **{key: text for key, text in texts.items() if text},
        "payload": {"$ref": f"#/components/schemas/{name}"},
    }


def _query(subscribe: Json) -> Json:
    """The parameters of the URL: those keys of `subscribe` that it may have."""
    keys = [key for key in subscribe["properties"] if key in QUERY_KEYS]
    return {"type": "object", "properties": {key: {"type": "string"} for key in keys}}


def _schemas(schemas: Json) -> Json:
    """Every schema and every shared definition by its name, with references within the document."""
    found = {name: schema for name, schema in schemas.items() if name != SHARED} | schemas[SHARED]["$defs"]
    return {name: _within(schema) for name, schema in found.items()}


def _within(value: Any) -> Any:
    """A part of a schema as it stands in the document."""
    if isinstance(value, list):
        return [_within(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _within(item) for key, item in value.items() if key not in ("$schema", "$id")}
    if "$ref" in kept:
        kept["$ref"] = f"#/components/schemas/{_target(kept['$ref'])}"
    return kept


def _target(reference: str) -> str:
    """`common.json#/$defs/cursor` and `#/$defs/cursor` mean `cursor`, `event.json` means `event`."""
    file, _, pointer = reference.partition("#")
    return pointer.rpartition("/")[2] if pointer else file.removesuffix(".json")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
