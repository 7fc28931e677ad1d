"""The webhook of a whole daemon: whatever the receiver and the power do, it is told of each mail."""

from __future__ import annotations

from pathlib import Path

from standardwebhooks.webhooks import Webhook

from tests.daemon.harness import Emaild, imap_section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.receiver import KEY, SECRET, HookReceiver, Posted, Said
from tests.servers.wait import eventually

NEW_SECRET = "whsec_" + "QUJDREVG" * 4
QUICK = "reload-quiet = 100ms"


def webhook(receiver: HookReceiver, authority: Authority, *lines: str) -> str:
    """The section that leads there."""
    options = [
        f"url = {receiver.url}",
        f"ca-file = {authority.ca_file}",
        "allow-private-addresses = true",
        "retry-first = 1s",
        "retry-maximum = 2s",
        *(lines or (f"secret = {SECRET}",)),
    ]
    return "\n".join(["[webhook]", *options])


def mail(subject: str, root: str = "") -> bytes:
    """A mail; an answer to the mail of that subject where one is given."""
    answers = f"In-Reply-To: <{root}@example.com>\r\n" if root else ""
    return (
        f"From: ann@example.com\r\nTo: support@example.com\r\nMessage-ID: <{subject}@example.com>\r\n"
        f"{answers}Subject: {subject}\r\n\r\nHow are you?\r\n"
    ).encode()


def arrived(receiver: HookReceiver, *subjects: str) -> None:
    eventually(lambda: set(subjects) <= set(receiver.subjects), within=20, what=f"{subjects} at the receiver")


def test_a_receiver_is_told_of_each_mail_whatever_it_and_the_power_do(
    dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    box = imap_section("pop-client", dovecot.imaps, "hooked", authority)
    with HookReceiver(authority=authority) as receiver, Emaild(tmp_path) as daemon:

        def deliver(subject: str, root: str = "") -> None:
            """Mail is read whatever the webhook does."""
            dovecot.deliver("hooked", mail(subject, root))
            eventually(lambda: subject in {one.facts.subject for one in daemon.interactions()}, within=20, what=subject)

        receiver.stop()
        daemon.configure(box, webhook(receiver, authority), head=QUICK)
        daemon.start()
        daemon.wait_for("webhook.began")
        deliver("one")
        deliver("two", root="one")
        deliver("three", root="one")
        daemon.wait_for("webhook.failed")
        daemon.kill()

        daemon.start()
        deliver("four", root="one")

        def pulls_the_plug(posted: Posted) -> Said:
            if posted.subject == "two":
                receiver.judge = lambda posted: Said()
                daemon.kill()
            return Said()

        receiver.judge = pulls_the_plug
        receiver.start()
        arrived(receiver, "one", "two")
        eventually(lambda: daemon.ended() is not None, what="the kill")
        daemon.start()
        arrived(receiver, "one", "two", "three", "four")
        assert receiver.subjects == ["one", "two", "two", "three", "four"]
        assert len({posted.id for posted in receiver.posted}) == 4, "the one that came twice can be told by its id"
        for posted in receiver.posted:
            assert posted.is_signed()
            Webhook(SECRET).verify(posted.body, dict(posted.headers))
            assert posted.event["data"]["text"].strip() == "How are you?"
        daemon.wait_for("webhook.delivered", 4)

        daemon.configure(box, head=QUICK)
        daemon.wait_for("reload.applied")
        deliver("five")
        secrets = (f"secret = {NEW_SECRET}", f"old-secret = {SECRET}")
        daemon.configure(box, webhook(receiver, authority, *secrets), head=QUICK)
        arrived(receiver, "five")
        assert receiver.posted[-1].is_signed(KEY)
        Webhook(NEW_SECRET).verify(receiver.posted[-1].body, dict(receiver.posted[-1].headers))
        assert receiver.subjects.count("five") == 1
        assert daemon.stop() == 0
        assert daemon.events("daemon.stopped")[-1]["unfinished"] == 0
        assert SECRET not in daemon.log_file.read_text(encoding="utf-8")
