"""Reports find the mail that they are about; our own mail is stopped; automatic answers are counted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emaild.message import Interaction, token
from emaild.store import Store
from tests.clock import START
from tests.said import Said
from tests.understanding import Desk, letter


def report(about: str = "", *, envelope_id: str = "", returned: str = "", **fields: str) -> bytes:
    """A delivery status notification (RFC 3464): *about* is the Message-ID in the header that came back."""
    envelope = f"Original-Envelope-Id: {envelope_id}\r\n" if envelope_id else ""
    header = f"Message-ID: {about}\r\n" if about else ""
    text = (
        f"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n{envelope}\r\n"
        "Final-Recipient: rfc822; ann@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{header}Subject: {returned or 'Answer'}\r\n--b--"
    )
    kind = "multipart/report; report-type=delivery-status; boundary=b"
    given = {"content_type": kind, "mime_version": "1.0", "return_path": "<>", **fields}
    return letter("Undeliverable", sender="MAILER-DAEMON@mx.example", text=text, **given)


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def is_about(entry: Interaction, thread: str, sent: str | None) -> bool:
    return (entry.subtype, entry.thread_id, entry.parent_id) == ("InboundNDR", thread, sent)


def is_about_nothing(entry: Interaction) -> bool:
    return is_about(entry, entry.id, None)


# Reports


def test_a_mail_that_is_returned_by_the_guides_second_way_is_answered_by_nobody(desk: Desk) -> None:
    text = "--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <stranger@x>\r\n\r\nHi\r\n--b--"
    raw = letter(sender="postmaster@mx.example", text=text, content_type="multipart/mixed; boundary=b")
    entry = desk.one(raw)
    assert (entry.subtype, entry.facts.report) == ("InboundNDR", None)
    assert entry.facts.automatic == "report: returned mail"


def test_a_report_is_the_child_of_the_mail_out_that_it_is_about(desk: Desk) -> None:
    question = desk.one(letter(message_id="<q@x>"))
    sent = desk.send(in_reply_to="<q@x>")
    assert is_about(desk.one(report(sent.message_id)), question.id, sent.id)


def test_a_report_is_found_by_the_envelope_id(desk: Desk) -> None:
    sent = desk.send()
    assert is_about(desk.one(report("<rewritten@x>", envelope_id=sent.id)), sent.id, sent.id)


def test_a_report_is_found_by_our_token_in_what_came_back(desk: Desk) -> None:
    sent = desk.send()
    assert is_about(desk.one(report("<rewritten@x>", returned=f"Answer {token(sent.id)}")), sent.id, sent.id)


def test_a_report_is_found_by_our_id_in_the_message_id_that_came_back(desk: Desk) -> None:
    sent = desk.send()
    assert is_about(desk.one(report(f"<{sent.id}.x@rewritten.example>")), sent.id, sent.id)


@pytest.mark.parametrize("fields", [{"in_reply_to": "{}"}, {"references": "<unknown@x> {} <unknown@y>"}])
def test_a_report_that_only_answers_is_about_what_it_answers(desk: Desk, fields: dict[str, str]) -> None:
    sent = desk.send()
    given = {name: value.format(sent.message_id) for name, value in fields.items()}
    assert is_about(desk.one(report(**given)), sent.id, sent.id)


def test_a_report_is_about_no_mail_that_came_in(desk: Desk) -> None:
    question = desk.one(letter(message_id="<q@x>"))
    assert is_about_nothing(desk.one(report("<q@x>", envelope_id=question.id, in_reply_to="<q@x>")))


def test_a_report_about_nothing_of_ours_has_no_parent(desk: Desk) -> None:
    assert is_about_nothing(desk.one(report("<unknown@x>", envelope_id="0123456789ABCDEF")))


def test_a_report_comes_to_its_mail_however_late(store: Store) -> None:
    desk = Desk(store, thread_window=1)
    sent = desk.send()
    assert is_about(desk.one(report(sent.message_id), at=START + timedelta(days=9)), sent.id, sent.id)


def test_a_report_with_thousands_of_tokens_is_looked_at_in_part(desk: Desk) -> None:
    sent = desk.send()
    names = "".join(token(f"{number:016}") for number in range(100_000))
    assert is_about_nothing(desk.one(report(returned=names + token(sent.id))))
    assert is_about(desk.one(report(returned=token(sent.id) + names)), sent.id, sent.id)


def test_what_a_report_says_is_stored_with_its_interaction(desk: Desk) -> None:
    entry = desk.one(report("<m@x>"))
    assert entry.facts.report is not None
    (recipient,) = entry.facts.report.recipients
    assert (entry.facts.report.kind, entry.facts.report.original_message_id) == ("dsn", "<m@x>")
    assert (recipient.address, recipient.action, recipient.status) == ("ann@example.com", "failed", "5.1.1")
    assert entry.user_data["FromAddress"] == "MAILER-DAEMON@mx.example"


# Loops


def test_a_mail_from_our_own_address_is_stored_and_stopped(desk: Desk, said: Said) -> None:
    entry = desk.one(letter(sender="Support <SUPPORT@shop.example>"))
    assert entry.state == "STOPPED"
    told = said.one("mail.looped")
    assert (told["interaction"], told["sender"]) == (entry.id, "SUPPORT@shop.example")


def test_the_address_of_a_mailbox_is_the_one_given_before_its_sign_in_name(store: Store) -> None:
    desk = Desk(store, box={"mailbox": "login@host.example", "address": "help@shop.example"})
    assert desk.one(letter(sender="help@shop.example")).state == "STOPPED"
    entry = desk.one(letter(sender="login@host.example"))
    assert (entry.state, entry.user_data["Mailbox"]) == ("NEW", "help@shop.example")


def test_a_sign_in_name_that_is_no_address_is_nobody(store: Store) -> None:
    assert Desk(store, box={"mailbox": "ann"}).one(letter(sender="ann")).state == "NEW"


def test_where_loops_are_allowed_our_own_mail_is_as_any(store: Store, said: Said) -> None:
    desk = Desk(store, enable_mail_loops=True)
    assert desk.one(letter(sender="support@shop.example")).state == "NEW"
    assert "mail.looped" not in said.names


def test_a_report_from_our_own_address_is_not_stopped(desk: Desk) -> None:
    raw = report("<m@x>").replace(b"MAILER-DAEMON@mx.example", b"support@shop.example")
    assert desk.one(raw).state == "NEW"


# Automatic answers that answer each other


def count(desk: Desk, mail: bytes, seconds: float = 0) -> object:
    return desk.one(mail, at=START + timedelta(seconds=seconds)).user_data["_AutoReplyCount"]


@pytest.fixture
def warned(store: Store) -> Desk:
    return Desk(store, enable_autowar_detect=True, autowar_detect_period=600)


def test_automatic_mails_to_the_sender_in_the_thread_are_counted(warned: Desk) -> None:
    warned.one(letter(message_id="<q@x>"))
    for kind in ("auto-replied", "Auto-Generated; x=y", "no", "NO (a person)"):
        warned.send("Ann@Example.com", in_reply_to="<q@x>", auto_submitted=kind)
    warned.send(in_reply_to="<q@x>")
    warned.send("bob@example.com", in_reply_to="<q@x>", auto_submitted="auto-replied")
    assert count(warned, letter(in_reply_to="<q@x>")) == 2


def test_a_reply_to_address_counts_as_the_senders(warned: Desk) -> None:
    sent = warned.send("ann@home.example", auto_submitted="auto-replied")
    assert count(warned, letter(in_reply_to=sent.message_id, reply_to="Ann@home.example")) == 1


def test_only_automatic_mails_of_the_period_are_counted(warned: Desk) -> None:
    sent = warned.send(auto_submitted="auto-replied")
    assert count(warned, letter(in_reply_to=sent.message_id), 600) == 1
    assert count(warned, letter(in_reply_to=sent.message_id), 601) == 0


@pytest.mark.parametrize("all_threads", [True, False])
def test_other_threads_are_counted_where_that_is_asked_for(store: Store, *, all_threads: bool) -> None:
    desk = Desk(store, enable_autowar_detect=True, autowar_scan_all_threads_of_contact=all_threads)
    desk.send(auto_submitted="auto-replied")
    assert count(desk, letter()) == (1 if all_threads else 0)


def test_without_the_switch_nothing_is_counted(store: Store) -> None:
    desk = Desk(store, enable_autowar_detect=False)
    sent = desk.send(auto_submitted="auto-replied")
    assert count(desk, letter(in_reply_to=sent.message_id)) == 0


def test_a_mail_without_a_sender_is_no_error(warned: Desk) -> None:
    warned.send(auto_submitted="auto-replied")
    assert count(warned, letter(sender="")) == 0
