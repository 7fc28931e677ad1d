"""How a way out fares, with what waits for it, as programs see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from emaild.documents.times import iso
from emaild.message import OutboundState
from emaild.store.figures import Waiting
from emaild.store.outbox_entries import WAITING_STATES
from emaild.store.ways_out import WayOutStatus

MISSING = WayOutStatus(name="", state="missing", last_error="mails wait for it, and there is no such section")


STOPPED = "stopped"


def ways_json(
    states: Mapping[str, WayOutStatus],
    waiting: Iterable[Waiting],
    show: Callable[[datetime | None], str | None] = iso,
    *,
    running: bool = True,
) -> list[dict[str, object]]:
    """All ways out by name, those too that only mails know of (`missing`); *show* writes the times.

    Where no daemon is *running* those that there are are `stopped`, and nothing is tried.
    """
    by_way: dict[str, dict[str, Waiting]] = {name: {} for name in states}
    for one in waiting:
        by_way.setdefault(one.way_out, {})[one.state] = one
    if not running:
        states = {name: replace(one, state=STOPPED, next_try=None) for name, one in states.items()}
    return [_way_json(name, states.get(name, MISSING), by_way[name], show) for name in sorted(by_way)]


def _way_json(
    name: str, status: WayOutStatus, mails: Mapping[str, Waiting], show: Callable[[datetime | None], str | None]
) -> dict[str, object]:
    counts = {state.value.lower(): mails[state].count if state in mails else 0 for state in WAITING_STATES}
    due = [one.oldest for state, one in mails.items() if state != OutboundState.HELD]
    return {
        "name": name,
        "state": status.state,
        **counts,
        "oldest": show(min(due, default=None)),
        "last_sent": show(status.last_sent),
        "last_error": status.last_error,
        "next_try": show(status.next_try),
    }
