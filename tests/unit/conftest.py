"""What unit tests share: real stores and files in a folder of their own, a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from emaild.store import Store, open_store
from tests.clock import ManualClock
from tests.conf_files import ConfFiles
from tests.said import Said

# A busy machine is no failure.
settings.register_profile(
    "unit", deadline=None, database=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unit")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(autouse=True)
def said() -> Said:
    return Said()


@pytest.fixture
def conf(tmp_path: Path) -> ConfFiles:
    return ConfFiles(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "state")
    yield opened
    opened.close()
