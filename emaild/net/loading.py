"""Libraries that are loaded where they are first needed: by one thread at a time.

msal, exchangelib and google-auth all load requests, whose modules need each other: where two threads begin at the same
moment Python gives one of them half a module, rather than let both wait for ever.
"""

from __future__ import annotations

import importlib
import threading
from types import ModuleType

_loading = threading.RLock()  # what is loaded may load others this way


def loaded(name: str) -> ModuleType:
    """The module of that name. Raises ImportError."""
    with _loading:
        return importlib.import_module(name)
