"""`--retry`, `--hold` and `--cancel` of `emaild outbox` and `history`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from emaild.cli.output import json_line
from emaild.jobs.outbox_changes import ACTIONS, ChangeAll, change_one
from emaild.settings.routes import COMMAND_LINE
from emaild.store import Store
from emaild.store.outbox_entries import Choice


def change(
    store: Store, action: str, choice: Choice, name: str | None, hindrance: Callable[[str], str], *, json: bool
) -> int:
    """Do it to the mail of that name, else to all that are chosen; tell how many. Returns the exit code.

    *hindrance* says what keeps mails from going by the way out of a name; empty where nothing does.
    """
    now = datetime.now(UTC)
    if name:
        changed = change_one(store, action, name.upper(), now, client=COMMAND_LINE)
        way = changed.entry.way_out
        _tell(action, 1, 0, [way] if changed.woken else [], _hindrances(action, [way], hindrance), json=json)
        return os.EX_OK
    all_of_them = ChangeAll(store, action, choice, client=COMMAND_LINE)
    try:
        all_of_them.run(now)
    except BaseException:
        print(f"emaild: it ended early: {_mails(all_of_them.count)} {ACTIONS[action].done} by then", file=sys.stderr)
        raise
    hindrances = _hindrances(action, all_of_them.ways, hindrance)
    _tell(action, all_of_them.count, all_of_them.being_sent(), sorted(all_of_them.woken), hindrances, json=json)
    return os.EX_OK


def _hindrances(action: str, ways: Iterable[str], hindrance: Callable[[str], str]) -> list[str]:
    return list(filter(None, map(hindrance, sorted(ways)))) if action == "retry" else []


def _tell(action: str, count: int, busy: int, woken: list[str], hindrances: list[str], *, json: bool) -> None:
    if json:
        json_line({"changed": count, "being_sent": busy, "woken": woken})
        return
    print(f"{_mails(count)} {'let go' if hindrances else ACTIONS[action].done}")
    for words in hindrances:
        print(f"but {words}")
    if busy:
        print(f"{_mails(busy)} being sent at this moment, and left alone")
    for way in woken:
        print(f"the way out {way} rested, for it failed; it is due now, too")


def _mails(count: int) -> str:
    return "1 mail is" if count == 1 else f"{count or 'no'} mails are"
