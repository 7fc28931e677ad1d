"""What the system says of names, routes, files and folders, on a machine that is made so: each leads to its cause."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.adapters import apart
from tests.adapters.causes import Heard, Sample, at
from tests.servers.presence import require, require_root

BROUGHT_ABOUT = apart.scenes(Path()).keys()
HERE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Heard]:
    """By the sample, what it was brought about with."""
    require_root()
    unshare = require("unshare", "ip", "mount")
    command = [unshare, "-mn", sys.executable, "-m", "tests.adapters.apart", str(tmp_path_factory.mktemp("apart"))]
    around = os.environ | {"LOGNAME": "emaild"}
    done = subprocess.run(command, cwd=HERE, env=around, capture_output=True, text=True, timeout=60, check=False)
    assert not done.stderr
    return {name: Heard(*one) for name, one in json.loads(done.stdout).items()}


@pytest.mark.parametrize("sample", at("emaild", these=BROUGHT_ABOUT))
def test_what_the_system_says_leads_to_its_cause(found: Mapping[str, Heard], sample: Sample) -> None:
    assert found[str(sample)] == Heard(sample.cause, sample.reply, sample.action)
