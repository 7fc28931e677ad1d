"""Mails as files: what a mail program finds in the folder."""

from __future__ import annotations

import email
import os
import subprocess
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from emaild.errors import Busy, LeaseLost, Rejected
from emaild.message import RecipientState
from emaild.settings.way_out import ServerType, WayOutSection
from emaild.sinks.eml import Eml
from tests.full_disk import no_more_bytes
from tests.samples import outbound
from tests.servers.presence import require


def into(folder: Path) -> Eml:
    return Eml(WayOutSection(name="smtp-client", server_type=ServerType.EML, eml_directory=folder))


def confirmed() -> None:
    """It is still ours."""


def opened(path: Path) -> EmailMessage:
    """As a mail program reads the file."""
    message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


MAIL = (
    b"From: Desk <desk@shop.example>\r\nTo: Ann <ann@example.com>, bob@example.com\r\n"
    b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <1@shop.example>\r\n"
    b"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b\r\n'
    b'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="statement.pdf"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--b--\r\n"
)


def test_dynamics_9_a_file_opens_as_a_draft_with_recipients_and_attachments(tmp_path: Path) -> None:
    mail = outbound("ann@example.com", "bob@example.com", "boss@example.com", raw=MAIL)
    delivery = into(tmp_path).send(mail, confirmed)
    (file,) = tmp_path.iterdir()
    assert file.name == f"{mail.id}.eml"
    draft = opened(file)
    assert draft["X-Unsent"] == "1"
    assert draft["To"] == "Ann <ann@example.com>, bob@example.com"
    assert draft["Bcc"] == "boss@example.com"
    assert draft["Subject"] == "Gr\u00fc\u00dfe"
    assert draft["From"] == "Desk <desk@shop.example>"
    (attached,) = draft.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("statement.pdf", b"%PDF-")
    assert {one.state for one in delivery.receipts} == {RecipientState.SENT}
    assert [one.address for one in delivery.receipts] == list(mail.recipients)
    assert delivery.receipts[0].text == f"written to {file}"
    assert delivery.server == str(tmp_path)


def test_dynamics_9_a_mail_program_sends_the_draft_to_all_with_its_attachment(tmp_path: Path) -> None:
    drafts, envelope, sent, settings = (tmp_path / name for name in ("drafts", "envelope", "sent", "neomuttrc"))
    drafts.mkdir()
    mail = outbound("ann@example.com", "bob@example.com", "boss@example.com", raw=MAIL)
    into(drafts).send(mail, confirmed)
    sendmail = tmp_path / "sendmail"
    sendmail.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{envelope}\ncat >{sent}\n', encoding="utf-8")
    sendmail.chmod(0o700)
    settings.write_text(
        f'set sendmail = {sendmail}\nset copy = no\nset record = ""\nset folder = {tmp_path}\n'
        "set resume_draft_files = yes\n"
    )
    words = [require("neomutt"), "-n", "-F", str(settings), "-H", str(drafts / f"{mail.id}.eml")]
    around = {**os.environ, "HOME": str(tmp_path)}
    subprocess.run(words, stdin=subprocess.DEVNULL, env=around, capture_output=True, timeout=60, check=True)
    assert envelope.read_text(encoding="utf-8").split() == ["--", *mail.recipients]
    went = opened(sent)
    assert (went["To"], went["Bcc"], went["Subject"]) == ("Ann <ann@example.com>, bob@example.com", None, "Grüße")
    (attached,) = (one for one in went.iter_attachments() if one.get_filename())
    assert (attached.get_filename(), attached.get_content()) == ("statement.pdf", b"%PDF-")


def test_a_mail_that_is_written_again_is_there_once(tmp_path: Path) -> None:
    mail = outbound("ann@example.com", raw=MAIL)
    (tmp_path / f".{mail.id}.partial").write_bytes(b"half of it")  # what a daemon left that was killed
    into(tmp_path).send(mail, confirmed)
    into(tmp_path).send(mail, confirmed)
    assert [file.name for file in tmp_path.iterdir()] == [f"{mail.id}.eml"]


def test_a_mail_that_is_not_ours_any_more_leaves_no_file(tmp_path: Path) -> None:
    def lost() -> None:
        assert len(list(tmp_path.iterdir())) == 1  # written, but for its name
        raise LeaseLost("somebody else sends it")

    with pytest.raises(LeaseLost):
        into(tmp_path).send(outbound("ann@example.com", raw=MAIL), lost)
    assert list(tmp_path.iterdir()) == []


def test_who_got_it_already_is_not_in_the_draft(tmp_path: Path) -> None:
    mail = outbound("bob@example.com", raw=MAIL)
    into(tmp_path).send(mail, confirmed)
    assert opened(tmp_path / f"{mail.id}.eml")["To"] == "bob@example.com"


def test_a_folder_that_is_not_there_needs_a_person(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"gone: write: No such file or directory"):
        into(tmp_path / "gone").send(outbound("ann@example.com", raw=MAIL), confirmed)


def test_a_full_disk_leaves_no_half_file_and_passes(tmp_path: Path) -> None:
    mail = outbound("ann@example.com", raw=MAIL)
    with no_more_bytes(), pytest.raises(Busy):
        into(tmp_path).send(mail, confirmed)
    assert list(tmp_path.iterdir()) == []
    into(tmp_path).send(mail, confirmed)
    assert len(list(tmp_path.iterdir())) == 1


def test_other_users_of_the_machine_may_not_read_the_files(tmp_path: Path) -> None:
    mail = outbound("ann@example.com", raw=MAIL)
    before = os.umask(0)
    try:
        into(tmp_path).send(mail, confirmed)
    finally:
        os.umask(before)
    assert (tmp_path / f"{mail.id}.eml").stat().st_mode & 0o777 == 0o640


def test_a_link_in_the_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    mail = outbound("ann@example.com", raw=MAIL)
    victim = tmp_path.with_name(f"{tmp_path.name}-victim")
    victim.write_bytes(b"precious")
    (tmp_path / f".{mail.id}.partial").symlink_to(victim)
    with pytest.raises(Rejected):
        into(tmp_path).send(mail, confirmed)
    assert victim.read_bytes() == b"precious"
