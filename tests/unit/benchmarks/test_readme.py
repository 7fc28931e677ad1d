"""The block of the README that is made of runs."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from tests.benchmarks import readme, suite
from tests.benchmarks.whole_files import put
from tests.unit.benchmarks.runs import OLD, RUN, benchmarks, run, table

SAID = """\
Measured on 2026-11-22 by `python -m tests.benchmarks` (medians; things that are compared took turns): Machine, 2 cores.
Python 3.11, SQLAlchemy 2.1.
"""
TABLE = """\
**Inbound.** From here to there.

| | median | 1 or 3 rounds | beside | aim |
|---|---|---|---|---|
| rival | 100 mails/s | 90.0 to 2,000 |  |  |
| emaild | 150 mails/s | 120 to 151 | 1.50 × rival | above 1.25 times rival: reached |
| start | 0.123 s | 0.123 |  | under 0.1 s: missed |

Rival 1.0.
"""
BLOCK = f"{SAID}\n{TABLE}"


def told(text: str) -> list[str]:
    """The dates and titles of a README, and what it says of failures, in their order."""
    found = re.findall(r"^Measured on ([\d-]+)|^\*\*(.*)\.\*\*|^(Failed .*)", text, re.MULTILINE)
    return ["".join(one) for one in found]


def test_the_readmes_block_is_made_of_an_earlier_runs_json(source: Path, tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("above\n<!-- benchmarks -->\n<!-- /benchmarks -->\nbelow\n")
    file.chmod(0o640)
    done = benchmarks("--from", source, "--readme", file)
    assert done.returncode == 0, done.stderr
    assert file.read_text() == f"above\n<!-- benchmarks -->\n{BLOCK}<!-- /benchmarks -->\nbelow\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert "1.50 × rival" in done.stdout


def test_a_table_takes_the_place_of_the_one_of_its_title_and_the_others_stay_as_they_are(tmp_path: Path) -> None:
    first = readme.with_block(OLD, [run("2026-11-20", table("A"), table("B"), table("C"))])
    assert told(first) == ["2026-10-01", "Old", "2026-11-20", "A", "B", "C"]
    assert "elsewhere.\n\n**Old.** Words.\n\n| 5 |\n\nMeasured on 2026-11-20 by" in first
    again = readme.with_block(first, [run("2026-11-22", table("B", "New."), table("D"))])
    assert told(again) == ["2026-10-01", "Old", "2026-11-20", "A", "2026-11-22", "B", "2026-11-20", "C",
                                  "2026-11-22", "D"]  # fmt: skip
    assert again.count("**B.** New.") == again.count("**B.**") == 1
    assert readme.with_block(again, []) == again
    assert readme.with_block(first, [run("2026-11-20", table("A"))]) == first
    assert (again.startswith("above\n"), again.endswith("\nbelow\n")) == (True, True)


def test_runs_of_everything_replace_all_and_with_a_failure_among_them_nothing_is_lost() -> None:
    half = len(suite.MODULES) // 2
    parts = [run("2026-11-21", table("A"), modules=suite.MODULES[:half]),
             run("2026-11-22", table("B"), modules=suite.MODULES[half:])]  # fmt: skip
    assert told(readme.with_block(OLD, parts)) == ["2026-11-21", "A", "2026-11-22", "B"]
    parts[1] = replace(parts[1], modules=suite.MODULES[half:-1], failed=suite.MODULES[-1:])
    kept = ["2026-10-01", "Old", "2026-11-21", "A", "2026-11-22", "B", "Failed when last measured: api."]
    assert told(readme.with_block(OLD, parts)) == kept


def test_a_failure_is_told_of_until_the_module_is_measured_again() -> None:
    failed = readme.with_block(OLD, [run("2026-11-21", failed=("api", "reload"))])
    assert "\n\nFailed when last measured: api, reload.\n<!-- /benchmarks" in failed
    assert "last measured: api, reload, queued." in readme.with_block(failed, [run("2026-11-22", failed=("queued",))])
    one = readme.with_block(failed, [run("2026-11-22", table("Reload"), modules=("reload",))])
    assert "\n\nFailed when last measured: api.\n<!-- /benchmarks" in one
    assert "Failed" not in readme.with_block(one, [run("2026-11-22", table("API"), modules=("api",))])


@pytest.mark.parametrize(
    "text",
    [
        "",
        readme.BEGIN,
        readme.END,
        f"{readme.END}\n{readme.BEGIN}",
        f"{readme.BEGIN}{readme.END}{readme.BEGIN}",
        f"{readme.BEGIN}{readme.END}{readme.END}",
    ],
)
def test_a_readme_without_the_two_marks_is_left_alone(text: str) -> None:
    with pytest.raises(ValueError, match="benchmarks"):
        readme.with_block(text, [RUN])


def test_a_file_is_the_old_one_where_the_new_one_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "README.md"
    file.write_text(OLD)

    def full(*_: object) -> NoReturn:
        raise OSError("no space left")

    for call in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, full)
            with pytest.raises(OSError, match="no space"):
                put(file, "new")
        assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [(file.name, OLD)]


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match="pipe cannot be written"):
        put(pipe, "new")
    assert pipe.is_fifo()
