"""One daemon on a state directory, and commands that look whether there is one."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from emaild.errors import AlreadyRunning
from emaild.store import lock
from emaild.store.lock import FILE, alone, daemon_runs
from tests.servers.wait import eventually


def test_a_daemon_is_seen_while_it_holds_the_lock(tmp_path: Path) -> None:
    assert not daemon_runs(tmp_path)
    with alone(tmp_path):
        assert daemon_runs(tmp_path)
        assert daemon_runs(tmp_path)
        with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"), alone(tmp_path):
            pass
    assert not daemon_runs(tmp_path)


def test_a_daemon_starts_at_the_moment_in_which_a_command_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with alone(tmp_path):
        pass
    waited = threading.Event()
    monkeypatch.setattr("emaild.store.lock.time.sleep", lambda seconds: waited.set())
    monkeypatch.setattr(lock, "TRIES", 10**9)
    looking = os.open(tmp_path / FILE, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    started = threading.Event()

    def start() -> None:
        with alone(tmp_path):
            started.set()

    daemon = threading.Thread(target=start)
    daemon.start()
    eventually(waited.is_set, within=10, what="the daemon's second try")
    assert not started.is_set()
    os.close(looking)
    daemon.join(10)
    assert started.is_set()
