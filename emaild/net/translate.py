"""Library exceptions end in the adapters: here is how they become ours."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from emaild.errors import Rejected, RemoteError, Unreachable

Meaning = Callable[[Exception], tuple[type[RemoteError], str]]
"""From a library's exception to the class that it means, and the words for a person."""


@contextmanager
def translated(where: str, action: str, meaning: Meaning, *library: type[Exception]) -> Iterator[None]:
    """Inside it the *library*'s exceptions become RemoteErrors, by *meaning*."""
    try:
        yield
    except library as error:
        kind, reason = meaning(error)
        raise kind(where, action, reason) from error


def network_meaning(error: OSError) -> tuple[type[RemoteError], str]:
    """What a failed connection means: broken ones are tried again, an untrusted certificate needs a person."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Rejected, f"the certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return Unreachable, "no answer in time"
    if isinstance(error, ssl.SSLError) and re.search("ALERT.*(CERTIFICATE|UNKNOWN_CA)", error.reason or ""):
        words = error.reason.partition("ALERT_")[2].replace("_", " ").lower()
        return Rejected, f"the server does not accept client-certificate, or wants one: {words}"
    return Unreachable, error.strerror or str(error) or type(error).__name__
