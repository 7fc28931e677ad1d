"""`emaild inspect` as an operator runs it: mails in files, with no server, no store and, mostly, no conf file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from emaild.cli import inspect
from emaild.cli.main import command
from emaild.jobs.understand import Understanding
from emaild.message import Inbound, Understood
from tests.daemon.forked import ran
from tests.daemon.harness import COMMAND, Emaild

OURS = "<1.out@shop.example>"
PLAIN = (
    b"From: Ann Other <ann@home.example>\r\nTo: desk@shop.example, bob@shop.example\r\nCc: cy@shop.example\r\n"
    b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nDate: Thu, 1 May 2025 12:00:00 +0200\r\n"
    b"Message-ID: <1@home.example>\r\nReferences: <0@home.example> <1.out@shop.example>\r\n"
    b"In-Reply-To: <1.out@shop.example>\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello \xf0\x9f\x99\x82\r\n"
    b"--b\r\nContent-Type: application/pdf; name=bill.pdf\r\n\r\n12345\r\n--b--\r\n"
)
BOUNCE = (
    b"From: MAILER-DAEMON@mx.example\r\nTo: desk@shop.example\r\nSubject: failed\r\n"
    b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nIt failed.\r\n"
    b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
    b"Final-Recipient: rfc822; gone@home.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    b"Diagnostic-Code: smtp; 550 no such user\r\n\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <1.out@shop.example>\r\n\r\nours\r\n--b--\r\n"
)
INTERACTION_KEYS = {
    *("type", "subtype", "subject", "from", "to", "cc", "message_id", "in_reply_to", "references", "date", "text"),
    *("html", "attachments", "automatic", "report", "user_data", "wrapped", "rule"),
    *("reply", "quoted", "from_personal", "reply_to"),
}


def run(*arguments: object, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """The command, far from any conf file."""
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"}
    return ran(["inspect", *map(str, arguments)], environment, given)


def lines(*arguments: object, given: bytes | None = None, code: int = os.EX_OK) -> list[dict[str, Any]]:
    """What it prints with --json."""
    done = run("--json", *arguments, given=given)
    assert done.returncode == code, done.stderr
    assert done.stderr == b""
    return [json.loads(line) for line in done.stdout.splitlines()]


def one(raw: bytes, *arguments: object) -> dict[str, Any]:
    """The only interaction of a mail."""
    (line,) = lines(*arguments, "-", given=raw)
    (interaction,) = line["interactions"]
    assert isinstance(interaction, dict)
    return interaction


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    path = tmp_path / "mail.eml"
    path.write_bytes(PLAIN)
    return path


@pytest.fixture
def mbox(tmp_path: Path) -> Path:
    path = tmp_path / "mails.MBOX"
    start = b"From ann@home.example Thu May  1 10:00:00 2025\n"
    path.write_bytes(
        b"".join(start + b"Subject: %d\n\n>From here\n>>From there\n\n" % number for number in range(1, 4))
    )
    return path


def test_a_file_is_a_line_with_the_names_that_others_rely_on(mail: Path) -> None:
    (line,) = lines(mail)
    assert line.keys() == {"file", "number", "error", "interactions"}
    assert (line["file"], line["number"], line["error"]) == (str(mail), None, None)
    (found,) = line["interactions"]
    assert found.keys() == INTERACTION_KEYS
    assert (found["type"], found["subtype"], found["subject"]) == ("Inbound", "InboundNew", "Grüße")
    assert (found["from"], found["from_personal"]) == ("ann@home.example", "Ann Other")
    assert (found["to"], found["cc"]) == (["desk@shop.example", "bob@shop.example"], ["cy@shop.example"])
    assert (found["message_id"], found["in_reply_to"]) == ("<1@home.example>", OURS)
    assert found["references"] == ["<0@home.example>", OURS]
    assert found["date"] == "2025-05-01T10:00:00.000Z"
    assert (found["text"].strip(), found["html"], found["rule"]) == ("Hello 🙂", "", None)
    assert (found["automatic"], found["report"], found["wrapped"]) == (None, None, None)
    assert found["attachments"] == [
        {"name": "bill.pdf", "content_type": "application/pdf", "size": 5, "content_id": None, "inline": False}
    ]
    assert found["user_data"]["_AttachmentFileNames"] == "bill.pdf"
    assert found["user_data"]["_AttachmentsSize"] == "5"
    assert found["user_data"]["Header_Message-ID"] == "<1@home.example>"


def test_a_report_says_of_whom_and_what() -> None:
    found = one(BOUNCE)
    assert found["subtype"] == "InboundNDR"
    assert found["report"]["kind"] == "dsn"
    (recipient,) = found["report"]["recipients"]
    assert recipient.keys() == {"address", "action", "status", "diagnostic"}
    assert (recipient["address"], recipient["action"], recipient["status"]) == ("gone@home.example", "failed", "5.1.1")
    assert "550 no such user" in recipient["diagnostic"]
    assert found["user_data"]["_DSNInfo.Recipient1.Action"] == "failed"


@pytest.mark.parametrize("name", [OURS, OURS.strip("<>")])
def test_a_known_message_id_plays_the_store(name: str) -> None:
    assert one(PLAIN, "--known-message-id", name)["subtype"] == "InboundCustomerReply"
    assert one(PLAIN, "--known-message-id", "<x@y>", "--known-message-id", name)["subtype"] == "InboundCustomerReply"
    assert one(PLAIN, "--known-message-id", "<x@y>")["subtype"] == "InboundNew"


def test_an_mbox_has_a_line_a_mail(mbox: Path, tmp_path: Path) -> None:
    other = tmp_path / "mails"
    other.write_bytes(mbox.read_bytes())
    for found in (lines(mbox), lines("--mbox", other)):
        assert [(line["number"], line["interactions"][0]["subject"]) for line in found] == [
            (number, str(number)) for number in (1, 2, 3)
        ]
        assert {line["interactions"][0]["text"] for line in found} == {"From here\n>From there\n"}
    (single,) = lines(other)
    assert single["number"] is None


def test_standard_input_is_read_in_place_of_a_file() -> None:
    (line,) = lines("-", given=b"Subject: x\n\n")
    assert (line["file"], line["interactions"][0]["subject"]) == ("-", "x")


def test_what_cannot_be_read_is_said_and_keeps_nothing_from_the_others(mail: Path, mbox: Path, tmp_path: Path) -> None:
    big = tmp_path / "big.eml"
    with big.open("wb") as file:
        file.truncate(inspect.LARGEST + 1)
    no_mbox = tmp_path / "no.mbox"
    no_mbox.write_bytes(PLAIN)
    found = lines(tmp_path / "none.eml", mail, tmp_path, no_mbox, big, mbox, code=os.EX_NOINPUT)
    assert [(Path(line["file"]).name, line["number"], line["error"]) for line in found] == [
        ("none.eml", None, "No such file or directory"),
        ("mail.eml", None, None),
        (tmp_path.name, None, "Is a directory"),
        ("no.mbox", None, "this is no mbox: it does not begin with 'From '"),
        ("big.eml", None, "larger than 100 MiB; that is too large to look at"),
        *(("mails.MBOX", number, None) for number in (1, 2, 3)),
    ]
    assert [len(line["interactions"]) for line in found] == [0, 1, 0, 0, 0, 1, 1, 1]
    done = run(tmp_path / "none.eml", mail)
    assert done.returncode == os.EX_NOINPUT
    assert done.stderr.decode() == f"emaild: {tmp_path}/none.eml: No such file or directory\n"
    assert b"mail.eml" in done.stdout


def test_a_mail_that_our_own_code_fails_on_is_said_and_keeps_nothing_from_the_others(
    mbox: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = Understanding.interactions

    def fails_on_second(self: Understanding, inbound: Inbound, now: datetime) -> Understood:
        if b"Subject: 2" in inbound.raw:
            raise KeyError("a\nb")
        return real(self, inbound, now)

    monkeypatch.setattr(Understanding, "interactions", fails_on_second)
    assert command(["inspect", "--json", str(mbox)]) == os.EX_SOFTWARE
    first, second, third = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (first["error"], third["error"], second["interactions"]) == (None, None, [])
    assert "KeyError" in second["error"]
    assert "test_inspect.py:" in second["error"]
    assert "\n" not in second["error"]


@pytest.mark.parametrize("raw", [b"", b"\xff" * 100, b"Subject: =?utf-16?b?2AA=?=\n\n\xed\xa0\x80", bytes(range(256))])
def test_any_bytes_are_a_mail(raw: bytes) -> None:
    assert one(raw)["type"] == "Inbound"


def test_for_people_it_shows_what_matters(tmp_path: Path, mail: Path) -> None:
    bounce = tmp_path / "bounce.eml"
    bounce.write_bytes(BOUNCE)
    done = run(mail, bounce)
    assert (done.returncode, done.stderr) == (os.EX_OK, b"")
    rows = [line.split(maxsplit=1) for line in done.stdout.decode("utf-8", "replace").splitlines()]
    shown = [tuple(cell.strip() for cell in row) for row in rows]
    assert ("file", str(mail)) in shown
    assert ("file", str(bounce)) in shown
    assert ("subtype", "InboundNDR") in shown
    assert ("from", "Ann Other <ann@home.example>") in shown
    assert ("attachment", "bill.pdf (application/pdf, 5 bytes)") in shown
    assert ("report", "dsn") in shown
    assert ("_AttachmentsSize", "5") in shown
    assert any(row[0] == "recipient" and "gone@home.example failed 5.1.1" in row[1] for row in shown if len(row) > 1)


def configured(tmp_path: Path, **options: object) -> Emaild:
    daemon = Emaild(tmp_path)
    given = "".join(f"{name.replace('_', '-')} = {value}\n" for name, value in options.items())
    daemon.configure(
        f"[pop-client-desk]\nserver = localhost\nmailbox = desk\npassword = x\naddress = desk@shop.example\n{given}",
        "[email-processing]\ncc-userdata-limit = 3\nattachment-file-names-separator = |\n",
    )
    return daemon


def inspected(daemon: Emaild, *arguments: str, raw: bytes = PLAIN) -> list[dict[str, Any]]:
    done = daemon.command("inspect", "--json", *arguments, "-", given=raw)
    assert (done.returncode, done.stderr) == (os.EX_OK, "")
    (line,) = [json.loads(line) for line in done.stdout.splitlines()]
    found = line["interactions"]
    assert isinstance(found, list)
    return found


def test_a_mail_is_read_as_its_mailbox_has_it(tmp_path: Path) -> None:
    daemon = configured(tmp_path, **{"mail.mime.decodefilename": "false"})
    raw = PLAIN.replace(b"bill.pdf", b'"=?utf-8?q?bill?="')
    (found,) = inspected(daemon, "--mailbox", "pop-client-desk", raw=raw)
    assert found["user_data"]["Mailbox"] == "desk@shop.example"
    assert found["user_data"]["Cc"] == ""
    assert [part["name"] for part in found["attachments"]] == ["=?utf-8?q?bill?="]
    (without,) = inspected(daemon, raw=raw)
    assert (without["user_data"]["Mailbox"], without["user_data"]["Cc"]) == ("", "")
    assert [part["name"] for part in without["attachments"]] == ["bill"]
    assert not (tmp_path / "state").exists()


LARGE = PLAIN.replace(b"\xf0\x9f\x99\x82", b"Bob").replace(
    b"--b--", b"--b\r\nContent-Disposition: attachment; filename=big\r\n\r\n" + b"x" * 2000 + b"\r\n--b--"
)


def test_a_mail_above_the_mailboxs_limit_is_its_header(tmp_path: Path) -> None:
    daemon = configured(tmp_path, maximum_msg_size="1k")
    (found,) = inspected(daemon, "--mailbox", "pop-client-desk", raw=LARGE)
    assert found["wrapped"] == f"the mail has {len(LARGE)} bytes, more than maximum-msg-size allows (1024)"
    assert found["subject"] == inspected(daemon, raw=LARGE)[0]["subject"]
    assert inspected(daemon, "--mailbox", "pop-client-desk")[0]["wrapped"] is None


def test_a_mailbox_that_strips_mails_shows_what_is_left(tmp_path: Path) -> None:
    daemon = configured(tmp_path, maximum_msg_size="1k", enable_big_msg_stripping="true")
    (found,) = inspected(daemon, "--mailbox", "pop-client-desk", raw=LARGE)
    (whole,) = inspected(daemon, raw=LARGE)
    assert (found["wrapped"], found["text"]) == (None, whole["text"])
    assert [part["size"] for part in found["attachments"]] < [part["size"] for part in whole["attachments"]]


def test_a_mailbox_that_copies_mails_makes_an_interaction_for_each_recipient(tmp_path: Path) -> None:
    daemon = configured(tmp_path, copy_message_to_recipients="true", inbound_msg_copy_limit=2)
    found = inspected(daemon, "--mailbox", "pop-client-desk")
    assert [one["user_data"]["Header_X-Genesys-To"] for one in found] == ["desk@shop.example", "bob@shop.example"]


def test_a_mailbox_that_is_not_there(tmp_path: Path) -> None:
    daemon = configured(tmp_path)
    done = daemon.command("inspect", "--mailbox", "pop-client-x", "-", given=PLAIN)
    assert (done.returncode, done.stdout) == (os.EX_USAGE, "")
    assert done.stderr == f"emaild: no mailbox pop-client-x in {daemon.conf}; there are: pop-client-desk\n"


def test_a_conf_file_is_needed_only_where_it_is_asked_for(tmp_path: Path) -> None:
    done = run("--mailbox", "pop-client", "--conf", tmp_path / "none.conf", "-", given=PLAIN)
    assert (done.returncode, done.stdout) == (os.EX_CONFIG, b"")


@pytest.mark.parametrize("form", [["--json"], []])
def test_a_reader_that_goes_away_ends_it_quietly(form: list[str], tmp_path: Path) -> None:
    many = tmp_path / "many.mbox"
    many.write_bytes(b"From a@b.example Thu May  1 10:00:00 2025\nSubject: x\n\nx\n\n" * 5000)
    with subprocess.Popen(
        [*COMMAND, "inspect", *form, str(many)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == os.EX_OK


def test_ctrl_c_ends_it_quietly_in_the_middle() -> None:
    mails = b"From a@b.example Thu May  1 10:00:00 2025\nSubject: x\n\nx\n\n" * 500
    with subprocess.Popen(
        [*COMMAND, "inspect", "--json", "--mbox", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(mails)
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["number"] == 1
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert (process.returncode, err) == (128 + signal.SIGINT, b"")
