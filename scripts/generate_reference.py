"""Write the generated parts of docs/reference from the code; `--check` only says whether they are up to date.

A page holds its generated part between `<!-- generated: NAME -->` and `<!-- end of NAME -->`; NAME is a key of `PARTS`.
Everything around it is written by hand. Run it with the Python of the virtual environment:

    services/api/.venv/bin/python scripts/generate_reference.py [--check]
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typer import Typer
from typer.models import ArgumentInfo, OptionInfo

from rmos.cli.main import app as cli
from rmos.domain.entities import KINDS, Kind
from rmos.protocol.close_codes import CloseCode
from rmos.settings import Settings
from rmos.stores.schema import FIELDS
from rmos.web.app import create_app
from rmos.web.models import CHANGE, CREATE

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end of \2 -->)", re.DOTALL)

UNITS = {"_s": "seconds", "_days": "days", "_events": "events", "_connections": "connections"}
BOUNDS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}"}


def main(arguments: list[str]) -> int:
    """Renew every page, or say which ones are out of date; the exit code is 1 when there are such."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 when a page is out of date")
    is_check = parser.parse_args(arguments).check
    stale = [page for page in sorted(REFERENCE.glob("*.md")) if renewed(text := page.read_text("utf-8")) != text]
    for page in stale:
        if not is_check:
            page.write_text(renewed(page.read_text("utf-8")), encoding="utf-8")
        print(f"docs/reference/{page.name} {'is out of date' if is_check else 'renewed'}")
    if is_check and stale:
        print("run scripts/generate_reference.py")
    return 1 if is_check and stale else 0


def renewed(page: str) -> str:
    """The text of a page with its generated parts made anew."""
    return PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]]().strip()}\n\n{part[3]}", page)


def settings() -> str:
    """Every setting: variable, default, unit, what is accepted, meaning."""
    rows = []
    for name, field in Settings.model_fields.items():
        is_figure = field.annotation is not bool
        unit = next((unit for ending, unit in UNITS.items() if name.endswith(ending) and is_figure), "")
        variable, meaning = f"`RMOS_{name.upper()}`", cell(field.description or "")
        rows.append((variable, _setting_default(field), unit, _accepted(field), meaning))
    return table(("variable", "default", "unit", "accepted", "meaning"), rows)


def _setting_default(field: FieldInfo) -> str:
    value = field.default_factory() if field.default_factory is list else field.default
    if value is PydanticUndefined:
        return "see meaning"
    if value is None:
        return "not set"
    return f"`{value:g}`" if isinstance(value, float) else f"`{str(value).lower()}`"


def _accepted(field: FieldInfo) -> str:
    bounds = [
        text.format(getattr(limit, name))
        for limit in field.metadata
        for name, text in BOUNDS.items()
        if hasattr(limit, name)
    ]
    if bounds:
        return ", ".join(bounds)
    if field.annotation is bool:
        return "`true`, `false`"
    if get_origin(field.annotation) is list:
        return "a JSON list"
    choices = [choice for choice in get_args(field.annotation) if isinstance(choice, str)]
    return ", ".join(f"`{choice}`" for choice in choices) or "text"


def close_codes() -> str:
    """Every close code and what a client does."""
    rows = [(str(int(c)), f"`{c.name}`", c.reason, "comes back" if c.reconnects else "stops") for c in CloseCode]
    return table(("code", "name", "reason in the close frame", "the client"), rows)


def routes() -> str:
    """Every route of the OpenAPI document, by what it is about."""
    by_tag: dict[str, list[tuple[str, ...]]] = {}
    for path, operations in create_app(Settings()).openapi()["paths"].items():
        for method, operation in operations.items():
            asked = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
            row = (f"`{method.upper()} {path}`", operation["summary"], _parameters(asked, path))
            by_tag.setdefault(operation["tags"][-1], []).append(row)
    order = [*(kind.plural for kind in KINDS), "stores", "monitor"]
    titles = {kind.plural: f"Routes of {kind.path}" for kind in KINDS} | {"stores": "All stores together"}
    return "\n\n".join(
        f"### {titles.get(tag, tag.capitalize())}\n\n{table(('route', 'what it does', 'query'), by_tag[tag])}"
        for tag in sorted(by_tag, key=lambda tag: (order.index(tag) if tag in order else len(order), tag))
    )


def _parameters(asked: list[str], path: str) -> str:
    fields = next((FIELDS[kind.name] for kind in KINDS if f"/{kind.path}" in path), {})
    named = [f"`{name}`" for name in asked if name not in fields]
    return ", ".join(named + ["*its fields*"] * any(name in fields for name in asked))


def fields() -> str:
    """What may be sent of each kind, and which of it filters and sorts."""
    return "\n\n".join(f"### Fields of a {kind.label.lower()}\n\n{_fields_of(kind)}" for kind in KINDS)


def _fields_of(kind: Kind) -> str:
    created = CREATE[kind.name].model_json_schema(ref_template="{model}")
    given = CHANGE[kind.name].model_json_schema()["properties"] | created["properties"]
    rows = []
    for name, schema in given.items():
        needed = "on create" if name in created.get("required", ()) else ""
        rows.append(
            (f"`{name}`", _type(schema), needed, "yes" if name in FIELDS[kind.name] else "", cell(_notes(schema)))
        )
    return table(("field", "type", "required", "filters and sorts", "notes"), rows)


def _type(schema: Mapping[str, Any]) -> str:
    types = [str(choice.get("type")) for choice in _choices(schema)]
    return " or ".join(dict.fromkeys(types))


def _choices(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(schema.get("anyOf", [schema]))


def _notes(schema: Mapping[str, Any]) -> str:
    notes = [schema["description"]] if "description" in schema else []
    limits = {"minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "maxLength": "at most {} characters"}
    for choice in _choices(schema):
        if "enum" in choice:
            notes.append(f"One of {', '.join(f'`{value}`' for value in choice['enum'])}.")
        bounds = [text.format(choice[name]) for name, text in limits.items() if name in choice]
        if bounds:
            notes.append(f"{', '.join(bounds).capitalize()}.")
    return " ".join(notes)


def commands() -> str:
    """Every command of `rmos` with its arguments and options."""
    return "\n\n".join(_command(*named) for named in _named(cli, "rmos"))


def _named(app: Typer, before: str) -> Iterator[tuple[str, Callable[..., None]]]:
    """The commands of an app and of its groups, each with its whole name."""
    for info in app.registered_commands:
        if info.callback:
            yield f"{before} {info.name or info.callback.__name__}", info.callback
    for group in app.registered_groups:
        if group.typer_instance:
            yield from _named(group.typer_instance, f"{before} {group.name}")


def _command(name: str, callback: Callable[..., None]) -> str:
    hints = get_type_hints(callback, include_extras=True)
    rows = []
    for word, parameter in inspect.signature(callback).parameters.items():
        annotation, option = get_args(hints[word])
        # Typer keeps the first name of an `Annotated` option where its default would be.
        named = [word for word in (option.default, *(option.param_decls or ())) if str(word).startswith("--")]
        is_argument = isinstance(option, ArgumentInfo)
        words = [word.upper()] if is_argument else named or [f"--{word.replace('_', '-')}"]
        rows.append((f"`{' '.join(words)}`", _value(annotation), cell(_option_help(option, parameter.default))))
    options = table(("option", "value", "meaning"), rows) if rows else "No options."
    return f"## {name}\n\n{inspect.getdoc(callback)}\n\n{options}"


def _value(annotation: Any) -> str:  # Any: a type or a union of types
    """What the option takes; nothing for a switch."""
    if annotation is bool:
        return ""
    if get_origin(annotation) is list:
        return "text, may be repeated"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    names = {str: "text", int: "integer", float: "number", Path: "path"}
    return next(
        (_value(choice) if get_origin(choice) else names[choice])
        for choice in get_args(annotation) or (annotation,)
        if choice is not type(None)
    )


def _option_help(option: OptionInfo | ArgumentInfo, default: object) -> str:
    text = option.help or ""
    if option.min is not None:
        text += f" At least {option.min:,}{'' if option.max is None else f', at most {option.max:,}'}."
    if isinstance(default, float):
        text += f" Default: {default:g}."
    return text


PARTS: Mapping[str, Callable[[], str]] = {
    "settings": settings,
    "close-codes": close_codes,
    "routes": routes,
    "fields": fields,
    "commands": commands,
}


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    return "\n".join(_lines(tuple(heads), rows))


def _lines(heads: tuple[str, ...], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield re.sub(r" +", " ", f"| {' | '.join(row)} |")


def cell(text: str) -> str:
    """Text as one cell of a table."""
    return " ".join(text.replace("|", "\\|").replace("<", "\\<").split())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
