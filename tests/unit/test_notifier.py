"""Talking to systemd, over a socket like systemd's."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emaild.systemd import Notifier


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[socket.socket]:
    """The end of $NOTIFY_SOCKET at which systemd listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        if request.param == "path":
            monkeypatch.chdir(tmp_path)  # the name of a socket has at most 107 bytes
            listener.bind("notify")
            monkeypatch.setenv("NOTIFY_SOCKET", "notify")
        else:
            name = f"emaild-test-{os.getpid()}"
            listener.bind(f"\0{name}")
            monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        listener.settimeout(5)
        yield listener


def heard(systemd: socket.socket) -> dict[str, str]:
    return dict(line.split("=", 1) for line in systemd.recv(4096).decode().split("\n"))


def test_ready_comes_with_a_status(systemd: socket.socket) -> None:
    Notifier().ready("3 mailboxes, 1 ways out")
    assert heard(systemd) == {"READY": "1", "STATUS": "3 mailboxes, 1 ways out"}


def test_a_reload_begins_with_the_time(systemd: socket.socket) -> None:
    """systemd.service(5): Type=notify-reload wants MONOTONIC_USEC beside RELOADING=1."""
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    Notifier().reloading()
    said = heard(systemd)
    assert said["RELOADING"] == "1"
    assert before <= int(said["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_the_end_is_announced(systemd: socket.socket) -> None:
    Notifier().stopping()
    assert heard(systemd)["STOPPING"] == "1"


def test_the_watchdog_is_answered(systemd: socket.socket) -> None:
    Notifier().alive()
    assert heard(systemd) == {"WATCHDOG": "1"}


def test_outside_systemd_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Notifier().ready("nobody hears this")


def test_a_systemd_that_does_not_listen_is_no_trouble(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    Notifier().ready("nobody hears this")


@pytest.mark.parametrize(
    ("limit", "process", "interval"),
    [
        ("20000000", None, 10.0),
        ("20000000", "mine", 10.0),
        ("20000000", "1", None),
        (None, None, None),
        ("", None, None),
        ("soon", None, None),
    ],
)
def test_the_watchdog_is_answered_twice_in_its_time(
    monkeypatch: pytest.MonkeyPatch, limit: str | None, process: str | None, interval: float | None
) -> None:
    """sd_watchdog_enabled(3): half of WATCHDOG_USEC, and only by the process that is meant."""
    for name, value in (("WATCHDOG_USEC", limit), ("WATCHDOG_PID", str(os.getpid()) if process == "mine" else process)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert Notifier().watchdog_interval == interval
