"""A certificate for one run: signed by itself, and for nobody to believe. The receiver does not check it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.figures import NotMeasuredError

_ASKED: Final = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
"""P-256, which most sites have: the kind of key is most of what a handshake costs the server."""


@contextmanager
def tls_settings() -> Iterator[Mapping[str, str]]:
    """Environment variables by which a server speaks TLS, with a certificate that is there meanwhile.

    Raises:
        NotMeasuredError: the program `openssl` is not installed, or cannot make one.
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        raise NotMeasuredError("the program openssl is not installed, and a certificate is made by it")
    with tempfile.TemporaryDirectory(prefix="rmos-bench-") as folder:
        certificate, key = Path(folder, "cert.pem"), Path(folder, "key.pem")
        command = [openssl, *_ASKED.split(), "-keyout", str(key), "-out", str(certificate)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)  # noqa: S603  # a constant command
        if done.returncode:
            raise NotMeasuredError(f"openssl makes no certificate: {done.stderr.strip()[-1000:]}")
        yield {"RMOS_TLS_CERT": str(certificate), "RMOS_TLS_KEY": str(key)}
