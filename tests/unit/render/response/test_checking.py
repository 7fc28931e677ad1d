"""What `emaild check` finds in templates, before a mail needs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.render.response.checking import checked
from emaild.settings.ini import Fault
from tests.unit.render.response.folders import SHIPPED, put
from tests.unit.render.transcript.responses import TAG


def lines(found: list[Fault], folder: Path) -> list[str]:
    return [str(fault).replace(f"{folder}/", "") for fault in found]


def faults(folder: Path) -> list[str]:
    return lines(checked((folder, SHIPPED))[0], folder)


def warnings(folder: Path, **files: str) -> list[str]:
    put(folder, "r", {name.replace("_", "."): text for name, text in files.items()})
    wrong, found = checked((folder, SHIPPED))
    assert wrong == []
    return lines(found, folder)


def test_what_is_shipped_is_good() -> None:
    assert checked((SHIPPED,)) == ([], [])


def test_every_fault_of_every_response_is_named(tmp_path: Path) -> None:
    put(tmp_path, "one", {"body.txt": "a\n<$Nix()$>", "response.conf": "[response]\nattachments = no.pdf"})
    put(tmp_path, "two", {"body.html": "<$1"})
    put(tmp_path, "a;b", {"body.html": "x"})
    (tmp_path / "responses/readme.txt").write_text("<$ no response $>")
    assert faults(tmp_path) == [
        "responses/a;b:1: 'a;b' is no name of a standard response; expected letters, digits, - _ . and spaces",
        "responses/one/response.conf:2: attachment no.pdf: there is no file no.pdf in responses/one/attachments",
        "responses/one/body.txt:2: the function Nix is unknown; expected a listed name such as If (column 3)",
        "responses/two/body.html:1: this code is not closed; expected $> after its formula (column 1)",
    ]


def test_every_fault_of_saved_codes_is_named(tmp_path: Path) -> None:
    (tmp_path / "field-codes").mkdir()
    for name, text in {"good": "<$1$>", "wrong": "a\n<$1+$>", "Agent.x": "x", "bytes": "a\n\udcff"}.items():
        (tmp_path / f"field-codes/{name}.txt").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert faults(tmp_path) == [
        "field-codes/Agent.x.txt:1: a saved code cannot be called Agent.x: Interaction, Contact and Agent are objects",
        "field-codes/bytes.txt:2: byte 0xff is not UTF-8; save the file as UTF-8",
        "field-codes/wrong.txt:2: found $>; expected a value (column 5)",
    ]


def test_faults_of_our_own_kind_of_templates_are_named(tmp_path: Path) -> None:
    files = {
        "transcript/transcript.txt": "a\n{% if %}",
        "notices/too-big.txt": "{{ subject|nofilter }}",
        "quoted/quoted.html": "{{ " + "(" * 3000,
        "quoted/quoted.txt": "{{ good }}",
        "responses/r/body.txt": "{% if %}",
        "notes.md": "{% if %}",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert faults(tmp_path) == [
        "notices/too-big.txt:1: No filter named 'nofilter'.",
        "quoted/quoted.html:1: the template is nested too deep",
        "transcript/transcript.txt:2: Expected an expression, got 'end of statement block'",
    ]


@pytest.mark.parametrize(
    ("tag", "wrong"),
    [
        (TAG.format("yyy bad"), "in <Timestamp>: character 5: "),
        (TAG.format("y" * 201), "in <Timestamp>: character 201: the pattern is too long"),
        ("<Genesys_Chat_Transcript><Timestamp>yyyy</Genesys_Chat_Transcript>", "<Timestamp> is not closed, or empty"),
        (TAG.format(""), "<Timestamp> is not closed, or empty"),
        ("<Genesys_Chat_Transcript>", "<Genesys_Chat_Transcript> is not closed; expected </Genesys_Chat_Transcript>"),
        ("[ChatTranskript]", "[ChatTranskript] is no tag; did you mean ChatTranscript?"),
        ("[ExtAgentsReply]", "[ExtAgentsReply] is no tag; did you mean ExtAgentReply?"),
        ("<Genesys_ChatTranscript>", "<Genesys_ChatTranscript> is no tag; did you mean Genesys_Chat_Transcript?"),
    ],
)
def test_doubtful_tags_are_warned_of(tmp_path: Path, tag: str, wrong: str) -> None:
    (line,) = warnings(tmp_path, body_txt=f"a\n{tag}")
    assert line.startswith(f"responses/r/body.txt:2: {wrong}")


@pytest.mark.parametrize(
    "text",
    [
        *("[ChatTranscript]", "[ExtAgentReply]", TAG.format("yyyy"), TAG.format("<$my.pattern$>"), "[1] [note]"),
        *(
            "<Genesys_Chat_Transcript/>",
            "<Genesys_Chat_Transcript></Genesys_Chat_Transcript>",
            "<strong>[agent]",
            "[Transaction]<timeline>[ExtraReplies]",
        ),
    ],
)
def test_good_tags_are_not_warned_of(tmp_path: Path, text: str) -> None:
    (tmp_path / "field-codes").mkdir()
    (tmp_path / "field-codes/My.pattern.txt").write_text("yyyy")
    assert warnings(tmp_path, body_html=text) == []


def test_a_name_that_nothing_here_has_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "field-codes").mkdir()
    (tmp_path / "field-codes/my.sign.txt").write_text("x\n<$f$><$MY.sign$>")
    subject = '[response]\nsubject = <$If(-a = 1, My.Sign, Contact.Id + "b" + c.d)$>'
    told = "is neither a listed property nor a saved code; the mail is sent only where it is given"
    assert sorted(warnings(tmp_path, body_txt="<$1$>\n<$e$>", response_conf=subject)) == [
        f"field-codes/my.sign.txt:2: f {told}",
        f"responses/r/body.txt:2: e {told}",
        f"responses/r/response.conf:2: [response] subject: a {told}",
        f"responses/r/response.conf:2: [response] subject: c.d {told}",
    ]
