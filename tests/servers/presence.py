"""What a test needs from the machine: it is skipped where that is missing, unless the run insists."""

import os
import shutil

import pytest

_SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"


def require(program: str, *others: str) -> str:
    """Return the path of *program*, when it and the *others* are installed.

    A missing program skips the test. With EMAILD_REQUIRE_SERVERS=1 it fails, so that a CI run cannot be green
    because nothing was tested.
    """
    found = {name: _path_of(name) for name in (program, *others)}
    missing = [name for name, path in found.items() if not path]
    if missing:
        sentence = f"this test needs {' and '.join(missing)}, which this machine does not have"
        if os.environ.get("EMAILD_REQUIRE_SERVERS") == "1":
            pytest.fail(f"{sentence} (EMAILD_REQUIRE_SERVERS=1)")
        pytest.skip(sentence)
    return found[program]


def require_root() -> None:
    """Skip the test unless it runs as root: some servers can only be started by root."""
    if os.geteuid() != 0:
        pytest.skip("this test starts a server that only root can start")


def _path_of(name: str) -> str:
    return shutil.which(name) or shutil.which(name, path=_SYSTEM_FOLDERS) or ""
