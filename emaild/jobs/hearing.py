"""Hearing the bell: mail that any process puts into the outbox is sent at once, not when it is looked for next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path

from emaild.store.bell import Heard

PAUSE = 0.05  # seconds between two looks into the outbox, however often it rings: what comes meanwhile goes together


def hear(directory: Path, look: Callable[[Collection[str]], None]) -> threading.Thread | None:
    """Have *look* called with the ways out for which there is mail, until the process ends.

    None where the state directory can have no bell.
    """
    try:
        heard = Heard(directory)
    except OSError:
        return None

    def listen() -> None:
        while True:
            look(heard.wait())
            time.sleep(PAUSE)

    thread = threading.Thread(target=listen, name="bell", daemon=True)
    thread.start()
    return thread
