"""What the tests of EMAIL2 share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.provision.email2.documents import Provisioned


@pytest.fixture
def provision(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Provisioned:
    """A conf file, and documents for it."""
    return Provisioned(tmp_path, capsys)
