"""`emaild send` writes a mail as the way out wants it that its sender takes."""

from collections.abc import Callable
from pathlib import Path

from tests.daemon.harness import Emaild, smtp_section
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.wait import eventually


def test_a_mail_is_written_as_its_way_out_wants_it(faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path) -> None:
    server = faulty_smtp()
    old = {"senders": "@old.example", "mail.mime.charset": "windows-1252", "mail.mime.address.strict": "false"}
    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(server.smtp), smtp_section(server.smtp, "smtp-client-old", **old))
        mail = ("--to", "one@example.net", "--text", "Grüße")
        for sender in ("Ann <a..b@old.example>", "ann@new.example"):
            assert daemon.command("send", "--from", sender, *mail).returncode == 0
        assert daemon.command("send", "--test", "smtp-client-old", "a..b@example.net", "--queue").returncode == 0
        assert daemon.command("send", "--from", "a..b@new.example", *mail).returncode != 0
        daemon.start()
        eventually(lambda: len(server.mails) == 3, within=20)
    written = {taken.sender: b'charset="windows-1252"' in taken.content for taken in server.mails}
    assert written == {"a..b@old.example": True, "ann@new.example": False, "a..b@example.net": False}
