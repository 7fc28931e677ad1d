"""Conf files with a mistake, and the very lines with which they are refused.

`broken/` holds one conf file a mistake, or a folder where it takes several files. What is expected stands in them:
`# expect: LINE: ...` about the file itself, `# expect: FILE:LINE: ...` about another one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from emaild.errors import ConfigError
from emaild.settings.ini import LONGEST_LINE
from emaild.settings.load import load
from tests.conf_files import MAILBOX, ConfFiles
from tests.privileges import as_nobody

BROKEN = Path(__file__).parent / "broken"
NAMES = sorted(path.name for path in BROKEN.iterdir())
BY_COMMAND = ("several-mistakes.conf", "mistakes-in-many-files", "utf-16", "latin-1.conf", "include-of-itself")
SECRETS = ("hunter2", "aHVudGVyMg")


def laid_out(name: str, folder: Path) -> tuple[Path, list[str]]:
    """The conf file in a folder of its own, and the lines expected, sorted."""
    conf = folder / "conf" / "emaild.conf"
    if (BROKEN / name).is_dir():
        shutil.copytree(BROKEN / name, conf.parent)
    else:
        conf.parent.mkdir()
        shutil.copy(BROKEN / name, conf)
    return conf, sorted(line for path in conf.parent.rglob("*.conf") for line in expected(path, conf.parent))


def expected(path: Path, folder: Path) -> list[str]:
    """What a file expects, the files in it by their paths in the folder."""
    found = re.findall(rb"^# expect: (.*)$", path.read_bytes(), re.MULTILINE)
    lines = [line.decode() for line in found]
    return [f"{path.relative_to(folder)}:{line}" if line[0].isdigit() else line for line in lines]


def test_there_are_broken_files_enough() -> None:
    assert len(NAMES) >= 170


@pytest.mark.parametrize("name", NAMES)
def test_a_broken_conf_is_refused_with_these_lines_and_no_others(name: str, tmp_path: Path) -> None:
    conf, lines = laid_out(name, tmp_path)
    with pytest.raises(ConfigError) as refused:
        load(conf)
    found = [line.replace(f"{conf.parent}/", "") for line in refused.value.lines]
    assert lines
    assert sorted(found) == lines
    assert not any(secret in line or "\n" in line for line in found for secret in SECRETS)


@pytest.mark.parametrize("name", BY_COMMAND)
def test_the_command_shows_them_and_nothing_else(name: str, tmp_path: Path) -> None:
    conf, lines = laid_out(name, tmp_path)
    command = [sys.executable, "-m", "emaild", "check", "--conf", str(conf)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (os.EX_CONFIG, "")
    assert sorted(done.stderr.replace(f"{conf.parent}/", "").splitlines()) == lines


def test_mistakes_come_in_the_order_of_reading(tmp_path: Path) -> None:
    conf, _ = laid_out("mistakes-in-many-files", tmp_path)
    with pytest.raises(ConfigError) as refused:
        load(conf)
    files = [line.replace(f"{conf.parent}/", "").partition(":")[0] for line in refused.value.lines]
    assert list(dict.fromkeys(files)) == ["emaild.conf", "sites/a.conf", "sites/b.conf", "conf.d/z.conf"]


def test_a_line_of_a_megabyte_is_refused_and_not_repeated(conf: ConfFiles) -> None:
    line = "password = " + "x" * (1 << 20)
    assert conf.faults(f"[pop-client]\nserver = localhost\nmailbox = ann\n{line}\n") == [
        "emaild.conf:1: [pop-client] password: it is missing; expected a secret, or file:PATH, env:NAME or"
        " credential:NAME",
        f"emaild.conf:4: [pop-client]: a line of {len(line)} characters; at most {LONGEST_LINE} are read",
    ]


def test_a_long_value_or_name_is_shown_in_part(conf: ConfFiles) -> None:
    faults = conf.faults(f"[pop-client]\n{MAILBOX}port = {'1' * 9000}\n{'x' * 9000} = 1\n")
    assert len(faults) == 2
    assert all("..." in fault and len(fault) < 200 for fault in faults)


def read_as_nobody(conf: ConfFiles) -> str:
    """The one line with which somebody who may not read everything is refused."""
    conf.main.chmod(0o644)
    conf.folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as place:  # nobody may not walk through the folders that pytest makes
        place.chdir(conf.folder)
        with as_nobody(), pytest.raises(ConfigError) as refused:
            load(Path(conf.main.name))
    (line,) = refused.value.lines
    return line


def test_an_included_file_that_may_not_be_read_is_named_where_it_is_included(conf: ConfFiles) -> None:
    conf.write("[store]\n", "locked.conf").chmod(0)
    conf.write("[emaild]\ninclude = locked.conf\n")
    wrong = "[emaild] include: locked.conf: cannot read the file: Permission denied"
    assert read_as_nobody(conf) == f"emaild.conf:2: {wrong}"


def test_a_password_file_that_may_not_be_read_is_named_where_it_is_used(conf: ConfFiles) -> None:
    with tempfile.NamedTemporaryFile() as locked:
        os.chmod(locked.name, 0)
        conf.write(f"[secret-x]\npassword = file:{locked.name}\n")
        line = read_as_nobody(conf)
    assert line == f"emaild.conf:2: [secret-x] password: cannot read {locked.name}: Permission denied"
