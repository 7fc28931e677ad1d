"""A small run of schemathesis against the real daemon; `python -m tests.api.fuzz` is the large one."""

from __future__ import annotations

from pathlib import Path

from tests.api.fuzz import run, serving


def test_each_answer_is_one_that_the_document_knows(tmp_path: Path) -> None:
    with serving(tmp_path) as (daemon, address):
        found = run(address, examples=15, seed=1, phases="examples,fuzzing")
        assert found.code == 0, found.output
        assert "33 selected" in found.output
        assert daemon.count("api.failed") == 0
        assert daemon.stop() == 0
