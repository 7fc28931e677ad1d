"""Whether the running daemon has taken up what a command changed in conf.d."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from emaild.cli.output import plain
from emaild.cli.state import opened
from emaild.errors import StateUnusable, StoreFailed
from emaild.settings.load import Settings
from emaild.store import Store
from emaild.store.engine import FILE
from emaild.store.lock import daemon_runs
from emaild.store.mailboxes import MailboxStatus

WITHIN = 30.0  # seconds beyond reload-quiet
PAUSE = 0.1

T = TypeVar("T")


def read_there(settings: Settings, box: str, since: datetime, *, new: bool = True) -> tuple[str, str]:
    """How the running daemon fares with a mailbox that was set up or changed at *since*: (state, words).

    Of one that is not *new* a failure may be from before; it is waited for that it works. The state is ok, failing,
    resting, `none` where no daemon runs, or `unknown` where it has not read it in time.
    """

    def look(store: Store) -> MailboxStatus | None:
        found = store.mailboxes.all().get(box)
        if found is None or found.state == "resting" or (new and found.state == "failing"):
            return found
        return found if found.last_poll is not None and found.last_poll >= since else None

    state, found = _waited(settings, look)
    if found is None:
        return state, _no_word(state, f"[{box}] is not read yet")
    if found.state == "failing":
        return "failing", plain(f"the daemon took [{box}] up, and it fails there: {found.last_error}")
    if found.state == "resting":
        return "resting", f"the daemon knows [{box}], which rests"
    return "ok", f"the daemon reads [{box}]"


def dropped_there(settings: Settings, boxes: Collection[str], ways: Collection[str]) -> tuple[str, str]:
    """Whether the running daemon let go of these sections: (ok, none or unknown, words)."""

    def look(store: Store) -> bool | None:
        there: Mapping[str, object] = {**store.mailboxes.all(), **store.ways_out.all()}
        return None if there.keys() & {*boxes, *ways} else True

    state, gone = _waited(settings, look)
    return ("ok", "the daemon has let go of it") if gone else (state, _no_word(state, "it still has it"))


def _no_word(state: str, yet: str) -> str:
    if state == "none":
        return "no daemon runs; 'emaild run', or 'systemctl start emaild', starts one"
    return f"a daemon runs, but {yet}; its log and 'emaild mailboxes' say more"


def _waited(settings: Settings, look: Callable[[Store], T | None]) -> tuple[str, T | None]:
    """What *look* finds within the time that it takes a daemon; none or unknown, and None, where there is nothing."""
    directory: Path = settings.emaild.state_directory
    if not daemon_runs(directory) or not (directory / FILE).exists():
        return "none", None
    until = time.monotonic() + settings.emaild.reload_quiet + WITHIN
    try:
        with opened(settings, must_exist=True) as store:
            while time.monotonic() < until:
                try:
                    found = look(store)
                except StoreFailed:
                    found = None
                if found is not None:
                    return "ok", found
                if not daemon_runs(directory):
                    return "none", None
                time.sleep(PAUSE)
    except (StateUnusable, StoreFailed):
        pass
    return "unknown", None
