"""Who loads what reads bounces, and when."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = "emaild.mime.bounce.reading"


@pytest.mark.parametrize(
    ("module", "loaded"),
    [
        ("emaild.daemon", True),  # from its start: later there may be another emaild in the place of this one
        ("emaild.mime.reader", False),
        ("emaild.mime.view", False),
    ],
)
def test_daemon_has_it_from_its_start_and_others_with_the_first_mail_that_may_be_one(module: str, loaded: bool) -> None:
    code = f"import sys, {module}; print({HEAVY!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f"{loaded}\n"
