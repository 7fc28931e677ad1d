"""`emaild preview` and the check of templates, as an operator runs them: with no server and no store."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.daemon.forked import ran_in_text
from tests.daemon.harness import COMMAND
from tests.unit.render.transcript.chats import chat, joins, says
from tests.unit.render.transcript.responses import TAG

REPLY = (
    b"From: Eva <eva@expert.example>\r\nTo: desk@shop.example\r\nSubject: RE: Order\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
    b"It is <blue> \xe2\x82\xac5.\r\n\r\n-----Original Message-----\r\nFrom: desk@shop.example\r\n\r\n> What is it?\r\n"
)


def run(*arguments: object, command: str = "preview", **environment: str) -> subprocess.CompletedProcess[str]:
    """The command, with nothing that this machine's user has set."""
    around = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC", **environment}
    return ran_in_text([command, *map(str, arguments)], around)


def printed(*arguments: object, **environment: str) -> str:
    done = run(*arguments, **environment)
    assert (done.returncode, done.stderr) == (os.EX_OK, "")
    return done.stdout


def refused(*arguments: object, code: int = os.EX_DATAERR) -> str:
    """What it says, having printed nothing."""
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    return done.stderr


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """A folder like a standard response."""
    folder = tmp_path / "draft"
    (folder / "attachments").mkdir(parents=True)
    (folder / "attachments/terms.pdf").write_bytes(b"12345")
    (folder / "response.conf").write_text("[response]\nsubject = For <$Contact.FirstName$>\nfrom = desk@shop.example\n")
    (folder / "body.txt").write_text("Hi <$Contact.FirstName$>.\n")
    (folder / "body.html").write_text("<p>Hi <$Contact.FirstName$>.</p>\n")
    return folder


def test_it_prints_the_header_and_the_text(draft: Path) -> None:
    assert printed(draft, "--value", "contact.firstname=Ann & Co") == (
        "From: desk@shop.example\nSubject: For Ann & Co\nAttachment: terms.pdf (5 bytes)\n\nHi Ann & Co.\n"
    )


def test_a_part_alone_is_printed_as_it_is(draft: Path) -> None:
    name = ("--value", "Contact.FirstName=<b>\x1b[2J")
    assert printed(draft, *name, "--part", "text") == "Hi <b>\x1b[2J.\n"
    assert printed(draft, *name, "--part", "html") == "<p>Hi &lt;b&gt;\x1b[2J.</p>\n"
    assert printed(draft, *name, "--part", "subject") == "For <b> [2J\n"


def test_a_terminal_is_not_played_with(draft: Path) -> None:
    ours, its = pty.openpty()
    words = [*COMMAND, "preview", str(draft), "--part", "text", "--value", "Contact.FirstName=a\x1b[2J\tb"]
    done = subprocess.run(words, stdout=its, timeout=60, check=False)
    os.close(its)
    shown = os.read(ours, 1000)
    os.close(ours)
    assert done.returncode == os.EX_OK
    assert b"\x1b" not in shown
    assert b"[2J\tb." in shown


def test_a_response_without_text_shows_its_html(draft: Path) -> None:
    (draft / "body.txt").unlink()
    assert printed(draft).endswith("\n\n<p>Hi .</p>\n")


def test_the_shipped_acknowledgement_needs_no_conf_file_and_no_values() -> None:
    out = printed("acknowledgement", "--part", "text")
    assert out.startswith("Hello,\n\nwe have received your mail")


def test_values_are_dates_lists_attached_data_and_custom_ones(draft: Path) -> None:
    (draft / "body.txt").write_text(
        '<$Interaction.DateCreated:"EEEE HH:mm"$>|<$Contact.EmailAddresses.Count$>|<$Order.Number$>'
        '|<$Interaction.AttachedData("a b")$>|<$Text(1234.5, "#,##0.0")$>|<$Text(Time(), "zzz")$>'
    )
    values = (
        "Interaction.DateCreated=2026-03-02T09:30:00+01:00",
        "Contact.EmailAddresses=a@x, b@x",
        "Order.Number=17=",
    )
    given = [word for value in values for word in ("--value", value)]
    out = printed(
        draft, *given, "--attached-data", "a b=c", "--locale", "de_DE", "--zone", "Asia/Tokyo", "--part", "text"
    )
    assert out == "Montag 09:30|2|17=|c|1.234,5|JST\n"


def test_a_chat_is_printed_in_its_place(tmp_path: Path) -> None:
    xml = tmp_path / "chat.xml"
    xml.write_text(chat(joins("Ann"), says("Hi <you>")))
    assert "] Ann: Hi <you>\n" in printed("chat-transcript", "--chat", xml)
    page = printed("chat-transcript", "--chat", xml, "--part", "html")
    assert "Hi &lt;you&gt;" in page
    assert page.index("This is what was said") < page.index("Hi &lt;you&gt;") < page.index("Have a good day")


def test_of_a_reply_the_new_text_is_printed_in_its_place(tmp_path: Path) -> None:
    mail = tmp_path / "reply.eml"
    mail.write_bytes(REPLY)
    out = printed("external-reply", "--reply", mail)
    assert "The answer is:\n\nIt is <blue> €5.\n\nIf anything" in out
    assert "What is it?" not in out
    page = printed("external-reply", "--reply", mail, "--part", "html")
    assert "<blockquote>It is &lt;blue&gt; €5.</blockquote>" in page


def test_a_wrong_timestamp_is_logged_and_the_default_used(draft: Path, tmp_path: Path) -> None:
    (draft / "body.txt").write_text(TAG.format("bad"))
    (tmp_path / "chat.xml").write_text(chat(joins("Ann"), says("Hi")))
    done = run(draft, "--chat", tmp_path / "chat.xml", "--part", "text")
    assert done.returncode == os.EX_OK
    assert "[2024-03-05T07:09:33] Ann: Hi" in done.stdout
    event = json.loads(done.stderr)
    assert (event["code"], event["event"], event["pattern"]) == (30001, "transcript.bad_timestamp", "bad")


@pytest.mark.parametrize(
    "xml", ["", "<chatTranscript>", "<!DOCTYPE x [<!ENTITY a 'b'>]><chatTranscript>&a;</chatTranscript>"]
)
def test_a_chat_that_cannot_be_read_is_logged_and_nothing_printed(tmp_path: Path, xml: str) -> None:
    (tmp_path / "chat.xml").write_text(xml)
    event, line = refused("chat-transcript", "--chat", tmp_path / "chat.xml").splitlines()
    assert json.loads(event)["code"] == 30002
    assert line.startswith("emaild: the chat transcript cannot be read: ")


def test_what_would_not_be_sent_is_told_with_its_lines(draft: Path) -> None:
    (draft / "body.txt").write_text("a\n<$nix$> [ChatTranscript]")
    (draft / "body.html").write_text("<$1/0$>")
    assert refused(draft).splitlines() == [
        f"{draft}/body.txt:2: nix is unknown; expected a listed property or the name of a custom value",
        f"{draft}/body.html:1: this divides by zero; expected another number",
    ]
    (draft / "body.txt").write_text("<$1")
    assert refused(draft).startswith(f"{draft}/body.txt:1: this code is not closed")
    assert (
        refused("chat-transcript")
        .splitlines()[0]
        .endswith("body.txt:5: a tag asks for a chat transcript; none is given")
    )


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["nix"], os.EX_DATAERR, "there is no standard response nix in "),
        (["..\\x"], os.EX_DATAERR, "is no name of a standard response"),
        (["./nix"], os.EX_NOINPUT, "there is no folder ./nix"),
        (["acknowledgement", "--chat", "nix.xml"], os.EX_NOINPUT, "cannot read nix.xml: No such file"),
        (["acknowledgement", "--reply", "/"], os.EX_NOINPUT, "cannot read /: Is a directory"),
        (["acknowledgement", "--value", "x"], os.EX_USAGE, "--value 'x': expected NAME=VALUE"),
        (["acknowledgement", "--value", "Contact.FristName=x"], os.EX_USAGE, "a listed name such as Contact.FirstName"),
        (["acknowledgement", "--value", "Interaction.DateCreated=x"], os.EX_USAGE, "is a date; expected one such as"),
        (["acknowledgement", "--value", "Contact.EmailAddresses.Count=1"], os.EX_USAGE, "is worked out; give the list"),
        (["acknowledgement", "--attached-data", "=x"], os.EX_USAGE, "--attached-data '=x': expected NAME=VALUE"),
        (["acknowledgement", "--locale", "xx_QQ"], os.EX_USAGE, "'xx_QQ' is no locale"),
        (["acknowledgement", "--zone", "../x"], os.EX_USAGE, "'../x' is no time zone"),
        (["acknowledgement", "--zone", "Nix"], os.EX_USAGE, "'Nix' is no time zone"),
        (["acknowledgement", "--conf", "nix.conf"], os.EX_CONFIG, "nix.conf"),
    ],
)
def test_what_cannot_be_understood_is_one_line(arguments: list[str], code: int, told: str) -> None:
    said = refused(*arguments, code=code)
    assert told in said
    assert said.count("\n") == 1


@pytest.fixture
def own(tmp_path: Path) -> tuple[Path, Path]:
    """A conf file, and the folder of templates that it names."""
    folder, conf = tmp_path / "templates", tmp_path / "emaild.conf"
    (folder / "responses/acknowledgement").mkdir(parents=True)
    (folder / "field-codes").mkdir()
    (folder / "responses/acknowledgement/body.txt").write_text('<$my.sign$> <$Text(0.5, "0.0")$>')
    (folder / "field-codes/my.sign.txt").write_text("Yours, <$Agent.FirstName$>\n")
    head = f"[emaild]\nstate-directory = {tmp_path}/state\ntemplates = {folder}\n"
    conf.write_text(f"{head}[email-processing]\nfieldcode-format-locale = de_DE\n")
    conf.chmod(0o600)
    return conf, folder


def test_the_operators_templates_codes_and_locale_count(own: tuple[Path, Path]) -> None:
    found = printed("acknowledgement", "--conf", own[0], "--value", "Agent.FirstName=Eva", "--part", "text")
    assert found == "Yours, Eva 0,5\n"


def test_check_names_what_is_wrong_in_templates(own: tuple[Path, Path]) -> None:
    conf, folder = own
    assert run("--conf", conf, command="check").returncode == os.EX_OK
    response = folder / "responses/acknowledgement"
    (response / "body.html").write_text(f"{TAG.format('bad')}\n")
    good = run("--conf", conf, command="check")
    assert (good.returncode, good.stdout.endswith(", 1 warning)\n")) == (os.EX_OK, True)
    warned = f"{response}/body.html:1: in <Timestamp>: character 1: "
    assert [line.startswith(warned) and line.endswith(" (warning)") for line in good.stderr.splitlines()][-1]
    (response / "body.txt").write_text("\n<$Nix()$>")
    (folder / "field-codes/my.sign.txt").write_text("<$1")
    (folder / "notices").mkdir()
    (folder / "notices/too-big.txt").write_text("\n\n{{ x")
    bad = run("--conf", conf, command="check")
    assert (bad.returncode, bad.stdout) == (os.EX_CONFIG, "")
    assert [line.split(": ")[0] for line in bad.stderr.splitlines()] == [
        f"{folder}/field-codes/my.sign.txt:1",
        f"{folder}/notices/too-big.txt:3",
        f"{response}/body.txt:2",
    ]


def test_open_shows_a_page_in_the_browser(draft: Path, tmp_path: Path) -> None:
    browser, seen = tmp_path / "browser", tmp_path / "seen"
    browser.write_text(f'#!/bin/sh\necho "$1" > {seen}\n')
    browser.chmod(0o755)
    around = {"BROWSER": f"{browser} %s", "TMPDIR": str(tmp_path)}
    assert printed(draft, "--open", "--value", "Contact.FirstName=<Änn>", **around) == ""
    page = Path(seen.read_text().strip().removeprefix("file://"))
    assert page.suffix == ".html"
    assert page.read_text(encoding="utf-8-sig") == "<p>Hi &lt;Änn&gt;.</p>\n"
    assert page.stat().st_mode & 0o777 == 0o600


def test_open_without_a_browser_says_where_the_page_lies(draft: Path, tmp_path: Path) -> None:
    done = run(draft, "--open", "--part", "text", PATH=str(tmp_path), TMPDIR=str(tmp_path))
    assert done.returncode == os.EX_OK
    page = Path(done.stderr.strip().removeprefix("emaild: there is no browser here; the page is "))
    assert page.suffix == ".txt"
    assert page.read_text(encoding="utf-8-sig") == "Hi .\n"
