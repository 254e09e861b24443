"""The bodies of requests and answers about logging in, users and API keys (see `models`)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from rmos.domain.access import MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, Role
from rmos.web.models import Model, Name, Success, Time

RoleName: TypeAlias = Annotated[str, Field(json_schema_extra={"enum": list(Role)})]


class Auth(Model):
    """Who the caller is. `user` is null for who must log in."""

    required: bool
    user: str | None
    role: RoleName | None
    channels: Annotated[list[str] | None, Field(description="What it is limited to; null for no limit.")]
    expires_at: Annotated[Time | None, Field(description="When it has to log in again; null for never.")]


class AuthAnswer(Success):
    auth: Auth


class Login(Model):
    """Either `code`, or `user` and `password`."""

    code: Annotated[str | None, Field(description="The one-use code that the server printed.")] = None
    user: Name | None = None
    password: str | None = None


class TokenAnswer(Success):
    token: str
    expires_at: Time


class TicketAnswer(Success):
    ticket: str
    expires_at: Time


Password: TypeAlias = Annotated[str, Field(min_length=MIN_PASSWORD_LENGTH, max_length=MAX_PASSWORD_LENGTH)]
Channels: TypeAlias = Annotated[
    list[str], Field(description="Limits to the monitor, and there to these channels.", examples=[["machine:cnc1"]])
]


class UserChange(Model):
    role: RoleName | None = None
    password: Annotated[Password | None, Field(description="Null ends logging in by password.")] = None
    channels: Channels | None = None
    disabled: bool = False


class UserCreate(UserChange):
    name: Annotated[str, Field(min_length=1, max_length=64)]
    role: RoleName


class UserDocument(Model):
    name: str
    role: RoleName
    channels: list[str] | None
    disabled: bool
    has_password: bool
    created_at: Time


class UserAnswer(Success):
    user: UserDocument


class UserList(Success):
    users: list[UserDocument]


class KeyCreate(Model):
    name: Annotated[str, Field(min_length=1, max_length=64)]
    role: RoleName
    channels: Channels | None = None
    expires_at: Annotated[Time | None, Field(description="Default: never.")] = None


class KeyDocument(Model):
    id: str
    name: str
    role: RoleName
    channels: list[str] | None
    expires_at: Time | None
    created_at: Time
    created_by: str


class KeyAnswer(Success):
    key: KeyDocument


class NewKeyAnswer(KeyAnswer):
    secret: Annotated[str, Field(description="Shown once.", examples=["rmos_…"])]


class KeyList(Success):
    keys: list[KeyDocument]
