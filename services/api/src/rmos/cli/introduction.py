"""What the server tells the person who started it, so that they can come in: once a token, and each time a code."""

from __future__ import annotations

from rmos.auth.access import KEY_PREFIX
from rmos.auth.one_time import digest, new_secret
from rmos.domain.ids import short_name
from rmos.runtime import Runtime
from rmos.services import access


async def introduction(runtime: Runtime, address: str) -> list[str]:
    """Lines for standard output; none where nobody has to log in. They hold secrets and go into no log.

    Args:
        address: Where a browser on this machine finds the server.
    """
    if not runtime.settings.is_auth_required:
        return []
    lines = []
    now, secret, key_id = runtime.clock(), f"{KEY_PREFIX}{new_secret()}", short_name()
    if await runtime.stores.write(lambda tx: access.first_key(tx, key_id=key_id, digest=digest(secret), now=now)):
        lines.append(f"Admin token, shown this once: {secret}")
    admin = await runtime.stores.write(lambda tx: access.admin_who_logs_in(tx, now))
    await runtime.access.refresh()
    if admin is not None:
        lines.append(f"Open {address}/#login={runtime.access.login_codes.issue(admin)}")
    return lines
