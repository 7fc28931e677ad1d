"""The options and properties as documents, all made from their declarations."""

from __future__ import annotations

import json
import re

import pytest

from emaild.settings.describe import FORMATS
from emaild.settings.describe.conf import as_conf
from emaild.settings.describe.contents import ALL_PROPERTIES, EVERYTHING, Contents, find, heading
from emaild.settings.describe.json_lines import as_json
from emaild.settings.describe.man import as_man
from emaild.settings.describe.markdown import as_markdown
from emaild.settings.describe.text import as_text
from emaild.settings.mailbox import MailboxSection
from emaild.settings.option import Option, options, section_kind
from emaild.settings.property_map import PROPERTIES, Property
from emaild.settings.reader import SECTIONS
from tests.conf_files import ConfFiles

DECLARED = [(section_kind(kind).name, declared) for kind in SECTIONS for declared in options(kind)]
HONOURED = [found.option for found in ALL_PROPERTIES if found.option]


def read_as_groff(document: str) -> str:
    """A manual page's text as groff_char(7) reads the escapes in it."""
    for escape, character in {r"\(rs": "\\", r"\-": "-", r"\(dq": '"', r"\(aq": "'", r"\&": ""}.items():
        document = document.replace(escape, character)
    return re.sub(r"\\\[u([0-9A-F]{4,6})\]", lambda found: chr(int(found[1], 16)), document)


def read_back(form: str, document: str) -> str:
    """What a reader sees of a document, without its line breaks."""
    match form:
        case "markdown":
            document = re.sub(r"\\([|*<>\\])", r"\1", document)
        case "man":
            document = read_as_groff(document)
        case "conf":
            document = re.sub(r"^# ?", "", document, flags=re.MULTILINE)
        case "json":
            document = re.sub(r'\\(["\\])', r"\1", document)
    return flat(document)


def flat(text: str) -> str:
    """Text without its line breaks."""
    return " ".join(text.split())


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_form_says_all_of_every_option_and_property(form: str) -> None:
    document = FORMATS[form](EVERYTHING)
    assert document.endswith("\n")
    assert not document.endswith("\n\n\n")
    said = read_back(form, document)
    for declared in (*(option for _, option in DECLARED), *HONOURED):
        for part in (declared.name, declared.help, declared.parser.expects, declared.effect, declared.idle):
            assert flat(part) in said, (declared.name, part)
    for found in ALL_PROPERTIES:
        assert re.search(rf"(?<![\w.]){re.escape(found.name)}(?![\w.]\w)", said), found.name
        assert found.other is None or found.other.why in said
    for kind in SECTIONS:
        assert flat(section_kind(kind).help) in said
        assert section_kind(kind).entries in said


@pytest.mark.parametrize("form", ["text", "markdown", "man", "conf"])
def test_what_has_no_effect_or_is_ours_says_so(form: str) -> None:
    def said(one: Option) -> str:
        return read_back(form, FORMATS[form](Contents(properties=(property_of(one),))))

    ours = next(one for one in HONOURED if one.ours)
    plain = next(one for one in HONOURED if not (one.ours or one.idle))
    assert "(emaild's own)" in said(ours)
    assert "emaild's own" not in said(plain)
    assert "No effect" not in said(plain)
    idle = next(one for _, one in DECLARED if one.idle)
    assert f"No effect here: {idle.idle}." in read_back(form, FORMATS[form](EVERYTHING))


def property_of(one: Option) -> Property:
    return next(found for found in ALL_PROPERTIES if found.option is one)


@pytest.mark.parametrize("form", sorted(FORMATS))
@pytest.mark.parametrize("name", ["log", "pop-client", "endpoints:x", "mail.imap.fetchsize", "mail.smtp.host"])
def test_one_section_or_property_can_be_described_alone(form: str, name: str) -> None:
    contents = find(name)
    assert contents is not None
    document = read_back(form, FORMATS[form](contents))
    assert name.partition(":")[0] in document
    others = {"log": "cycle-time", "pop-client": "mail.imap", "endpoints:x": "cycle-time"}
    assert others.get(name, "mail.imap.peek") not in document


def test_what_goes_by_a_name() -> None:
    assert find("log") == Contents((SECTIONS[-1],))
    assert find("POP-CLIENT-sales") == Contents((MailboxSection,))
    assert find("properties") == find("mail") == Contents(properties=ALL_PROPERTIES)
    assert find("Mail.IMAP.fetchSize") == Contents(properties=(PROPERTIES["mail.imap.fetchsize"],))
    group = find("mail.imap")
    assert group is not None
    assert {found.name for found in group.properties} == {
        found.name for found in ALL_PROPERTIES if found.name.startswith("mail.imap.")
    }
    for stranger in ("zzz", "mail.imap.fetch", "", "fetchsize"):
        assert find(stranger) is None


def test_a_family_is_headed_by_all_of_its_spellings() -> None:
    assert heading(MailboxSection) == "[pop-client], [pop-client1], [pop-client-NAME]"
    assert heading(SECTIONS[0]) == "[emaild]"


def test_json_is_one_object_an_option_or_property() -> None:
    described = [json.loads(line) for line in as_json(EVERYTHING).splitlines()]
    assert [(one["section"], one["option"]) for one in described if "option" in one] == [
        (name, one.name) for name, one in DECLARED
    ]
    assert [one["property"] for one in described if "property" in one] == [found.name for found in ALL_PROPERTIES]
    password = next(one for one in described if one.get("option") == "password")
    assert (password["secret"], password["required"], password["default"]) == (True, False, "")
    size = next(one for one in described if one.get("property") == "mail.imap.fetchsize")
    assert (size["treatment"], size["sections"], size["default"]) == ("honoured", ["pop-client"], "")
    host = next(one for one in described if one.get("property") == "mail.host")
    assert (host["treatment"], host["why"], host["sections"]) == ("controlled", "server", ["pop-client", "smtp-client"])
    sections = [one for one in described if not {"option", "property"} & one.keys()]
    assert [(one["section"], one["help"]) for one in sections] == [
        (section_kind(kind).name, section_kind(kind).help) for kind in SECTIONS
    ]
    endpoints = next(one for one in sections if one["entries"])
    assert (endpoints["spellings"], endpoints["entries"]) == (["endpoints:NAME"], "NAME = QUEUE")


def test_a_markdown_row_has_as_many_cells_as_its_table() -> None:
    blocks = [block.splitlines() for block in as_markdown(EVERYTHING).split("\n\n") if block.startswith("|")]
    for rows in blocks:
        assert len({re.sub(r"\\.", "", row).count("|") for row in rows}) == 1, rows[0]
    assert sum(len(rows) - 2 for rows in blocks[:-2]) == len(DECLARED)
    assert len(blocks) == len([kind for kind in SECTIONS if options(kind)]) + 2


def test_text_says_of_properties_of_several_protocols_once_what_is_the_same() -> None:
    assert as_text(EVERYTHING).count("mail.pop3.writetimeout, mail.imap.writetimeout, mail.smtp.writetimeout") == 1


def test_a_manual_page_has_nothing_that_would_be_taken_for_a_request() -> None:
    """groff(7): a line that starts with . or ' is a request; a backslash starts an escape."""
    lines = as_man(EVERYTHING).splitlines()
    requests = {line.split(" ")[0] for line in lines if line[:1] in (".", "'")}
    assert requests == {".TH", ".SH", ".PP", ".TP", ".B", ".BR", ".I", ".RS", ".RE", ".nf", ".fi", ".br"}
    escapes = {found for line in lines for found in re.findall(r"\\(?:\(..|\[u[0-9A-F]{4,6}\]|.|$)", line)}
    assert {escape for escape in escapes if not escape.startswith(r"\[u")} <= {r"\-", r"\(dq", r"\(aq", r"\&", r"\(rs"}
    assert as_man(EVERYTHING).isascii()
    assert not any(re.search(r"(?<!\\)-", line) for line in lines), "a bare - is a hyphen, which cannot be copied"
    assert lines[0].startswith(".TH EMAILD.CONF 5 ")
    assert [line for line in lines if line.startswith(".SH")][:3] == [".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION"]


def test_the_commented_conf_is_all_defaults(conf: ConfFiles) -> None:
    assert conf.load(as_conf(EVERYTHING)) == conf.load("")


def test_the_conf_with_its_comment_signs_taken_off_is_read_but_for_what_must_be_given(conf: ConfFiles) -> None:
    lines = [line[1:] if line[:1] == "#" and line[1:2].strip() else line for line in as_conf(EVERYTHING).splitlines()]
    content = "\n".join(lines).replace("templates =", f"templates = {conf.folder}")
    content = content.replace("then-queue =", "then-queue = sales")  # a rule that does nothing is none
    assert all(f"\n{declared.name} =" in content for _, declared in DECLARED)
    assert all(f"\n{found.name} =" in content for found in ALL_PROPERTIES if found.option)
    faults = conf.faults(content)
    assert [" ".join(fault.split(" ")[1:3]) for fault in faults] == [
        "[pop-client] server:",
        "[pop-client] mailbox:",
        "[pop-client] password:",
        "[smtp-client] server:",
        "[secret-NAME] password:",
        "[api-token-NAME] token:",
        "[webhook] url:",
        "[webhook] secret:",
    ]
    assert all("it is empty; expected" in fault for fault in faults)


def test_no_line_of_the_conf_is_wider_than_a_screen() -> None:
    assert max(map(len, as_conf(EVERYTHING).splitlines())) <= 100
