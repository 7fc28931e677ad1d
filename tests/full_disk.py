"""A disk that takes no more, for as long as a test wants."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_more_bytes() -> Iterator[None]:
    """The kernel refuses every write to a file of this process (EFBIG; Python ignores the SIGXFSZ beside it)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
