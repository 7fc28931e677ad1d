"""An application's secret that is near its end: the daemon, its metrics and `emaild check` tell of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.daemon.harness import Emaild

RESTING = (
    "[pop-client]\ntype = graph\nmailbox = ann@example.com\npassword = x\nclient-id = c\ndirectory-id = d\n"
    "enable-client = false\nsecret-expires = {}\n"
)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Emaild]:
    with Emaild(tmp_path) as daemon:
        yield daemon


def day(days: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}"


def test_secret_that_ends_is_told_at_the_start_and_at_a_reload_though_nobody_asks_for_tokens(daemon: Emaild) -> None:
    daemon.configure(RESTING.format(day(9)))
    daemon.start()
    daemon.wait_for("credential.ends", ends=day(9))
    daemon.configure(RESTING.format(day(5)))
    daemon.wait_for("credential.ends", ends=day(5))


def test_check_warns_of_a_secret_that_ends_or_is_over_and_of_no_other(daemon: Emaild) -> None:
    for days, words in ((9, "ends on"), (-9, "ended on")):
        daemon.configure(RESTING.format(day(days)))
        done = daemon.command("check")
        assert done.returncode == os.EX_OK
        (line,) = done.stderr.splitlines()
        assert f"[pop-client] secret-expires: the client secret {words} {day(days)}" in line
        assert done.stdout.endswith("1 warning)\n")
    daemon.configure(RESTING.format(day(20)))
    assert daemon.command("check").stderr == ""
