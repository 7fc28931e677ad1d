"""What is looked at before anything is measured: the arguments, the files, the programs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.benchmarks import missing
from tests.unit.benchmarks.runs import OLD, RUN, benchmarks

FEW = ("--only", "date_format")  # so that little is measured where that is not seen


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--only", "date", "nonsense", "--readme", "README"], "no benchmark has 'nonsense' in its name; there are"),
        ([*FEW, "--rounds", "0"], "argument --rounds: '0' is not one or more"),
        ([*FEW, "--rounds", "many"], "argument --rounds: 'many' is not one or more"),
        (["--from", "absent"], "No such file or directory: 'absent'"),
        (["--from", "README"], "README is not what --json wrote"),
        (["--from", "list"], "list is not what --json wrote"),
        (["--from", "tables"], "tables is not what --json wrote"),
        (["--from", "run", "--json", "new"], "with --from nothing is measured"),
        ([*FEW, "--quick", "--readme", "README"], "the figures of --quick mean nothing"),
        ([*FEW, "--json", "absent/new"], "absent/new cannot be written"),
        ([*FEW, "--json", "/dev"], "/dev cannot be written"),
        ([*FEW, "--plots", "run/plots"], "Not a directory: 'run/plots'"),
        ([*FEW, "--readme", "absent"], "No such file or directory: 'absent'"),
        ([*FEW, "--readme", "list"], "the file has not one <!-- benchmarks --> and then"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line_before_anything_is_measured(
    source: Path, tmp_path: Path, arguments: list[str], reason: str
) -> None:
    files = {"README": OLD, "list": "[]", "tables": json.dumps({**RUN.as_json(), "tables": [{"title": "x"}]})}
    files["run"] = source.read_text()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    source.unlink()
    done = benchmarks(*arguments, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert reason in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == files


def test_a_missing_program_is_told_of_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(missing, "SYSTEM_FOLDERS", "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    assert not missing.there("mbsync")
    assert capsys.readouterr().err == "mbsync is missing: apt-get install isync; its figures are left out\n"
    assert missing.version_of("mbsync", "isync") == "mbsync is missing: apt-get install isync"


@pytest.mark.parametrize("module", ["inbound", "outbound", "queued", "mailboxes", "reload"])
def test_a_benchmark_whose_servers_are_missing_says_in_lines_what_to_install(module: str, tmp_path: Path) -> None:
    nothing = "import tests.benchmarks.missing as it; it.SYSTEM_FOLDERS = ''"
    (tmp_path / "sitecustomize.py").write_text(nothing)
    done = benchmarks("--quick", "--rounds", 1, "--only", module, folder=tmp_path, environment={"PATH": str(tmp_path)})
    assert done.returncode == 1
    assert re.search(r"^\S+ is missing: apt-get install (dovecot-imapd|postfix)", done.stderr, re.MULTILINE)
    assert done.stderr.endswith(f"{module} failed\n")
    assert not re.search("Traceback|Skipped", done.stderr)
