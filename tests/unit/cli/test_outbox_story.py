"""One mail as a person would tell it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from emaild.cli.outbox_story import Told, tell
from emaild.documents.outbox import due
from emaild.store import Store
from emaild.store.ways_out import WayOutStatus
from tests.clock import START
from tests.samples import answered, lease_of, outbound


def story(store: Store, way: WayOutStatus, capsys: pytest.CaptureFixture[str], *, interactive: bool = False) -> str:
    mail = outbound(interactive=interactive)
    store.outbox.add(mail, START)
    entry, attempts = store.outbox.get(mail.id)
    tell(Told(entry=entry, attempts=attempts, raw=mail.raw, way=way, no_daemon=""))
    return capsys.readouterr().out


def test_a_servers_full_stop_is_not_followed_by_another(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    later = datetime.now(UTC) + timedelta(minutes=5)
    way = WayOutStatus(name="smtp-client", state="failing", last_error="sign in: 535 No.", next_try=later)
    told = story(store, way, capsys)
    assert "does not work at this moment: sign in: 535 No. It is tried again at " in told
    assert ".." not in told


def test_the_limit_a_minute_holds_back_what_nobody_waits_for(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    later = datetime.now(UTC) + timedelta(seconds=50)
    way = WayOutStatus(name="smtp-client", state="limited", next_try=later)
    first, *_ = story(store, way, capsys).splitlines()
    assert f"is queued and not tried yet; it is due at {later.astimezone():%Y-%m-%d %H:%M:%S}, in " in first
    first, *_ = story(store, way, capsys, interactive=True).splitlines()
    assert first.endswith("is queued and not tried yet, and is due now.")


def test_each_cause_is_told_with_those_whom_it_is_about(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    mail = outbound(*(f"gone{number}@b.c" for number in range(7)), "full@b.c", "ok@b.c")
    store.outbox.add(mail, START)
    answered(store, lease_of(store, mail), *[550] * 7, 452, 250, retry_at=START + timedelta(hours=1))
    entry, attempts = store.outbox.get(mail.id)
    tell(Told(entry=entry, attempts=attempts, raw=mail.raw, way=WayOutStatus(name="w", state="ok"), no_daemon=""))
    told = capsys.readouterr().out
    waits, gone = told.index("(server-full)\n    This is about full@b.c."), told.index("(mailbox-unavailable)")
    assert waits < gone
    assert "This is about gone0@b.c, gone1@b.c, gone2@b.c, gone3@b.c, gone4@b.c and 2 more." in told[gone:]


def test_a_mail_that_is_held_is_not_due_while_its_way_rests(store: Store) -> None:
    mail = outbound()
    store.outbox.add(mail, START)
    held = store.outbox.hold(mail.id, START)
    failing = WayOutStatus(name="smtp-client", state="failing", next_try=START + timedelta(minutes=5))
    assert due(held, {"smtp-client": failing}) is None
