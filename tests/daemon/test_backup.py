"""A backup taken while the daemon works, and put back."""

from pathlib import Path

from tests.daemon.harness import Emaild, imap_section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.mails import generated


def test_a_backup_taken_under_load_is_put_back(dovecot: Dovecot, authority: Authority, tmp_path: Path) -> None:
    mails = [mail.raw for mail in generated(300, seed=7, largest=20_000)]
    dovecot.drop("backed-up", mails)
    backup = tmp_path / "backup.db"
    with Emaild(tmp_path / "daemon") as daemon:
        daemon.configure(imap_section("pop-client", dovecot.imaps, "backed-up", authority, maximum_msg_number=2))
        daemon.start()
        daemon.wait_for("interaction.created", 50)
        done = daemon.command("backup", str(backup))
        assert (done.returncode, done.stderr) == (0, "")
        assert backup.stat().st_mode & 0o077 == 0, "mails are nobody else's business"
        daemon.wait_for("interaction.created", len(mails))
        daemon.stop()

        (daemon.home / "lost").mkdir()
        for file in (daemon.home / "state").glob("emaild.db*"):
            file.rename(daemon.home / "lost" / file.name)
        backup.rename(daemon.home / "state" / "emaild.db")
        held = len(daemon.interactions())
        assert 50 <= held <= len(mails)
        daemon.start()
        daemon.wait_for("interaction.created", len(mails) + len(mails) - held)
        daemon.stop()
        assert sorted(daemon.raws()) == sorted(mails), "what the backup did not know came in again, and nothing twice"
