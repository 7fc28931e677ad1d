"""Genesys's options: each is known, with Genesys's default where that is known, however it is written.

`genesys-options.tsv` lists them; a default of ? is not known.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from emaild.settings import parse
from emaild.settings.option import Option, options, same_name, section_kind
from emaild.settings.reader import SECTIONS
from tests.conf_files import MUST, ConfFiles

LIST = Path(__file__).parent / "genesys-options.tsv"
ROWS = list(csv.DictReader(LIST.read_text().splitlines(), delimiter="\t"))
LISTED = [(row["section"], row["option"]) for row in ROWS]
DEFAULTS = [(row["section"], row["option"], row["default"]) for row in ROWS if row["default"] != "?"]

BESIDE = {
    "smtp-client": "user = ann\npassword = hunter2\nretry-first = 1s\n",
    "webhook": "retry-first = 1s\n",
}
"""What lets every option of a section have any of its values."""


def declared(section: str, name: str) -> Option:
    (kind,) = (kind for kind in SECTIONS if section_kind(kind).matches(section))
    (found,) = (option for option in options(kind) if same_name(option.name) == same_name(name))
    return found


EVERY = [
    (section_kind(kind).spellings[0].replace("NAME", "x"), option) for kind in SECTIONS for option in options(kind)
]
FLAGS = [(name, option) for name, option in EVERY if option.parser is parse.flag]
DURATIONS = [(name, option) for name, option in EVERY if option.parser.expects.startswith("a duration")]


def section(name: str, *lines: str) -> str:
    """A section with what it must have, but for what *lines* give."""
    given = {same_name(line.partition("=")[0]) for line in lines}
    lines_of = MUST.get(name, "") + BESIDE.get(name, "")
    must = [line for line in lines_of.splitlines() if same_name(line.partition("=")[0]) not in given]
    return "\n".join([f"[{name}]", *lines, *must, ""])


def value(conf: ConfFiles, name: str, attribute: str, *lines: str) -> object:
    return getattr(conf.load(section(name, *lines)).sections()[name], attribute)


@pytest.mark.parametrize(("name", "listed"), LISTED)
def test_an_option_of_genesys_is_known(name: str, listed: str) -> None:
    assert declared(name, listed)


@pytest.mark.parametrize(("name", "listed", "default"), DEFAULTS)
def test_its_default_is_the_one_of_genesys(conf: ConfFiles, name: str, listed: str, default: str) -> None:
    option = declared(name, listed)
    found = [value(conf, name, attribute) for attribute in (option.field, option.in_effect)]
    assert option.parser.read(default) in found


def spellings(name: str) -> set[str]:
    words = name.replace("_", "-").split("-")
    return {"-".join(words), "_".join(words), "".join(word.capitalize() for word in words), name.upper()}


@pytest.mark.parametrize(("name", "listed"), LISTED)
def test_case_hyphens_and_underscores_do_not_matter(conf: ConfFiles, name: str, listed: str) -> None:
    option = declared(name, listed)
    given = (
        option.default or (MUST.get(name, "") + BESIDE.get(name, "")).partition(f"{listed} = ")[2].partition("\n")[0]
    )
    for spelling in spellings(listed):
        settings = conf.load(section(name, f"{spelling} = {given}"))
        assert settings.origins[name, option.name].line == 2


@pytest.mark.parametrize(("name", "option"), FLAGS, ids=lambda one: getattr(one, "name", one))
def test_a_flag_may_be_written_in_many_words(conf: ConfFiles, name: str, option: Option) -> None:
    words = {True: ("true", "Yes", "ON", "1"), False: ("false", "No", "OFF", "0")}
    for meant, written in words.items():
        for word in written:
            assert value(conf, name, option.field, f"{option.name} = {word}") is meant


@pytest.mark.parametrize(("name", "option"), DURATIONS, ids=lambda one: getattr(one, "name", one))
def test_a_duration_is_the_same_in_all_spellings_and_never_a_bare_number(
    conf: ConfFiles, name: str, option: Option
) -> None:
    written = ("30s", "30000ms", "0.5m", "00:00:30", "30 S")
    assert {value(conf, name, option.field, f"{option.name} = {text}") for text in written} == {30.0}
    (fault,) = conf.faults(section(name, f"{option.name} = 30"))
    assert "(such as 90s, 5m or hh:mm:ss), found '30'" in fault


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("10", 10 << 20),
        ("0", 0),
        ("10M", 10 << 20),
        ("10 MiB", 10 << 20),
        ("10mb", 10 << 20),
        ("512 k", 512 << 10),
        ("1G", 1 << 30),
        ("1048576 B", 1 << 20),
    ],
)
def test_a_bare_size_of_a_mail_means_mebibytes(conf: ConfFiles, text: str, size: int) -> None:
    assert value(conf, "pop-client", "maximum_msg_size", f"maximum-msg-size = {text}") == size
