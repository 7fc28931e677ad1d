"""`emaild call`: services on the command line, whether a daemon runs or not."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

from tests.daemon.harness import Emaild, smtp_section
from tests.servers.smtp_sink import SmtpSink
from tests.servers.wait import eventually
from tests.unit.render.transcript.chats import chat, items, joins, says

NOBODY = smtp_section(25)
HEAD = "\n[email-processing]\ndefault-from-address = desk@shop.example\n"


def test_a_service_works_without_a_daemon_and_a_running_one_sends(
    smtp_sink: Callable[..., SmtpSink], tmp_path: Path
) -> None:
    sink = smtp_sink()
    (tmp_path / "text").write_text("Größe: <$Contact.FirstName$>\n", encoding="utf-8")
    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(sink.smtp), HEAD)
        words = ("To=bob@x.example", f"Text=@{tmp_path}/text", "FieldCodes.Contact.FirstName=Bob", "Subject=@@home")
        (before,) = daemon.listed("call", "CreateEmailOut", *words)
        assert before["subtype"] == "OutboundNew"
        (draft,) = daemon.listed("call", "CreateEmailOut", *words, "Queue=drafts")
        assert draft["outbox_id"] is None
        daemon.start()
        sent = daemon.command("call", "Send", "--json", f"InteractionId={draft['interaction_id']}")
        assert (sent.returncode, json.loads(sent.stdout)["outbox_id"]) == (0, draft["interaction_id"])
        eventually(lambda: len(sink.mails()) == 2, within=20)
        again = daemon.command("call", "Send", f"InteractionId={draft['interaction_id']}")
        where = "was given to the outbox already; in the history it is SENT"
        assert again.stderr == f"emaild: the mail {draft['interaction_id']} {where}\n"
        assert daemon.stop() == 0
    mails = [message_from_bytes(mail) for mail in sink.mails()]
    assert {mail["Message-ID"] for mail in mails} == {before["message_id"], draft["message_id"]}
    assert {mail["Subject"] for mail in mails} == {"@home"}
    assert {mail.get_payload(decode=True) for mail in mails} == {"Größe: Bob\r\n".encode()}


def test_a_chat_from_a_file(tmp_path: Path) -> None:
    daemon = Emaild(tmp_path)
    daemon.configure(NOBODY, HEAD)
    xml = chat(joins("Ann", more=items(EmailAddress="ann@example.com")), says("Grüße"))
    xml = xml.replace('version="1.0"', 'version="1.0" encoding="iso-8859-1"')
    (tmp_path / "chat.xml").write_bytes(xml.encode("iso-8859-1"))
    given = ("Queue=drafts", "SrlId=chat-transcript", "--chat", str(tmp_path / "chat.xml"))
    done = daemon.command("call", "ChatTranscript", *given)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(" OutboundNew, in the queue drafts\n")
    piped = daemon.command("call", "ChatTranscript", "Chat=@-", "Text=Hi", given=xml.encode())
    assert piped.returncode == 0, piped.stderr
    (tmp_path / "chat.xml").write_bytes(b"\xff<nonsense")
    refused = daemon.command("call", "ChatTranscript", *given)
    assert refused.returncode == os.EX_DATAERR
    assert "30002" in refused.stderr or "transcript.unreadable" in refused.stderr


def test_a_fault_is_one_line_or_one_object(tmp_path: Path) -> None:
    daemon = Emaild(tmp_path)
    daemon.configure(NOBODY)
    given = ("call", "Acknowledge", "InteractionId=0123456789ABCDEF", "Text=Hi")
    done = daemon.command(*given)
    assert (done.returncode, done.stdout) == (os.EX_DATAERR, "")
    assert done.stderr == "emaild: there is no interaction 0123456789ABCDEF\n"
    in_json = daemon.command(*given, "--json")
    assert (in_json.returncode, in_json.stderr) == (os.EX_DATAERR, "")
    assert json.loads(in_json.stdout) == {
        "fault": "interaction-gone",
        "text": "there is no interaction 0123456789ABCDEF",
        "parameter": "InteractionId",
    }


def test_a_wrong_command_line(tmp_path: Path) -> None:
    daemon = Emaild(tmp_path)
    daemon.configure(NOBODY)
    (tmp_path / "latin").write_bytes(b"Gr\xfc\xdfe")
    for words, code, told in (
        ((), os.EX_USAGE, "METHOD"),
        (("Acknowledge", "Text"), os.EX_USAGE, "NAME=VALUE"),
        (("Acknowledge", "Text=a", "Text=b"), os.EX_USAGE, "given twice"),
        (("Acknowledge", "Text=@/none/there"), os.EX_NOINPUT, "@@"),
        (("Acknowledge", f"Text=@{tmp_path}/latin"), os.EX_NOINPUT, "no UTF-8"),
        (("--list", "Nope"), os.EX_USAGE, "no service"),
    ):
        done = daemon.command("call", *words)
        assert done.returncode == code
        assert told in done.stderr
        assert done.stderr.count("\n") == 1


def test_services_are_listed_without_a_conf_file(tmp_path: Path) -> None:
    daemon = Emaild(tmp_path)
    listed = daemon.listed("call", "--list")
    assert {"Send", "Acknowledge", "ChatTranscript"} <= {service["method"] for service in listed}
    shown = daemon.command("call", "--list", "ackNOWLEDGE-email")
    assert "IncludeOriginalMessage" in shown.stdout
