"""How a server proves who it is."""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path

MTIME_KEYS = 64  # contexts kept: far more than the CA files of any installation


def client_context(ca_file: Path | None) -> ssl.SSLContext:
    """A context that verifies certificate and host name, against *ca_file* or the system's roots.

    Loading the system's roots costs some 20 ms, so contexts are kept; a changed CA file gives a new one.

    Raises:
        OSError: the file cannot be read or holds no certificate.
    """
    if ca_file is None:
        return _context(None, 0)
    return _context(ca_file, ca_file.stat().st_mtime_ns)


@lru_cache(maxsize=MTIME_KEYS)
def _context(ca_file: Path | None, mtime: int) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
