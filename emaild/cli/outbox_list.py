"""`emaild outbox` and `history` without an id: a row for each mail."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from emaild.cli.choosing import DONE_STATES
from emaild.cli.in_the_way import ways_of
from emaild.cli.output import brief, json_line, moment, short, table, wide
from emaild.cli.watch import Row, Watched
from emaild.documents.outbox import Ways, due, listed_json
from emaild.errors import NotFound
from emaild.settings.load import Settings
from emaild.store import Store
from emaild.store.outbox_entries import WAITING_STATES, Choice, OutboxEntry

MOST_WHY = 74  # characters of a diagnosis on a narrow terminal


class OutboxList:
    """The mails that are chosen, the newest first."""

    def __init__(self, store: Store, choice: Choice, settings: Settings) -> None:
        self._store = store
        self._choice = choice
        self._settings = settings

    def show(self, limit: int | None, empty: str, *, json: bool) -> None:
        """Print them, or *empty* where there is none."""
        found = self._store.outbox.newest(self._choice, limit)
        if json:
            for _, document in listed_json(self._store, found, ways_of(self._store, self._settings)):
                json_line(document)
        else:
            table(self._columns(), self._cells(found), empty)

    def watched(self) -> Watched:
        """The same for `--watch`."""
        return Watched(
            self._columns(), lambda most: self._rows(self._store.outbox.newest(self._choice, most)), self._now
        )

    def _now(self, name: str) -> Row | None:
        try:
            return self._rows([self._store.outbox.get(name)[0]])[0]
        except NotFound:
            return None

    def _rows(self, found: Iterable[OutboxEntry]) -> list[Row]:
        entries = list(found)
        documents = listed_json(self._store, entries, ways_of(self._store, self._settings))
        return [
            Row(one.id, one, said, cells) for (one, said), cells in zip(documents, self._cells(entries), strict=True)
        ]

    def _cells(self, found: Iterable[OutboxEntry]) -> Iterable[tuple[object, ...]]:
        ways, now = ways_of(self._store, self._settings), datetime.now(UTC)
        return (_cells(entry, ways, now) for entry in found)

    def _columns(self) -> tuple[str, ...]:
        states = {*self._choice.states}
        done = self._choice.done or (bool(states) and states <= {*DONE_STATES})
        waits = self._choice.done is False or (bool(states) and states <= {*WAITING_STATES})
        when = "FINISHED" if done else "NEXT TRY" if waits else "NEXT TRY OR END"
        return ("ID", "STATE", *(("WAY OUT",) if wide() else ()), "RECIPIENTS", "TRIES", when, "DIAGNOSIS")


def _cells(entry: OutboxEntry, ways: Ways, now: datetime) -> tuple[object, ...]:
    first, *others = [one.address for one in entry.recipients]
    to = f"{first} and {len(others)} more" if others else first
    when = due(entry, ways) or entry.finished
    if wide():
        return (entry.id, entry.state, entry.way_out, to, entry.tries, moment(when), entry.diagnosis)
    return (entry.id, entry.state, to, entry.tries, brief(when, now), short(entry.diagnosis, MOST_WHY))
