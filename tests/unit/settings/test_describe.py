"""The options as documents, all made from their declarations."""

from __future__ import annotations

import json

import pytest

from emaild.settings.describe import FORMATS, as_conf, as_json, as_markdown, as_text, find, heading
from emaild.settings.load import SECTIONS
from emaild.settings.mailbox import MailboxSection
from emaild.settings.option import options, section_kind
from tests.conf_files import ConfFiles

DECLARED = [(section_kind(kind).name, declared) for kind in SECTIONS for declared in options(kind)]


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_option_stands_in_every_form(form: str) -> None:
    document = FORMATS[form](SECTIONS)
    assert document.endswith("\n")
    for section, declared in DECLARED:
        assert declared.name in document, (section, declared.name)


def test_one_section_can_be_described_alone() -> None:
    assert find("log") == (SECTIONS[-1],)
    assert find("POP-CLIENT-sales") == (MailboxSection,)
    assert find("zzz") == ()
    assert "cycle-time" in as_text(find("pop-client1"))
    assert "cycle-time" not in as_text(find("log"))


def test_a_family_is_headed_by_all_of_its_spellings() -> None:
    assert heading(MailboxSection) == "[pop-client], [pop-client1], [pop-client-NAME]"
    assert heading(SECTIONS[0]) == "[emaild]"


def test_json_is_one_object_an_option() -> None:
    described = [json.loads(line) for line in as_json(SECTIONS).splitlines()]
    assert [(one["section"], one["option"]) for one in described] == [(name, one.name) for name, one in DECLARED]
    password = next(one for one in described if one["option"] == "password")
    assert (password["secret"], password["required"], password["default"]) == (True, True, None)


def test_a_markdown_row_has_as_many_cells_as_the_table() -> None:
    rows = [line for line in as_markdown(SECTIONS).splitlines() if line.startswith("|")]
    assert {row.replace("\\|", "").count("|") for row in rows} == {6}
    assert len(rows) == len(DECLARED) + 2 * len(SECTIONS)


def test_the_commented_conf_is_all_defaults(conf: ConfFiles) -> None:
    assert conf.load(as_conf(SECTIONS)) == conf.load("")


def test_the_conf_with_its_comment_signs_taken_off_is_read_but_for_what_must_be_given(conf: ConfFiles) -> None:
    names = {declared.name for _, declared in DECLARED}
    lines = [
        line[1:] if line[:2] == "#[" or line[1:].partition(" =")[0] in names else line
        for line in as_conf(SECTIONS).splitlines()
    ]
    content = "\n".join(lines).replace("templates =", f"templates = {conf.folder}")
    faults = conf.faults(content)
    assert [fault.split(": ")[1:3] for fault in faults] == [
        ["[pop-client] server", "it is empty; expected a host name or an IP address"],
        ["[pop-client] mailbox", "it is empty; expected text"],
        ["[pop-client] password", "it is empty; expected a secret, or file:PATH, env:NAME or credential:NAME"],
        ["[smtp-client] server", "it is empty; expected a host name or an IP address"],
    ]


def test_no_line_of_the_conf_is_wider_than_a_screen() -> None:
    assert max(map(len, as_conf(SECTIONS).splitlines())) <= 100
