"""Several folders of one account, each with a section of its own."""

from pathlib import Path

from tests.adapters.turns import mail
from tests.daemon.harness import Emaild, imap_section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.wait import eventually

ONE = b"Message-ID: <one@example.com>\r\n" + mail("one")


def test_a_mail_that_lies_in_two_folders_becomes_one_interaction(
    dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    """Gmail shows a mail in All Mail, and in the folder of each of its labels."""
    user = "two-labels"
    dovecot.drop(user, [ONE])
    with dovecot.imap_client(user) as client:
        client.create('"Every Mail"')
        client.select("INBOX")
        client.copy("1", '"Every Mail"')
    given = {"after-fetch": "seen", "first-fetch": "all", "cycle-time": "1s", "idle": "false"}
    with Emaild(tmp_path) as daemon:
        daemon.configure(
            imap_section("pop-client-inbox", dovecot.imaps, user, authority, **given),
            imap_section("pop-client-all", dovecot.imaps, user, authority, **given, **{"folder-path": r"\All"}),
        )
        daemon.start()
        folders = ("INBOX", "Every Mail")  # what is marked as seen is in the store, and understood next
        eventually(lambda: [dovecot.flags(user, folder) for folder in folders] == [[(r"\Seen",)]] * 2, within=30)
        daemon.wait_for("interaction.created")
        assert daemon.stop() == 0
        assert len(daemon.interactions()) == 1
