"""Standard responses in their folders: what is read, whose counts, what is refused and in which words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emaild.render.compose import Enclosed
from emaild.render.response import ResponseWrong, load, load_folder, saved_codes
from tests.unit.render.response.folders import SHIPPED, put

CONF = """[response]
subject = Hello <$Contact.FirstName$>
name = A name
description = For people
from = Desk <desk@shop.example>
"""


def wrong(folder: Path, name: str = "r") -> list[str]:
    """The lines about a response, without the folder."""
    with pytest.raises(ResponseWrong) as refused:
        load(name, (folder,))
    assert refused.value.exit_code == os.EX_DATAERR
    return [line.replace(str(folder / "responses") + "/", "") for line in str(refused.value).split("\n")]


def test_a_response_is_all_that_lies_in_its_folder(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"response.conf": CONF, "body.txt": "Hi\r\nyou", "body.html": "\ufeff<p>Hi</p>"}
    put(tmp_path, "a b", files | {"attachments/b.pdf": b"2", "attachments/a.pdf": b"1", "attachments/.hidden": b"3"})
    found = load("a b", (tmp_path,))
    assert (found.name, found.subject) == ("a b", "Hello <$Contact.FirstName$>")
    assert (found.text, found.html) == ("Hi\nyou", "<p>Hi</p>")
    assert (found.title, found.description, found.sender) == ("A name", "For people", "Desk <desk@shop.example>")
    assert found.attachments == (Enclosed(name="a.pdf", content=b"1"), Enclosed(name="b.pdf", content=b"2"))
    assert load_folder(tmp_path / "responses/a b") == found


def test_named_attachments_come_alone_and_in_that_order(tmp_path: Path) -> None:
    conf = "[response]\nattachments = c d.pdf, a.pdf\n"
    put(
        tmp_path, "r", {"response.conf": conf, "body.txt": "x"} | {f"attachments/{n}.pdf": n for n in ("a", "b", "c d")}
    )
    assert [one.name for one in load("r", (tmp_path,)).attachments] == ["c d.pdf", "a.pdf"]


@pytest.mark.parametrize("body", ["body.txt", "body.html"])
def test_one_body_is_enough(tmp_path: Path, body: str) -> None:
    put(tmp_path, "r", {body: "x"})
    assert load("r", (tmp_path,)).part(body.removeprefix("body.").replace("txt", "text")) == "x"


def test_the_operators_response_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    assert "[ExtAgentReply]" in load("external-reply", (tmp_path, SHIPPED)).html
    put(tmp_path, "external-reply", {"body.txt": "ours"})
    found = load("external-reply", (tmp_path, SHIPPED))
    assert (found.text, found.html) == ("ours", "")


def test_an_edit_counts_from_then_on_also_one_that_keeps_time_and_size(tmp_path: Path) -> None:
    body = put(tmp_path, "r", {"body.txt": "one"}) / "body.txt"
    before = body.stat()
    assert load("r", (tmp_path,)).text == "one"
    body.write_text("<$x")
    assert wrong(tmp_path) == ["r/body.txt:1: this code is not closed; expected $> after its formula (column 1)"]
    body.write_text("two")
    os.utime(body, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert load("r", (tmp_path,)).text == "two"


def test_all_that_is_wrong_is_told_with_its_line(tmp_path: Path) -> None:
    conf = "# a comment\n[response]\nsubjekt = x\nsubject = <$Contact.FistName$>\n"
    conf += "from = nobody\nattachments = no.pdf\n[x]\n"
    put(tmp_path, "r", {"response.conf": conf, "body.txt": "a\n<$Nix()$>\n<$1+$>", "body.html": b"a\n\xff"})
    assert sorted(wrong(tmp_path)) == [
        "r/body.html:2: byte 0xff is not UTF-8; save the file as UTF-8",
        "r/body.txt:2: the function Nix is unknown; expected a listed name such as If (column 3)",
        "r/body.txt:3: found $>; expected a value (column 5)",
        "r/response.conf:3: [response] subjekt: unknown option; did you mean subject?",
        "r/response.conf:4: [response] subject: Contact.FistName is unknown; expected a listed name such as"
        " Contact.FirstName (column 3)",
        "r/response.conf:5: [response] from: 'nobody' is no e-mail address; expected name@domain",
        "r/response.conf:6: attachment no.pdf: there is no file no.pdf in r/attachments",
        "r/response.conf:7: [x]: unknown section; expected [response]",
    ]


@pytest.mark.parametrize(
    "name", ["../secret", "/etc", "..", ".", "", "a/b", "a\0b", " a", "a ", ".git", "a\n", "x" * 101, "a\\b", "a:b"]
)
def test_a_name_that_is_a_path_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    put(tmp_path, "../secret", {"body.txt": "x"})
    (line,) = wrong(tmp_path, name)
    assert "is no name of a standard response; expected" in line


def test_a_response_that_is_nowhere_is_told_with_the_places_looked_at(tmp_path: Path) -> None:
    with pytest.raises(
        ResponseWrong, match=f"^there is no standard response nix in {tmp_path}/responses, .*/responses$"
    ):
        load("nix", (tmp_path, SHIPPED))


def test_links_are_followed_as_long_as_they_stay_inside(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    made = put(tmp_path, "r", {"..data": "x", "attachments/a.pdf": b"1"})
    (made / "body.txt").symlink_to("..data")
    (made.parent / "again").symlink_to("r")
    assert load("again", (tmp_path,)).text == "x"
    (made / "body.html").symlink_to(tmp_path / "secret")
    (made / "attachments/b.pdf").symlink_to("../../../secret")
    reason = "the link leads out of r; put the file there"
    place = f"r/attachments:1: attachment b.pdf: {reason}"
    assert wrong(tmp_path) == [f"r/body.html:1: {reason}", place]
    (tmp_path / "out").mkdir()
    (made.parent / "away").symlink_to(tmp_path / "out")
    assert "leads out of its folder" in wrong(tmp_path, "away")[0]


def test_what_is_no_plain_file_or_too_large_is_refused(tmp_path: Path) -> None:
    made = put(tmp_path, "r", {"body.html": "x" * ((2 << 20) + 1)})
    os.mkfifo(made / "body.txt")
    (made / "response.conf").mkdir()
    assert wrong(tmp_path) == [
        "r/response.conf:1: it is no plain file",
        "r/body.txt:1: it is no plain file",
        "r/body.html:1: it is too large; expected at most 2 MiB",
    ]


def test_without_a_body_there_is_nothing_to_send(tmp_path: Path) -> None:
    put(tmp_path, "r", {"response.conf": "[response]\nsubject = x\n"})
    assert wrong(tmp_path) == ["r:1: there is neither a body.txt nor a body.html"]


def test_saved_codes_are_files_with_their_names(tmp_path: Path) -> None:
    own, ours = tmp_path / "own", tmp_path / "ours"
    for folder, text in ((own, "Bye,\nAnn\n"), (ours, "<$1$>")):
        (folder / "field-codes").mkdir(parents=True)
        (folder / "field-codes/My.signature.txt").write_text(text)
    (ours / "field-codes/my.SIGNATURE.txt").write_text("hidden by the other")
    (ours / "field-codes/other.txt").write_text("x")
    (own / "field-codes/other.txt").write_bytes(b"\xff")
    for misnamed in ("Contact.x.txt", "a b.txt", "note.md", f"{'x' * 65}.txt"):
        (own / "field-codes" / misnamed).write_text("x")
    assert {name: code.text for name, code in saved_codes((own, ours)).items()} == {
        "My.signature": "Bye,\nAnn",
        "other": "x",
    }
