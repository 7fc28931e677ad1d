"""What a service, a rule or a program changes, in one commit: all of it, or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from emaild.errors import Conflict, NotFound
from emaild.message import Interaction, InteractionState, Outbound
from emaild.store.engine import Database
from emaild.store.numbers import next_numbers
from emaild.store.outbox import queue
from emaild.store.prepared import Prepared
from emaild.store.schema import interaction, outbox, request
from emaild.store.taking import add

KNOWN = Prepared(select(outbox.c.id).where(outbox.c.id == bindparam("name")))


@dataclass(frozen=True, kw_only=True)
class NewMail:
    """A mail of ours that becomes an interaction."""

    interaction: Interaction
    raw: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Change:
    """Another queue or state for an interaction; None: it stays. It must be in one of `if_states`, if any are named."""

    id: str
    queue: str | None = None
    state: InteractionState | None = None
    if_states: tuple[InteractionState, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Submission:
    """An interaction that the rules saw, and the rule that fitted: from now on programs see it."""

    id: str
    rule: str | None = None


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request that its program may repeat: the same `key` and `digest` get the same `answer`, a JSON object."""

    key: str
    digest: str
    answer: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Writes:
    """What is to be written. `needs` are interactions without which nothing of it may be."""

    created: tuple[NewMail, ...] = ()
    queued: tuple[Outbound, ...] = ()
    changes: tuple[Change, ...] = ()
    needs: tuple[str, ...] = ()


class Gone(NotFound):
    """An interaction that must be there is not; `id` names it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the interaction {name} is gone")
        self.id = name


class Writing:
    """The store, to be written by what is not a mailbox."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def commit(
        self,
        writes: Writes,
        now: datetime,
        *,
        submissions: Sequence[Submission] = (),
        asked: Request | None = None,
        rules: bool = False,
    ) -> Mapping[str, Any] | None:
        """Write all of it. Where *asked* was answered already nothing is written.

        Programs see new interactions at once; with *rules* when those have seen them.

        Returns:
            the answer to *asked*: its own, or that of the first time.

        Raises:
            Gone: an interaction that it needs or changes is not there.
            Conflict: an interaction is in another state, or in the outbox already; or the key was used for another
                request. Nothing is written.
        """
        with self._database.write() as connection:
            if asked is not None:
                before = _answered(connection, asked.key, asked.digest)
                if before is not None:
                    return before
                connection.execute(
                    insert(request).values(
                        key=asked.key, digest=asked.digest, answer=dict(asked.answer), at=now.timestamp()
                    )
                )
            for name in writes.needs:
                if connection.execute(select(interaction.c.id).where(interaction.c.id == name)).first() is None:
                    raise Gone(name)
            _submit(connection, submissions)  # first: programs see an interaction before what was made of it
            for new in writes.created:
                number = None if rules else next(next_numbers(connection, 1))
                add(connection, replace(new.interaction, number=number), new.raw)
            for mail in writes.queued:
                _queue(connection, mail, now)
            for change in writes.changes:
                _change(connection, change)
        self._database.bell.ring({mail.way_out for mail in writes.queued})
        return None if asked is None else asked.answer

    def answer(self, key: str, digest: str) -> Mapping[str, Any] | None:
        """How that request was answered; None: it was not.

        Raises:
            Conflict: the key was used for another request.
        """
        with self._database.read() as connection:
            return _answered(connection, key, digest)

    def prune(self, before: datetime, most: int) -> int:
        """Forget at most that many requests that were answered earlier. Returns how many."""
        with self._database.write() as connection:
            old = select(request.c.key).where(request.c.at < before.timestamp()).limit(most)
            return connection.execute(delete(request).where(request.c.key.in_(old))).rowcount


def _answered(connection: Connection, key: str, digest: str) -> Mapping[str, Any] | None:
    row = connection.execute(select(request).where(request.c.key == key)).one_or_none()
    if row is None:
        return None
    if row.digest != digest:
        shown = json.dumps(key.rpartition(" ")[2])  # before it stands whose key it is
        raise Conflict(f"the key {shown} was used for another request")
    answer: Mapping[str, Any] = row.answer
    return answer


def _queue(connection: Connection, mail: Outbound, now: datetime) -> None:
    if KNOWN.execute(connection, {"name": mail.id}):
        raise Conflict(f"the mail {mail.id} is in the outbox or the history already")
    queue(connection, mail, now)


def _change(connection: Connection, change: Change) -> None:
    found = select(interaction.c.state).where(interaction.c.id == change.id)
    state = connection.execute(found).scalar_one_or_none()
    if state is None:
        raise Gone(change.id)
    if change.if_states and state not in change.if_states:
        wanted = " or ".join(change.if_states)
        raise Conflict(f"the interaction {change.id} is {state}; expected {wanted}")
    values = {"queue": change.queue, "state": change.state and change.state.value}
    given = {name: value for name, value in values.items() if value is not None}
    if given:
        connection.execute(update(interaction).where(interaction.c.id == change.id).values(given))


def _submit(connection: Connection, submissions: Sequence[Submission]) -> None:
    """Interactions that are gone meanwhile need no number."""
    if not submissions:
        return
    for one, number in zip(submissions, next_numbers(connection, len(submissions)), strict=True):
        chosen = (interaction.c.id == one.id, interaction.c.number.is_(None))
        connection.execute(update(interaction).where(*chosen).values(number=number, rule=one.rule))
