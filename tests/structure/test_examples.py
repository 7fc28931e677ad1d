"""The conf files that come with emaild: right as they stand, and true in what their comments name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from emaild.cli.main import command
from emaild.settings.describe.contents import takes
from emaild.settings.option import options, same_name, section_kind
from emaild.settings.property_map import PROPERTIES, Treatment
from emaild.settings.reader import SECTIONS
from emaild.shipped import shipped

FILES = sorted(shipped("conf").rglob("*.conf"))
EXAMPLES = {"dovecot-postfix", "exchange-on-premises", "gmail", "proxy-only", "rules", "ways-out"}
EXAMPLES |= {"microsoft-365", "microsoft-365-delegate", "microsoft-365-imap"}
WITHOUT_SECRETS = "no credential "
NAMED = re.compile(r"(?<![\w.-])(mail\.[\w.-]+|[a-zA-Z][\w-]*) = ")
OPTIONS = {same_name(option.name) for kind in SECTIONS for option in options(kind)}
SETTABLE = {found.name for found in PROPERTIES.values() if found.treatment is Treatment.HONOURED}


def name_of(path: Path) -> str:
    return path.stem


def commented(lines: list[str]) -> Iterator[tuple[int, str]]:
    """The options that comments name, as they would be written: line and name."""
    for number, line in enumerate(lines, start=1):
        if line.startswith("#"):
            yield from ((number, found[1]) for found in NAMED.finditer(f"{line} "))


def strangers(lines: list[str]) -> list[str]:
    """Those of them that are no option and no property that can be set; what may be chosen (`NAME`) is none."""
    return [
        f"{number}: {name}"
        for number, name in commented(lines)
        if name not in SETTABLE and same_name(name) not in OPTIONS and name != "NAME"
    ]


def test_the_examples_are_there() -> None:
    assert {path.stem for path in FILES if path.parent.name == "examples"} == EXAMPLES


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_check_finds_it_good_without_its_secrets(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is told of but the secrets that lie elsewhere."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert command(["check", "--conf", str(path)]) == os.EX_OK
    said = capsys.readouterr()
    assert "good" in said.out
    assert [line for line in said.err.splitlines() if WITHOUT_SECRETS not in line] == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_the_options_that_comments_name_exist(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert any(True for _ in commented(lines))
    assert strangers(lines) == []


def test_a_comment_that_names_an_unknown_option_is_found() -> None:
    lines = [
        "#idle = true",
        "# Say after-fetsch = move.",
        "#mail.imap.fetchsise = 1",
        "#mail.imap.host = x",
        "idel = 1",
    ]
    assert strangers(lines) == ["2: after-fetsch", "3: mail.imap.fetchsise", "4: mail.imap.host"]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_commented_option_stands_in_a_section_that_has_it(path: Path) -> None:
    """Its # taken off, it counts where it stands."""
    known: set[str] = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        if header := re.fullmatch(r"#?\[(\S+)\]", line):
            (kind,) = (kind for kind in SECTIONS if section_kind(kind).matches(header[1]))
            known = {option.name for option in options(kind)} | ({"NAME"} if section_kind(kind).entries else set())
            known |= {found.name for found in PROPERTIES.values() if takes(kind, found.group)}
        elif given := re.match(r"#(\S+) =", line):
            assert given[1] in known, line
