"""Mails that are too big, with the real daemon and a real server: never fetched whole, and their senders told."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.daemon.harness import Emaild, imap_section, pop3_section, smtp_section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.wait import eventually

HUGE = 64 << 20
LINE = b"x" * 76 + b"\r\n"
MOST = 32 << 20  # bytes that the daemon may need more with a huge mail than without


def huge() -> bytes:
    """A mail with a large file."""
    head = (
        b"Return-Path: <ann@example.com>\r\nFrom: Ann <ann@example.com>\r\nSubject: Huge\r\nMessage-ID: <huge@x>\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n'
        b'--b\r\nContent-Disposition: attachment; filename="foo.bin"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    )
    return head + LINE * (HUGE // len(LINE)) + b"--b--\r\n"


@pytest.mark.parametrize("strip", ["false", "true"])
@pytest.mark.parametrize("kind", ["imap", "pop3"])
def test_a_huge_mail_takes_no_memory_and_its_sender_is_told_once(
    dovecot: Dovecot,
    authority: Authority,
    faulty_smtp: Callable[..., FaultySmtp],
    tmp_path: Path,
    kind: str,
    strip: str,
) -> None:
    user = f"huge-{kind}-{strip}"
    server = faulty_smtp()
    make, port = (pop3_section, dovecot.pop3s) if kind == "pop3" else (imap_section, dovecot.imaps)
    options = {
        "first_fetch": "all",
        "cycle_time": "1s",
        "maximum_msg_size": "1M",
        "notify_big_msg_sender": "true",
        "enable_big_msg_stripping": strip,
        "address": "support@example.com",
    }
    with Emaild(tmp_path) as daemon:
        daemon.configure(make("pop-client", port, user, authority, **options), smtp_section(server.smtp))
        daemon.start()
        daemon.wait_for("mailbox.first_contact")
        before = daemon.memory()
        dovecot.drop(user, [huge()])
        eventually(lambda: server.mails, within=60)
        (entry,) = eventually(daemon.interactions, within=20)
        assert daemon.memory() - before < MOST
        assert daemon.stop() == 0
        daemon.start()
        dovecot.drop(user, [b"Subject: small\r\n\r\n"])
        eventually(lambda: len(daemon.interactions()) == 2, within=20)
        (shown,) = [one for one in daemon.listed("inbox", "--full") if one["id"] == entry.id]
    assert (shown["subject"], shown["from"]) == ("Huge", "ann@example.com")
    if strip == "true":
        assert ("See the file." in shown["text"], shown["wrapped"]) == (True, None)
        assert shown["user_data"]["_AttachmentFileNames"] == "foo.bin"
    else:
        assert shown["wrapped"] in shown["text"]
        assert shown["attachments"][0]["size"] > HUGE
    (told,) = server.mails
    notice = message_from_bytes(told.content)
    assert (notice["To"], notice["In-Reply-To"]) == ("ann@example.com", "<huge@x>")
    assert notice["Auto-Submitted"] == "auto-replied"
