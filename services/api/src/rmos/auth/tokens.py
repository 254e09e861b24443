"""Signed tokens (JWT), after RFC 8725.

Rule 1: one algorithm, one type, one issuer, one audience; whatever a token says of itself chooses none of them.
Rule 2: `kid` is looked up among our own keys, as it is. It is never a path, an address or a query.
Rule 3: a token only repeats what its credential was worth; whether that still holds is for `auth.access` to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt

from rmos.auth.identity import Identity
from rmos.clock import Timestamp, from_timestamp, to_timestamp
from rmos.domain.access import Role
from rmos.errors import UnauthorizedError
from rmos.protocol.commands import MAX_TOKEN_LENGTH

ALGORITHM: Final = "HS256"
TYPE: Final = "rmos+jwt"
ISSUER: Final = "rmos"
AUDIENCE: Final = "rmos"
LIFETIME_S: Final = 900.0
"""Short, since a token lies in the memory of a page; who holds the credential behind it gets the next one."""
_REQUIRED: Final = ("exp", "iat", "iss", "aud", "sub", "cid", "role")
_HEADER: Final = frozenset({"alg", "typ", "kid"})


@dataclass(frozen=True, slots=True)
class Claims:
    """What a genuine token says.

    Attributes:
        credential: What it was made from; it holds no longer than that.
    """

    user: str
    role: Role
    channels: frozenset[str] | None
    expires_at: Timestamp
    credential: str


class Tokens:
    """Issues and reads tokens. `keys` by their ids; the last one signs."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = keys
        self._newest = list(keys)[-1]

    def issue(self, identity: Identity, now: Timestamp) -> tuple[str, Timestamp]:
        """A token that is worth what its caller is, for `LIFETIME_S` or as long as the caller; and when it ends."""
        issued = from_timestamp(now)
        expires = issued + timedelta(seconds=LIFETIME_S)
        if identity.expires_at is not None:
            expires = min(expires, from_timestamp(identity.expires_at))
        expires = expires.replace(microsecond=0)
        claims: dict[str, Any] = {  # Any: JSON
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": int(issued.timestamp()),
            "exp": int(expires.timestamp()),
            "sub": identity.user,
            "role": identity.role.value,
            "cid": identity.credential,
        }
        if identity.channels is not None:
            claims["channels"] = sorted(identity.channels)
        headers = {"typ": TYPE, "kid": self._newest}
        return jwt.encode(claims, self._keys[self._newest], ALGORITHM, headers), to_timestamp(expires)

    def read(self, token: str) -> Claims:
        """What the token says.

        Raises:
            UnauthorizedError: not one of ours, or no longer valid.
        """
        try:
            claims = jwt.decode(
                token,
                self._key_of(token),
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={"require": list(_REQUIRED), "strict_aud": True},
            )
            channels = claims.get("channels")
            return Claims(
                _text(claims["sub"]),
                Role(claims["role"]),
                None if channels is None else frozenset(map(_text, channels)),
                to_timestamp(datetime.fromtimestamp(claims["exp"], UTC)),
                _text(claims["cid"]),
            )
        except jwt.ExpiredSignatureError:
            raise UnauthorizedError("the token has expired; get a new one") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, OSError, RecursionError):
            raise UnauthorizedError("the token is not valid here; get a new one") from None

    def _key_of(self, token: str) -> bytes:
        """The key that the header names.

        Raises:
            ValueError: it names none of ours, or says more than we ask for (`jku`, `x5u`, `jwk`, `crit`, …).
        """
        if len(token) > MAX_TOKEN_LENGTH:
            raise ValueError("too long")
        header = jwt.get_unverified_header(token)
        if header.keys() != _HEADER or header["typ"] != TYPE or header["alg"] != ALGORITHM:
            raise ValueError("another kind of token")
        key = self._keys.get(header["kid"])
        if key is None:
            raise ValueError("another server's key")
        return key


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value
