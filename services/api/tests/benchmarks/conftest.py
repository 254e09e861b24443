"""What the tests of TLS need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import TypeAlias

import pytest

from benchmarks.certificate import tls_settings
from benchmarks.figures import NotMeasuredError
from benchmarks.native import compile_native

TlsSettings: TypeAlias = Mapping[str, str]


@pytest.fixture
def tls() -> Iterator[TlsSettings]:
    """What makes a server speak TLS, where there is a receiver for it."""
    with ExitStack() as stack:
        try:
            compile_native("receiver", with_tls=True)
            settings = stack.enter_context(tls_settings())
        except NotMeasuredError as error:
            pytest.skip(str(error))
        yield settings
