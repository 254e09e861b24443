"""The server's own secrets: the keys that sign tokens, in a file of the data folder that its owner alone may read.

Made at the first start. Whoever removes it ends every token that was given out; the next start makes a new one.
"""

from __future__ import annotations

import base64
import logging
import os
import secrets
import stat
from pathlib import Path
from typing import Final

import orjson

from rmos.domain.ids import short_name
from rmos.errors import StartupError

log = logging.getLogger(__name__)

SECRETS_FILE: Final = "secrets.json"
_KEY_BYTES: Final = 32
"""As long as the output of SHA-256 (RFC 7518, 3.2)."""
_OWNER_ONLY: Final = 0o600


def signing_keys(folder: Path) -> dict[str, bytes]:
    """The keys by their ids, the one that signs last. Makes the file where there is none.

    Raises:
        StartupError: it cannot be read or written, or does not hold keys.
    """
    path = folder / SECRETS_FILE
    try:
        if not path.exists():
            _make(path)
        _keep_to_the_owner(path)
        keys = {
            str(key_id): base64.b64decode(text, validate=True)
            for key_id, text in orjson.loads(path.read_bytes())["signing_keys"].items()
        }
        if not keys or any(len(key) < _KEY_BYTES for key in keys.values()):
            raise ValueError("no key, or one that is too short")
    except OSError as error:
        raise StartupError(f"cannot use {path}: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise StartupError(f"{path} does not hold the keys of this server; remove it, and a new one is made") from None
    return keys


def _make(path: Path) -> None:
    """Written beside and moved into place, so that nobody ever reads half a file."""
    content = {"signing_keys": {short_name(): base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()}}
    fresh = path.with_name(f"{path.name}.{short_name()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(content))
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)


def _keep_to_the_owner(path: Path) -> None:
    if os.name != "posix":  # elsewhere the folder's rights decide
        return
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        log.warning("others could read the secrets of the server; now its owner alone may", extra={"file": str(path)})
        path.chmod(_OWNER_ONLY)
