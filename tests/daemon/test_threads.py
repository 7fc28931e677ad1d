"""A conversation over real servers: question, answer, reply, and the bounce of a mail of ours, in one thread."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

from tests.daemon.harness import Emaild, imap_section, smtp_section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix
from tests.servers.smtp_sink import SmtpSink
from tests.servers.wait import eventually

DESK = "thread-desk@desk.example"
ANN = "thread-ann@customer.example"


def write(relay: Postfix, *, sender: str = ANN, to: str = DESK, subject: str, **fields: str) -> None:
    """A person's mail, given to the mail server."""
    header = {"From": sender, "To": to, "Subject": subject} | fields
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in header.items())
    with smtplib.SMTP("127.0.0.1", relay.smtp, timeout=10) as client:
        client.sendmail(sender, to.split(", "), f"{lines}\r\nHello\r\n".encode())


def answer(daemon: Emaild, to: str, *headers: str) -> str:
    """A mail of ours; returns its id."""
    given = [part for header in headers for part in ("--header", header)]
    done = daemon.command("send", "--from", DESK, "--to", to, "--subject", "Answer", "--text", "Dear\n", *given)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_conversation_and_its_bounce_are_one_thread(
    postfix: Callable[..., Postfix],
    smtp_sink: Callable[..., SmtpSink],
    dovecot: Dovecot,
    authority: Authority,
    tmp_path: Path,
) -> None:
    boxes, refusing = f"lmtp:inet:127.0.0.1:{dovecot.lmtp}", smtp_sink(refuse=["RCPT"])
    routes = {"desk.example": boxes, "customer.example": boxes}
    relay = postfix(transport={**routes, "refused.example": f"smtp:[127.0.0.1]:{refusing.smtp}"})
    with Emaild(tmp_path) as daemon:
        daemon.configure(
            imap_section("pop-client", dovecot.imaps, DESK, authority, first_fetch="all"), smtp_section(relay.smtp)
        )
        daemon.start()
        write(relay, subject="Question", Message_ID="<question@customer.example>")
        daemon.wait_for("interaction.created", 1)
        sent = answer(daemon, ANN, "In-Reply-To: <question@customer.example>")
        (received,) = eventually(lambda: dovecot.held(ANN), within=20)
        about = message_from_bytes(received)["Message-ID"]
        write(relay, subject="Re: Answer", In_Reply_To=about, Message_ID="<reply@customer.example>")
        daemon.wait_for("interaction.created", 2)
        bounced = answer(daemon, "nobody@refused.example", "References: <question@customer.example> " + about)
        daemon.wait_for("interaction.created", 3)
        ndr, reply, question = daemon.listed("inbox")

    def place(shown: dict[str, object]) -> tuple[object, ...]:
        return shown["subtype"], shown["thread_id"], shown["parent_id"]

    assert place(question) == ("InboundNew", question["id"], None)
    assert place(reply) == ("InboundCustomerReply", question["id"], sent)
    assert place(ndr) == ("InboundNDR", question["id"], bounced)
    assert [one["address"] for one in ndr["report"]["recipients"]] == ["nobody@refused.example"]
    assert ndr["user_data"]["Mailbox"] == DESK


def test_a_mail_to_two_of_our_mailboxes_is_one_interaction(
    postfix: Callable[..., Postfix], dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    relay = postfix(transport={"desk.example": f"lmtp:inet:127.0.0.1:{dovecot.lmtp}"})
    first, second = "twice-desk@desk.example", "twice-sales@desk.example"
    with Emaild(tmp_path) as daemon:
        daemon.configure(
            imap_section("pop-client", dovecot.imaps, first, authority, first_fetch="all"),
            imap_section("pop-client1", dovecot.imaps, second, authority, first_fetch="all"),
        )
        daemon.start()
        write(relay, to=f"{first}, {second}", subject="To both", Message_ID="<both@customer.example>")
        # Which of the two comes second is known when it looks, or only when it stores.
        eventually(lambda: daemon.count("mail.duplicate") + daemon.count("mail.known") == 1, within=20)
        (entry,) = daemon.listed("inbox")
        assert entry["message_id"] == "<both@customer.example>"
        assert len(daemon.interactions()) == 1
        assert daemon.raws()[0] in (*dovecot.held(first), *dovecot.held(second))
