"""A run that is ended before it is through."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.presence import require
from tests.servers.wait import eventually
from tests.unit.benchmarks.runs import TOP


@pytest.fixture
def folder() -> Iterator[Path]:
    """For all that the run makes; servers of other accounts may enter it."""
    with tempfile.TemporaryDirectory(prefix="emaild-ending-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def processes_with(word: str) -> list[str]:
    """The command lines that hold it."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in lines if word in line]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_leaves_no_server_and_no_file_behind(number: signal.Signals, folder: Path) -> None:
    require("dovecot")
    command = [sys.executable, "-m", "tests.benchmarks", "--only", "inbound", "--rounds", "1000"]
    environment = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen(command, cwd=TOP, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            eventually(lambda: processes_with(f"{folder}/emaild-inbound"), within=60, what="the start of the daemon")
            process.send_signal(number)
            assert process.wait(60) == 128 + number
        finally:
            process.kill()
        assert process.stderr
        assert "Traceback" not in process.stderr.read()
    assert processes_with(str(folder)) == []
    assert [*folder.iterdir()] == []
