"""What needs a package that is not always installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

NTLM_PACKAGE = "spnego"
EWS_PACKAGE = "exchangelib"
EWS_MISSING = "EWS needs the extra 'ews'; 'pip install emaild[ews]' would be right"


def has_ntlm() -> bool:
    """Whether the extra `ntlm` is installed."""
    return importlib.util.find_spec(NTLM_PACKAGE) is not None


def has_ews() -> bool:
    """Whether the extra `ews` is installed."""
    return importlib.util.find_spec(EWS_PACKAGE) is not None


def missing_extra(mechanisms: Iterable[str]) -> str | None:
    """Of mechanisms to sign in with (in capitals): what is missing for them and what would be right, if anything."""
    if "NTLM" in mechanisms and not has_ntlm():
        return "NTLM needs the extra 'ntlm'; 'pip install emaild[ntlm]' would be right"
    return None
