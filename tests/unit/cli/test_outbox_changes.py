"""What is done to many mails out, and where it ends early."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from emaild.cli.outbox_changes import change
from emaild.message import OutboundState
from emaild.store import Store
from emaild.store.outbox import PAGE
from emaild.store.outbox_entries import Choice
from tests.clock import START
from tests.said import Said
from tests.samples import outbound


@contextmanager
def ctrl_c_at_page(number: int) -> Iterator[None]:
    """Somebody presses it when that page is read."""
    read = []

    def press(*executed: Any) -> None:
        if "outbox.id >" in executed[2]:
            read.append(executed)
            if len(read) == number:
                raise KeyboardInterrupt

    event.listen(Engine, "before_cursor_execute", press)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", press)


def test_ctrl_c_between_two_pages_says_how_far_it_got(
    store: Store, said: Said, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(PAGE + 10):
        store.outbox.add(outbound(), START)
    with ctrl_c_at_page(2), pytest.raises(KeyboardInterrupt):
        change(store, "cancel", Choice(done=False), None, lambda way: "", json=False)
    states = [entry.state for entry in store.outbox.newest(Choice())]
    assert (states.count(OutboundState.CANCELLED), states.count(OutboundState.QUEUED)) == (PAGE, 10)
    assert said.one("outbound.many_changed")["mails"] == PAGE
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"emaild: it ended early: {PAGE} mails are cancelled by then\n")
