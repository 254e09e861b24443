"""Tokens after RFC 8725: whatever is wrong with one, it is refused; what it says of itself chooses nothing."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from rmos.auth.identity import Identity
from rmos.auth.tokens import AUDIENCE, ISSUER, LIFETIME_S, TYPE, Tokens
from rmos.clock import later, utc_now
from rmos.domain.access import Role
from rmos.errors import UnauthorizedError

KEY = b"k" * 32
OTHER = b"o" * 32
TOKENS = Tokens({"old": OTHER, "new": KEY})
ANA = Identity("ana", Role.OPERATOR, frozenset({"machine:*"}), None, "session:abc")


def good_claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + 60,
        "sub": "ana",
        "role": "viewer",
        "cid": "session:abc",
    }
    return {name: value for name, value in (claims | changes).items() if value is not ...}


def forged(*, key: bytes = KEY, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A token signed by hand, so that it may say anything."""
    head = {"alg": "HS256", "typ": TYPE, "kid": "new"} | (header or {})
    head = {name: value for name, value in head.items() if value is not ...}
    signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(good_claims(**changes)).encode())}"
    signature = jwt.get_algorithm_by_name("HS256").sign(signed.encode(), key)
    return f"{signed}.{b64(signature)}"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_a_token_says_what_its_owner_is_worth() -> None:
    now = utc_now()
    token, expires_at = TOKENS.issue(ANA, now)

    claims = TOKENS.read(token)

    assert (claims.user, claims.role, claims.channels) == ("ana", Role.OPERATOR, frozenset({"machine:*"}))
    assert claims.credential == "session:abc"
    assert claims.expires_at == expires_at
    assert later(now, LIFETIME_S - 1) <= expires_at <= later(now, LIFETIME_S)


def test_a_token_ends_with_the_credential_it_came_from() -> None:
    now = utc_now()
    ends_at = later(now, 100)

    _, expires_at = TOKENS.issue(Identity("ana", Role.VIEWER, None, ends_at, "session:abc"), now)

    assert later(ends_at, -1) <= expires_at <= ends_at


def test_older_keys_are_still_read() -> None:
    assert TOKENS.read(forged(key=OTHER, header={"kid": "old"})).user == "ana"


def test_the_hand_made_token_of_these_tests_is_good() -> None:
    assert TOKENS.read(forged()).role is Role.VIEWER


BAD: dict[str, Callable[[], str]] = {
    "alg none": lambda: forged(header={"alg": "none"}),
    "alg none, unsigned": lambda: forged(header={"alg": "none"}).rpartition(".")[0] + ".",
    "alg in another case": lambda: forged(header={"alg": "hs256"}),
    "alg HS512": lambda: jwt.encode(good_claims(), KEY * 2, "HS512", {"typ": TYPE, "kid": "new"}),
    "alg RS256 over our secret": lambda: forged(header={"alg": "RS256"}),
    "alg a list": lambda: forged(header={"alg": ["HS256"]}),
    "another key": lambda: forged(key=b"x" * 32),
    "the other key of ours": lambda: forged(key=OTHER),
    "an empty key": lambda: forged(key=b""),
    "wrong aud": lambda: forged(aud="other"),
    "a list of aud": lambda: forged(aud=[AUDIENCE, "other"]),
    "no aud": lambda: forged(aud=...),
    "wrong iss": lambda: forged(iss="evil"),
    "no iss": lambda: forged(iss=...),
    "wrong typ": lambda: forged(header={"typ": "JWT"}),
    "no typ": lambda: forged(header={"typ": ...}),
    "expired": lambda: forged(exp=int(time.time()) - 1),
    "no exp": lambda: forged(exp=...),
    "exp a text": lambda: forged(exp="never"),
    "exp beyond all time": lambda: forged(exp=10**18),
    "issued in the future": lambda: forged(iat=int(time.time()) + 3600),
    "not yet valid": lambda: forged(nbf=int(time.time()) + 3600),
    "no sub": lambda: forged(sub=...),
    "sub a number": lambda: forged(sub=1),
    "unknown role": lambda: forged(role="root"),
    "no role": lambda: forged(role=...),
    "no credential": lambda: forged(cid=...),
    "channels a number": lambda: forged(channels=5),
    "channels of numbers": lambda: forged(channels=[5]),
    "kid unknown": lambda: forged(header={"kid": "x"}),
    "kid a path": lambda: forged(header={"kid": "../../../../dev/null"}, key=b""),
    "kid SQL": lambda: forged(header={"kid": "x' UNION SELECT 'k' --"}),
    "kid a list": lambda: forged(header={"kid": ["new"]}),
    "no kid": lambda: forged(header={"kid": ...}),
    "jku": lambda: forged(header={"jku": "https://evil.example/keys"}),
    "x5u": lambda: forged(header={"x5u": "https://evil.example/cert"}),
    "jwk": lambda: forged(header={"jwk": {"kty": "oct", "k": b64(KEY)}}),
    "crit": lambda: forged(header={"crit": ["exp"]}),
    "b64 false": lambda: forged(header={"b64": False}),
    "empty": lambda: "",
    "one part": lambda: "abc",
    "not base64": lambda: "!.!.!",
    "header not JSON": lambda: f"{b64(b'x')}.{b64(b'{}')}.{b64(b'x')}",
    "header a list": lambda: f"{b64(b'[]')}.{b64(b'{}')}.{b64(b'x')}",
    "not ASCII": lambda: "éy.ñ.ü",
    "surrogates": lambda: "\udcff.\udcff.\udcff",
    "very long": lambda: forged(filler="x" * 20_000),
    "deep": lambda: f"{b64(b'[' * 5000)}.{b64(b'{}')}.{b64(b'x')}",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_tokens_are_refused(name: str) -> None:
    with pytest.raises(UnauthorizedError):
        TOKENS.read(BAD[name]())


def test_a_changed_token_is_refused() -> None:
    token, _ = TOKENS.issue(ANA, utc_now())
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))

    promoted = b64(json.dumps(claims | {"role": "admin"}).encode())

    with pytest.raises(UnauthorizedError):
        TOKENS.read(f"{head}.{promoted}.{signature}")
