"""`emaild demo`: what a newcomer sees first."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.wait import eventually

DEMO = (sys.executable, "-m", "emaild", "demo")


def left_running(home: Path) -> list[str]:
    """The command lines of processes that were given a path below *home*."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:  # it has just ended
            continue
        if str(home) in line:
            found.append(line)
    return found


def test_the_demo_shows_the_main_job_and_leaves_nothing_running(tmp_path: Path) -> None:
    done = subprocess.run(
        DEMO, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    assert (done.returncode, done.stderr) == (0, "")
    for shown in ("InboundNew", "注文番号", "arrived at the SMTP server", '"event": "reload.applied"', "Try next"):
        assert shown in done.stdout
    (home,) = tmp_path.iterdir()
    assert len(list((home / "sent").iterdir())) == 1
    assert left_running(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("moment", ["run on 127", "emaild run", "put an answer", "cycle-time changed"])
def test_the_demo_interrupted_anywhere_leaves_nothing_running(
    number: signal.Signals, moment: str, tmp_path: Path
) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(DEMO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if moment in line:
                break
        demo.send_signal(number)
        _, errors = demo.communicate(timeout=30)
    assert demo.returncode == 130
    assert "Traceback" not in errors
    eventually(lambda: not left_running(tmp_path), within=5, what="everything has ended")
