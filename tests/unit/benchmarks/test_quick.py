"""That each benchmark with servers works, with so little that its figures mean nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.servers.presence import require
from tests.unit.benchmarks.runs import benchmarks

NEEDED = {
    "inbound": ("dovecot",),  # what is missing of the others is left out
    "queued": ("smtp-sink",),
    "mailboxes": ("dovecot",),
    "reload": ("dovecot",),
    "understanding": (),
    "transcript": (),
    "field_codes": (),
}


@pytest.mark.parametrize("module", NEEDED)
def test_a_benchmark_works(module: str, tmp_path: Path) -> None:
    for program in NEEDED[module]:
        require(program)
    file = tmp_path / "run.json"
    done = benchmarks("--quick", "--rounds", 1, "--only", module, "--json", file)
    assert done.returncode == 0, done.stdout + done.stderr
    tables = json.loads(file.read_text())["tables"]
    figures = [figure for table in tables for figure in table["figures"]]
    assert all(len(figure["rounds"]) == 1 for figure in figures)
    assert all(figure["value"] > 0 for figure in figures if figure["unit"].endswith(("/s", "MB")))
    assert all(table["title"] in done.stdout for table in tables)
