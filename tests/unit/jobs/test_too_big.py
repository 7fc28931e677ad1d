"""What is taken of mails that are too big or cannot be read, and who is told of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from emaild.jobs.understand import LARGEST_HEADER
from emaild.message import Interaction
from emaild.settings.mailbox import AfterFetch
from emaild.settings.processing import Attachments
from emaild.settings.way_out import WayOutSection
from emaild.store import Store
from emaild.store.engine import FILE
from tests.clock import ManualClock
from tests.reading import Reading, settings
from tests.said import Said
from tests.samples import in_outbox, mail

LIMIT = 1000
LARGE = mail("Large") + b"x" * LIMIT


def fetches(reading: Reading) -> list[str]:
    """What was asked of the server, but for the connection."""
    return [line for line in reading.mailbox.log if line.startswith(("fetch", "delete"))]


def whole(reading: Reading) -> list[str]:
    """The subjects of the mails that were taken, headers left aside."""
    return sorted(entry.facts.subject for entry in reading.interactions if not entry.facts.wrapped)


# What is taken of a mail that is too big


def headers(reading: Reading) -> list[Interaction]:
    """The interactions that stand for mails of which the header only was taken."""
    return [entry for entry in reading.interactions if entry.facts.wrapped]


def test_its_header_is_an_interaction_that_says_why(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock, maximum_msg_size=LIMIT) as reading:
        reading.mailbox.mails["1"] = LARGE
        reading.run()
    (entry,) = reading.interactions
    reason = f"the mail has {len(LARGE)} bytes, more than maximum-msg-size allows ({LIMIT})"
    assert (entry.facts.subject, entry.facts.sender, entry.facts.wrapped) == ("Large", "ann@example.com", reason)
    assert entry.user_data["_WrappingMessageReason"] == reason
    assert [part.size for part in entry.facts.attachments] == [len(LARGE)]
    assert store.interactions.raw(entry) == LARGE.partition(b"\r\n\r\n")[0] + b"\r\n"
    assert reading.mailbox.told == []


def test_its_header_is_taken_once_whatever_becomes_of_the_limit(store: Store, clock: ManualClock) -> None:
    for limit in (LIMIT, LIMIT - 1, LIMIT + 1):
        with Reading(store, clock, maximum_msg_size=limit) as reading:
            reading.mailbox.mails["1"] = LARGE
            reading.run()
            reading.run()
    assert len(headers(reading)) == 1
    assert [line for line in reading.mailbox.log if line.startswith("head")] == []


def test_the_whole_mail_is_a_further_interaction_once_the_limit_is_raised(store: Store, clock: ManualClock) -> None:
    for limit in (LIMIT, 0):
        with Reading(store, clock, maximum_msg_size=limit) as reading:
            reading.mailbox.mails["1"] = LARGE
            reading.run()
    assert reading.subjects == ["Large", "Large"]
    assert whole(reading) == ["Large"]


def test_a_server_that_gives_no_headers_is_no_trouble(store: Store, clock: ManualClock, said: Said) -> None:
    with Reading(store, clock, maximum_msg_size=LIMIT) as reading:
        reading.mailbox.mails["1"] = LARGE
        reading.mailbox.no_heads = True
        assert reading.run() == reading.section.cycle_time
    assert reading.interactions == []
    said.one("mail.too_big")


def test_a_header_without_an_end_is_taken_as_far_as_it_is_asked_for(store: Store, clock: ManualClock) -> None:
    endless = b"Subject: Large\r\nX: " + b"x" * (2 * LARGEST_HEADER)
    with Reading(store, clock, maximum_msg_size=LIMIT) as reading:
        reading.mailbox.mails["1"] = endless
        reading.run()
    (entry,) = headers(reading)
    assert store.interactions.raw(entry) == endless[:LARGEST_HEADER]


def test_a_header_that_breaks_the_connection_does_not_keep_others_from_being_taken(
    store: Store, clock: ManualClock
) -> None:
    with Reading(store, clock, maximum_msg_size=LIMIT) as reading:
        reading.mailbox.mails["1"] = LARGE
        reading.mailbox.add("2", "3")
        reading.mailbox.breaks_at = {"1"}
        for _ in range(20):
            reading.run()
        assert whole(reading) == ["Mail 2", "Mail 3"]
        assert reading.status.state == "ok"


# Stripping


def test_a_mail_above_the_limit_is_taken_without_its_attachments_where_the_section_says_so(
    store: Store, clock: ManualClock, said: Said
) -> None:
    raw = with_attachment(b"Zm9v" * 1000)
    with Reading(store, clock, maximum_msg_size=LIMIT, enable_big_msg_stripping=True) as reading:
        reading.mailbox.mails["1"] = raw
        reading.mailbox.add("2")
        assert reading.run_until_done() == [reading.section.cycle_time]
        reading.run()
        assert reading.mailbox.told == ["1", "2"]
        assert fetches(reading) == ["fetch 2"]
        assert store.interactions.cursor(f"left-out:{reading.section.account}") == "{}"
    (entry,) = [entry for entry in reading.interactions if entry.facts.subject == "With a file"]
    assert entry.facts.wrapped is None
    assert entry.user_data["_AttachmentFileNames"] == "foo.bin"
    kept = store.interactions.raw(entry)
    assert b"See the file." in kept
    assert b"Zm9vZm9v" not in kept
    event = said.one("mail.stripped")
    assert (event["key"], event["size"], event["limit"]) == ("1", len(raw), LIMIT)
    assert said.all("mail.too_big") == []


def test_a_stripped_mail_is_taken_for_good(store: Store, clock: ManualClock) -> None:
    for limit in (LIMIT, 0):
        with Reading(store, clock, maximum_msg_size=limit, enable_big_msg_stripping=True) as reading:
            reading.mailbox.mails["1"] = with_attachment(b"Zm9v" * 1000)
            reading.run()
            reading.run()
    assert reading.subjects == ["With a file"]


def test_a_mail_whose_server_told_too_small_a_size_is_stripped_all_the_same(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock, maximum_msg_size=LIMIT, enable_big_msg_stripping=True) as reading:
        reading.mailbox.mails["1"] = with_attachment(b"Zm9v" * 1000)
        reading.mailbox.tells["1"] = 7
        reading.run()
        assert (reading.subjects, reading.mailbox.told) == (["With a file"], ["1"])
        assert b"Zm9vZm9v" not in store.interactions.raw(reading.interactions[0])


def test_a_stripped_mail_is_deleted_where_big_ones_are(store: Store, clock: ManualClock) -> None:
    given: dict[str, Any] = {"maximum_msg_size": LIMIT, "enable_big_msg_stripping": True, "delete_big_msg": True}
    with Reading(store, clock, after=AfterFetch.LEAVE, **given) as reading:
        reading.mailbox.mails["1"] = with_attachment(b"Zm9v" * 1000)
        reading.run()
        assert reading.mailbox.mails == {}
        assert reading.subjects == ["With a file"]


def with_attachment(content: bytes) -> bytes:
    """A mail with a text and a file."""
    return (
        b"From: ann@example.com\r\nSubject: With a file\r\nMessage-ID: <file@example.com>\r\n"
        b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n'
        b'--x\r\nContent-Type: application/octet-stream; name="foo.bin"\r\nContent-Transfer-Encoding: base64\r\n'
        b'Content-Disposition: attachment; filename="foo.bin"\r\n\r\n' + content + b"\r\n--x--\r\n"
    )


def test_attachments_are_removed_where_the_settings_say_so_and_their_names_and_sizes_stay(
    store: Store, clock: ManualClock
) -> None:
    raw = with_attachment(b"Zm9v" * 10)
    with Reading(store, clock) as reading:
        reading.settings = settings(reading.section, attachment_mngt=Attachments.REMOVE)
        reading.mailbox.mails["1"] = raw
        reading.run()
        reading.mailbox.mails = {"renumbered": raw}
        reading.run()
        assert reading.mailbox.told == ["1", "renumbered"]
    (entry,) = reading.interactions
    assert [(part.name, part.size) for part in entry.facts.attachments] == [("foo.bin", 30)]
    kept = store.interactions.raw(entry)
    assert b"See the file." in kept
    assert b"Zm9v" not in kept


# Telling the sender


def told_of(store: Store) -> list[EmailMessage]:
    """The mails in the outbox."""
    mails = (store.outbox.raw(entry) for entry in in_outbox(store))
    return [message_from_bytes(raw, policy=policy.default) for raw in mails]


def notifying(store: Store, clock: ManualClock, **given: Any) -> Reading:
    """A section that tells senders, and a way out."""
    fields: dict[str, Any] = {
        "maximum_msg_size": LIMIT,
        "notify_big_msg_sender": True,
        "address": "support@example.com",
    }
    reading = Reading(store, clock, **(fields | given))
    reading.settings = settings(reading.section, ways_out=[WayOutSection(name="smtp-client", server="x")])
    return reading


@pytest.mark.parametrize("strip", [True, False])
def test_the_sender_is_told_once_even_after_a_restart(
    store: Store, clock: ManualClock, said: Said, *, strip: bool
) -> None:
    with notifying(store, clock, enable_big_msg_stripping=strip) as reading:
        reading.mailbox.mails["1"] = LARGE
        reading.run()
        reading.run()
        reading.job = reading.restarted(clock)
        reading.run()
    (mail_out,) = told_of(store)
    assert (mail_out["From"], mail_out["To"]) == ("support@example.com", "ann@example.com")
    assert (mail_out["Auto-Submitted"], mail_out["In-Reply-To"]) == ("auto-replied", "<Large@example.com>")
    text = mail_out.get_content()
    assert "Large" in text
    assert "support@example.com" in text
    assert said.one("mail.sender_told")["key"] == "1"


def test_a_notice_that_was_written_before_the_power_failed_is_not_written_again(
    store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    with notifying(store, clock) as reading:
        reading.mailbox.mails["1"] = LARGE
        reading.run()
        with closing(sqlite3.connect(tmp_path / "state" / FILE)) as connection, connection:
            connection.execute("DELETE FROM seen")
            connection.execute("DELETE FROM cursor")
        reading.job = reading.restarted(clock)
        reading.run()
    assert len(told_of(store)) == 1


@pytest.mark.parametrize(
    "line",
    [
        b"Return-Path: <>",
        b"Auto-Submitted: auto-replied",
        b"Precedence: bulk",
        b"List-Id: <list.example.com>",
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="x"',
    ],
)
def test_no_automaton_and_no_list_is_told(store: Store, clock: ManualClock, line: bytes) -> None:
    with notifying(store, clock) as reading:
        reading.mailbox.mails["1"] = line + b"\r\n" + LARGE
        reading.run()
    assert len(headers(reading)) == 1
    assert told_of(store) == []


def test_a_sender_of_returned_mails_is_not_told(store: Store, clock: ManualClock) -> None:
    """His report is recognised by what it encloses, which is not there where only the header is taken."""
    with notifying(store, clock) as reading:
        reading.mailbox.mails["1"] = LARGE.replace(b"Ann <ann@example.com>", b"Postmaster <postmaster@example.com>")
        reading.run()
    assert len(headers(reading)) == 1
    assert told_of(store) == []


def test_the_one_who_sent_it_is_told_and_not_the_one_who_wrote_it(store: Store, clock: ManualClock) -> None:
    """RFC 3834 §4: the return path is where answers of automata go."""
    with notifying(store, clock) as reading:
        reading.mailbox.mails["1"] = b"Return-Path: <bob@example.com>\r\n" + LARGE
        reading.run()
    assert [mail_out["To"] for mail_out in told_of(store)] == ["bob@example.com"]


def test_a_notice_leaves_in_the_name_that_its_way_out_says(store: Store, clock: ManualClock) -> None:
    with notifying(store, clock) as reading:
        way = WayOutSection(name="smtp-client", server="x", sender_override="desk@example.com")
        reading.settings = settings(reading.section, ways_out=[way])
        reading.mailbox.mails["1"] = LARGE
        reading.run()
        own = reading.section.address
    (notice,) = told_of(store)
    assert (notice["From"], notice["Reply-To"]) == ("desk@example.com", own)
    (entry,) = in_outbox(store)
    assert entry.sender == "desk@example.com"


def test_nobody_is_told_where_the_section_does_not_say_so(store: Store, clock: ManualClock) -> None:
    with notifying(store, clock, notify_big_msg_sender=False) as reading:
        reading.mailbox.mails["1"] = LARGE
        reading.run()
    assert told_of(store) == []


@pytest.mark.parametrize(
    ("given", "ways", "reason"),
    [
        ({}, [], "there is no way out"),
        ({"address": ""}, [WayOutSection(name="smtp-client", server="x")], "own address is not known"),
    ],
)
def test_a_sender_who_cannot_be_told_is_an_event(
    store: Store, clock: ManualClock, said: Said, given: dict[str, str], ways: list[WayOutSection], reason: str
) -> None:
    with notifying(store, clock, **given) as reading:
        reading.settings = settings(reading.section, ways_out=ways)
        reading.mailbox.mails["1"] = LARGE
        reading.run()
    assert reason in said.one("mail.sender_not_told")["reason"]
    assert len(headers(reading)) == 1


# Mails that cannot be read


UNREADABLE = b"Subject: Deep\r\nMessage-ID: <deep@example.com>\r\n" + b"".join(
    b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (number, number) for number in range(3000)
)


@pytest.mark.parametrize("after", AfterFetch)
def test_a_mail_that_cannot_be_read_is_deleted_once_it_is_stored_where_the_section_says_so(
    store: Store, clock: ManualClock, said: Said, after: AfterFetch
) -> None:
    with Reading(store, clock, after=after, delete_bad_formatted_msg=True) as reading:
        reading.mailbox.mails["1"] = UNREADABLE
        reading.mailbox.add("2")
        reading.run()
        assert list(reading.mailbox.mails) == ["2"]
        assert fetches(reading) == ["fetch 1 2", "delete 1"]
        assert store.interactions.unsettled(reading.section.account) == []
    assert len(headers(reading)) == 1
    event = said.one("mail.bad_format_deleted")
    assert (event["key"], event["reason"]) == ("1", headers(reading)[0].facts.wrapped)


def test_it_is_treated_as_others_where_the_section_does_not(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock) as reading:
        reading.mailbox.mails["1"] = UNREADABLE
        reading.run()
        assert (fetches(reading), reading.mailbox.told) == (["fetch 1"], ["1"])
