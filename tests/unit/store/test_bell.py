"""Whoever puts mail into the outbox rings for the daemon, and never waits or fails for that."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from emaild.errors import Conflict
from emaild.store import Store
from emaild.store.bell import FILE, MOST_HEARD, Bell, Heard
from emaild.store.writes import Writes
from tests.clock import START
from tests.samples import in_outbox, outbound

MARK = "the last ring"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The directory of the store, as of the fixture of that name."""
    return tmp_path / "state"


@pytest.fixture
def heard(store: Store, home: Path) -> Iterator[Heard]:
    with closing(Heard(home)) as made:
        yield made


def so_far(heard: Heard, home: Path) -> set[str]:
    """For which ways out it rang, be it for none."""
    Bell(home).ring([MARK])
    return heard.wait() - {MARK}


def test_a_mail_into_the_outbox_rings_for_its_way_out(store: Store, heard: Heard, home: Path) -> None:
    store.outbox.add(outbound(), START)
    assert so_far(heard, home) == {"smtp-client"}


def test_several_mails_in_one_commit_ring_for_each_of_their_ways_out(store: Store, heard: Heard, home: Path) -> None:
    mails = (outbound(), outbound(), replace(outbound(), way_out="smtp-client-Größe"))
    store.writing.commit(Writes(queued=mails), START)
    assert so_far(heard, home) == {"smtp-client", "smtp-client-Größe"}


def test_it_rings_when_the_mail_can_be_seen_and_not_for_one_that_was_not_taken(
    store: Store, heard: Heard, home: Path
) -> None:
    mail = outbound()
    store.writing.commit(Writes(queued=(mail,)), START)
    so_far(heard, home)
    with pytest.raises(Conflict):
        store.writing.commit(Writes(queued=(mail,)), START)
    store.writing.commit(Writes(), START)
    assert so_far(heard, home) == set()


def test_what_rings_many_times_before_it_is_heard_is_heard_once(store: Store, heard: Heard, home: Path) -> None:
    for _ in range(20):
        store.outbox.add(outbound(), START)
    assert so_far(heard, home) == {"smtp-client"}
    assert so_far(heard, home) == set()


def test_a_bell_that_nobody_hears_any_more_keeps_nobody_waiting(store: Store, heard: Heard, home: Path) -> None:
    bell = Bell(home)
    for _ in range(2 * MOST_HEARD // len("smtp-client\n")):  # more than a pipe holds (pipe(7))
        bell.ring(["smtp-client"])
    store.outbox.add(outbound(), START)
    assert len(in_outbox(store)) == 1
    assert heard.wait() == {"smtp-client"}


def test_where_no_daemon_runs_mail_is_taken_all_the_same(store: Store, home: Path) -> None:
    store.outbox.add(outbound(), START)
    Heard(home).close()  # a daemon was here
    store.outbox.add(outbound(), START)
    (home / FILE).unlink()
    (home / FILE).write_text("a file", encoding="ascii")
    store.outbox.add(outbound(), START)
    assert len(in_outbox(store)) == 3


def test_a_pipe_is_for_its_owner_alone_and_takes_the_place_of_what_is_none(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("kept", encoding="ascii")
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere")
    for _ in range(2):  # the second finds what the first made
        with closing(Heard(tmp_path)) as heard:
            Bell(tmp_path).ring(["a"])
            assert heard.wait() == {"a"}
    mode = (tmp_path / FILE).lstat().st_mode
    assert stat.S_ISFIFO(mode)
    assert stat.S_IMODE(mode) == 0o600
    assert (tmp_path / "elsewhere").read_text(encoding="ascii") == "kept"


def test_more_names_than_go_at_once_are_left_to_the_next_look(heard: Heard, home: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    Bell(home).ring([f"smtp-client-{number}" for number in range(1000)])
    assert so_far(heard, home) == set()
    assert len(os.listdir("/proc/self/fd")) == before
