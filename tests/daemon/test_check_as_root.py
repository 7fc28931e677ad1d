"""`emaild check` as root runs it, for a daemon that is somebody else and may read less."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.daemon.harness import Emaild
from tests.servers.presence import require_root
from tests.servers.processes import Home, unprivileged

BOX = "[pop-client]\nserver = imap.example.com\ntype = IMAP\nmailbox = a\nallow-plaintext-auth = yes\n"


@pytest.fixture
def home() -> Iterator[Home]:
    """A folder of root's, with a state directory of the daemon's user."""
    require_root()
    made = Home("check", unprivileged())
    try:
        os.chown(made.path, 0, 0)
        made.folder("state")
        yield made
    finally:
        made.remove()


@pytest.mark.parametrize(("mode", "told"), [(0o600, True), (0o644, False)])
def test_what_the_daemons_user_may_not_read_is_warned_of(home: Home, mode: int, told: bool) -> None:
    secret = home.path / "password"
    secret.write_text("hunter2")
    secret.chmod(mode)
    with Emaild(home.path) as daemon:
        daemon.configure(f"{BOX}password = file:{secret}\n")
        daemon.conf.chmod(0o644)
        done = daemon.command("check")
    assert done.returncode == 0, done.stderr
    assert (f"for the owner of {home.path}/state, as whom the daemon runs: " in done.stderr) is told, done.stderr
    assert (f"cannot read {secret}: Permission denied" in done.stderr) is told, done.stderr
