"""What tests of the suite have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.benchmarks.runs import RUN


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The JSON of an earlier run."""
    file = tmp_path / "run.json"
    file.write_text(json.dumps(RUN.as_json()))
    return file
