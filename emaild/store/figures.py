"""How much there is of what: for metrics. Each figure is one query, answered from an index where it can be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select

from emaild.store.engine import Database
from emaild.store.outbox_entries import WAITING_STATES
from emaild.store.schema import held, interaction, outbox


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Mails of one state that one way out is to send; `oldest` is when the first of them came into the outbox."""

    way_out: str
    state: str
    count: int
    oldest: datetime


class Figures:
    """Numbers of rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def interactions(self) -> list[tuple[str, str, int]]:
        """State, queue, and how many there are of them."""
        columns = interaction.c
        query = select(columns.state, columns.queue, func.count()).group_by(columns.state, columns.queue)
        with self._database.read() as connection:
            return [(state, queue, count) for state, queue, count in connection.execute(query)]

    def unsubmitted(self) -> int:
        """How many interactions the rules have not seen."""
        query = select(func.count()).select_from(interaction).where(interaction.c.number.is_(None))
        with self._database.read() as connection:
            return connection.execute(query).scalar_one()

    def outbox(self) -> list[Waiting]:
        """The mails that are not done with."""
        columns = outbox.c
        query = select(columns.way_out, columns.state, func.count(), func.min(columns.created))
        query = query.where(columns.state.in_(WAITING_STATES)).group_by(columns.way_out, columns.state)
        with self._database.read() as connection:
            return [
                Waiting(way_out=way, state=state, count=count, oldest=datetime.fromtimestamp(oldest, UTC))
                for way, state, count, oldest in connection.execute(query)
            ]

    def held(self) -> int:
        """How many mails are held."""
        with self._database.read() as connection:
            return connection.execute(select(func.count()).select_from(held)).scalar_one()
