"""`rmos user`: who may log in."""

from __future__ import annotations

import sys
from typing import Annotated, TypeAlias

import typer

from rmos.cli.failure import fail
from rmos.cli.shop_file import Data, change
from rmos.clock import utc_now
from rmos.domain.access import Role, User
from rmos.domain.entities import JsonObject
from rmos.domain.fields import Values
from rmos.errors import InvalidError

app = typer.Typer(help="Who may log in: people, their roles and passwords.", no_args_is_help=True)

Name: TypeAlias = Annotated[str, typer.Argument(help="Name of the user.", show_default=False)]
Channels: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--channel", help="Limit to the monitor, and there to this channel; may be repeated."),
]


@app.command()
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help="What they may do: each role what the ones before it may.")] = Role.VIEWER,
    channels: Channels = None,
    no_password: Annotated[bool, typer.Option("--no-password", help="Give none yet: they cannot log in.")] = False,
    data: Data = None,
) -> None:
    """Let somebody in. The password is asked for, or read from standard input."""
    from rmos.services import access

    fields: JsonObject = {"name": name, "role": role.value, "channels": [*channels] if channels else None}
    try:
        values = access.read_user(fields)
    except InvalidError as error:
        fail(error.message)
    values["password"] = None if no_password else _asked_hash()
    user = change(data, lambda tx: access.add_user(tx, values, utc_now()))
    typer.echo(f"{user.name} may come in as {user.role}")


@app.command("list")
def list_users(data: Data = None) -> None:
    """Print every user, one a line: name, role, and what is special about them."""
    for _, user in sorted(change(data, lambda tx: tx.access()).users.items()):
        typer.echo(_line(user))


@app.command()
def role(
    name: Name,
    role: Annotated[Role, typer.Argument(help="The new role.", show_default=False)],
    data: Data = None,
) -> None:
    """Give somebody another role. Their open connections are closed and come back with it."""
    _change(name, {"role": role.value}, data)
    typer.echo(f"{name} is {role} now")


@app.command()
def disable(
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Let them in again.")] = False,
    data: Data = None,
) -> None:
    """Let somebody in no more, and keep what is known of them. Their sessions and connections end."""
    _change(name, {"disabled": not undo}, data)
    typer.echo(f"{name} may {'' if undo else 'not '}come in")


@app.command()
def remove(name: Name, data: Data = None) -> None:
    """Forget somebody. Their sessions and connections end; events keep their name."""
    from rmos.services import access

    change(data, lambda tx: access.remove_user(tx, name))
    typer.echo(f"{name} is removed")


@app.command()
def password(
    name: Name,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Take it away: they cannot log in by one.")
    ] = False,
    data: Data = None,
) -> None:
    """Give somebody another password, which is asked for, or read from standard input. Their sessions end."""
    _change(name, {"password": None if no_password else _asked_hash()}, data)
    typer.echo(f"{name} has {'no' if no_password else 'a new'} password")


def _change(name: str, values: Values, data: Data) -> None:
    from rmos.services import access

    change(data, lambda tx: access.change_user(tx, name, values))


def _asked_hash() -> str:
    """The hash of the password that a person types twice, or a program writes as one line."""
    from rmos.auth.passwords import hash_password
    from rmos.domain.access import password

    if sys.stdin.isatty():
        given = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        given = sys.stdin.readline().rstrip("\n")
    try:
        return hash_password(password(given, "/password"))
    except InvalidError as error:
        fail(error.message)


def _line(user: User) -> str:
    notes = [*sorted(user.channels or ())]
    if user.disabled:
        notes.append("disabled")
    if user.password is None:
        notes.append("no password")
    return f"{user.name:<20} {user.role:<9} {', '.join(notes)}".rstrip()
