"""`rmos token`: API keys, with which programs come in."""

from __future__ import annotations

from typing import Annotated

import typer

from rmos.cli.failure import fail
from rmos.cli.shop_file import Data, change
from rmos.cli.user import Channels
from rmos.clock import later, utc_now
from rmos.domain.access import ApiKey, Role
from rmos.domain.entities import JsonObject
from rmos.domain.ids import short_name
from rmos.errors import InvalidError

app = typer.Typer(help="API keys, with which programs come in.", no_args_is_help=True)

_DAY_S = 24 * 3600.0


@app.command()
def create(
    name: Annotated[
        str, typer.Argument(help="What the key is for; events tell it as `key:<name>`.", show_default=False)
    ],
    role: Annotated[Role, typer.Option(help="What it may do: each role what the ones before it may.")] = Role.VIEWER,
    channels: Channels = None,
    days: Annotated[float | None, typer.Option(min=0, help="Days after which it ends. Default: never.")] = None,
    data: Data = None,
) -> None:
    """Make an API key and print its secret, this once."""
    from rmos.auth.access import KEY_PREFIX
    from rmos.auth.one_time import digest, new_secret
    from rmos.services import access

    now = utc_now()
    fields: JsonObject = {
        "name": name,
        "role": role.value,
        "channels": [*channels] if channels else None,
        "expires_at": None if days is None else later(now, days * _DAY_S),
    }
    try:
        values = access.read_key(fields, now)
    except InvalidError as error:
        fail(error.message)
    secret, key_id = f"{KEY_PREFIX}{new_secret()}", short_name()
    change(
        data,
        lambda tx: access.add_key(tx, values, key_id=key_id, digest=digest(secret), created_by="rmos token", now=now),
    )
    typer.echo(secret)


@app.command("list")
def list_keys(data: Data = None) -> None:
    """Print every API key, one a line: id, name, role, and what is special about it."""
    keys = change(data, lambda tx: tx.access()).keys.values()
    for key in sorted(keys, key=lambda key: key.name):
        typer.echo(_line(key))


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="Id or name of the key.", show_default=False)], data: Data = None
) -> None:
    """Let the holder of a key in no more. Its connections end."""
    from rmos.services import access
    from rmos.stores.base import Transaction

    def work(tx: Transaction) -> ApiKey:
        named = [known.id for known in tx.access().keys.values() if known.name == key]
        return access.remove_key(tx, named[0] if named else key)

    typer.echo(f"{change(data, work).name} is revoked")


def _line(key: ApiKey) -> str:
    notes = [*sorted(key.channels or ())]
    if key.expires_at is not None:
        notes.append(f"until {key.expires_at}")
    return f"{key.id}  {key.name:<20} {key.role:<9} {', '.join(notes)}".rstrip()
