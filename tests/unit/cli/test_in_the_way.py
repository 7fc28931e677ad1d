"""What keeps mails from going by a way out, as its daemon reported last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emaild.cli.in_the_way import in_the_way
from emaild.settings.load import load
from emaild.store import Store
from emaild.store.lock import alone
from emaild.store.ways_out import WayOutStatus

SOON = timedelta(minutes=5)
FAILS = "the way out smtp-client does not work at this moment, and is tried again at "


@pytest.mark.parametrize(
    ("state", "wait", "words"),
    [
        ("failing", SOON, FAILS),
        ("limited", SOON, "the way out smtp-client reached its limit a minute: what nobody waits for goes on at "),
        ("failing", None, ""),  # it is tried at once
        ("failing", -SOON, ""),
        ("ok", None, ""),
    ],
)
def test_a_way_that_rests_is_in_the_way_while_its_daemon_runs(
    store: Store, tmp_path: Path, state: str, wait: timedelta | None, words: str
) -> None:
    conf = tmp_path / "emaild.conf"
    conf.write_text(f"[emaild]\nstate-directory = {tmp_path / 'state'}\n[smtp-client]\nserver = mail.example.com\n")
    settings = load(conf)
    at = None if wait is None else datetime.now(UTC) + wait
    store.ways_out.report([WayOutStatus(name="smtp-client", state=state, next_try=at, last_error="greet: 421 No.")])
    assert in_the_way("smtp-client", store, settings) == ""
    with alone(tmp_path / "state"):
        told = in_the_way("smtp-client", store, settings)
    assert told.startswith(words)
    assert bool(told) == bool(words)
    assert told.endswith("greet: 421 No") == (words == FAILS)
