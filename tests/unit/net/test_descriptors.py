"""Room for open files, in processes with limits of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[3]
SCRIPT = """
import resource, sys
from emaild.log.setup import set_up
from emaild.net.descriptors import make_room
from emaild.settings.log import LogSection

soft, hard, connections = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
set_up(LogSection(), sys.stderr)
make_room(connections)
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def limits(soft: int, hard: int, connections: int) -> tuple[str, str]:
    """The limits of a process that began with these and made room; and what it logged."""
    command = [sys.executable, "-c", SCRIPT, str(soft), str(hard), str(connections)]
    done = subprocess.run(command, cwd=TOP, env=os.environ, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip(), done.stderr


def test_few_connections_leave_the_limit_as_it_is() -> None:
    assert limits(512, 4096, 10) == ("512 4096", "")


def test_many_connections_get_as_much_room_as_they_need() -> None:
    assert limits(512, 4096, 1000) == ("1256 4096", "")


def test_a_hard_limit_that_is_too_low_is_reached_and_told() -> None:
    found, said = limits(512, 1024, 1000)
    assert found == "1024 1024"
    assert '"files.few"' in said
    assert '"limit": 1024' in said
    assert '"needed": 1256' in said
