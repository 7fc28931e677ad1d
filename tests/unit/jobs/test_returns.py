"""Notices of mails that did not arrive, or are late: what comes into whose queue, and that it comes once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emaild.errors import Unreachable
from emaild.jobs.returns import Returns
from emaild.jobs.sweep import Sweep
from emaild.message import Interaction, Outbound, OutboundState, ReportKind
from emaild.settings.daemon import StoreSection
from emaild.settings.load import Settings, load
from emaild.store import Store
from tests.clock import ManualClock
from tests.full_disk import no_more_bytes
from tests.said import Said
from tests.samples import outbound
from tests.sending import Sending

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
GONE = "5.1.1 User unknown"
CONF = """
[emaild]
state-directory = {state}

[pop-client]
server = mail.example
mailbox = support@example.com
password = secret
endpoint = answers

[smtp-client]
server = smtp.example

[email-processing]
default-inbound-queue = everything
"""

Make = Callable[..., Sending]


@pytest.fixture
def make(store: Store, clock: ManualClock, tmp_path: Path) -> Make:
    """The jobs of a way out with these options, in a daemon with such settings."""
    conf = tmp_path / "emaild.conf"
    conf.write_text(CONF.format(state=tmp_path / "state"), encoding="utf-8")
    settings = load(conf)

    def made(change: Callable[[Settings], Settings] = lambda same: same, **options: Any) -> Sending:
        sending = Sending(store, clock, **options)
        sending.way.returns = Returns(sending.section, lambda: change(settings), store)
        return sending

    return made


def refuse(sending: Sending, *addresses: str) -> None:
    sending.server.answers = dict.fromkeys(addresses, 550)
    sending.server.words = dict.fromkeys(addresses, GONE)


def sweep(sending: Sending) -> None:
    Sweep(sending.store, sending.clock, StoreSection, lambda: [sending.way]).run()


def arrived(store: Store) -> list[Interaction]:
    return list(store.interactions.all())


def queue(sending: Sending, raw: bytes, **changes: Any) -> Outbound:
    mail = replace(outbound("gone@b.c", raw=raw), **changes)
    sending.store.outbox.add(mail, sending.clock.now())
    return mail


def test_a_failure_notice_comes_into_the_queue_of_answers(make: Make, store: Store, said: Said) -> None:
    sending = make(failure_notice=True)
    raw = b"From: support@example.com\r\nTo: gone@b.c\r\nSubject: Your order\r\nMessage-ID: <o@x>\r\n\r\nhello\r\n"
    mail = queue(sending, raw)
    refuse(sending, "gone@b.c")
    sending.run()
    (entry,) = arrived(store)
    assert (entry.subtype, entry.queue, entry.mailbox) == ("InboundNDR", "answers", "pop-client")
    assert (entry.parent_id, entry.thread_id) == (mail.id, store.known.by_id([mail.id])[mail.id].thread_id)
    assert entry.facts.subject == "Not delivered: Your order"
    assert entry.facts.automatic
    report = entry.facts.report
    assert report is not None
    assert (report.kind, report.envelope_id) == (ReportKind.DSN, mail.id)
    (about,) = report.recipients
    assert (about.address, about.action, about.status) == ("gone@b.c", "failed", "5.1.1")
    assert about.diagnostic.endswith(f"550 {GONE}")
    assert said.one("interaction.created")["subtype"] == "InboundNDR"
    text = store.interactions.raw(entry).decode()
    assert "Subject: Your order" in text
    assert GONE in text
    assert "hello" not in text


def test_without_the_options_nobody_is_told(make: Make, store: Store) -> None:
    sending = make(lifetime=HOUR)
    sending.queue("gone@b.c")
    refuse(sending, "gone@b.c")
    sending.run()
    sending.server.down = Unreachable("smtp.example:25", "connect", "refused")
    sending.queue("late@b.c")
    sending.passed(MINUTE)
    sending.clock.advance(2 * HOUR)
    sweep(sending)
    assert arrived(store) == []


def test_each_recipient_is_told_of_once(make: Make, store: Store) -> None:
    sending = make(failure_notice=True)
    mail = sending.queue("a@b.c", "gone@b.c", "busy@b.c")
    refuse(sending, "gone@b.c")
    sending.server.answers["busy@b.c"] = 451
    sending.run()
    assert sending.state(mail) is OutboundState.DEFERRED
    refuse(sending, "busy@b.c")
    sending.passed(HOUR)
    told = [[one.address for one in entry.facts.report.recipients] for entry in arrived(store) if entry.facts.report]
    assert sorted(told) == [["busy@b.c"], ["gone@b.c"]]


def test_a_mail_that_is_given_up_after_a_try_is_told_of(make: Make, store: Store) -> None:
    sending = make(failure_notice=True, lifetime=HOUR)
    sending.queue("busy@b.c")
    sending.server.answers = {"busy@b.c": 451}
    sending.run()
    sending.passed(HOUR)
    (entry,) = arrived(store)
    assert entry.subtype == "InboundNDR"
    assert entry.facts.report is not None
    assert entry.facts.report.recipients[0].status == "5.4.7"


def test_a_mail_that_waits_for_too_long_is_given_up_and_told_of_in_one_commit(make: Make, store: Store) -> None:
    sending = make(failure_notice=True, lifetime=HOUR)
    sending.server.down = Unreachable("smtp.example:25", "connect", "refused")
    mails = [sending.queue("a@b.c") for _ in range(45)]
    sending.run()
    sending.clock.advance(2 * HOUR)
    with no_more_bytes():
        sweep(sending)
    assert arrived(store) == []
    assert {sending.state(mail) for mail in mails} <= {OutboundState.DEFERRED, OutboundState.QUEUED}
    sweep(sending)
    assert {sending.state(mail) for mail in mails} == {OutboundState.EXPIRED}
    assert sorted(entry.parent_id or "" for entry in arrived(store)) == sorted(mail.id for mail in mails)
    sweep(sending)
    assert len(arrived(store)) == len(mails)


def test_a_try_that_cannot_be_recorded_is_told_of_when_it_can(make: Make, store: Store) -> None:
    sending = make(failure_notice=True)
    sending.queue("gone@b.c")
    refuse(sending, "gone@b.c")
    with ExitStack() as disk:
        sending.server.meanwhile = lambda: disk.enter_context(no_more_bytes())
        sending.run()
    assert arrived(store) == []
    sending.server.meanwhile = lambda: None
    sending.passed(MINUTE)
    assert len(arrived(store)) == 1
    assert len(sending.server.taken) == 1


def test_a_late_mail_is_told_of_once(make: Make, store: Store) -> None:
    sending = make(delay_notice_after=4 * HOUR, lifetime=2 * DAY)
    raw = b"From: Support <Support@example.com>\r\nTo: a@b.c, busy@b.c\r\n\r\nx\r\n"
    mail = queue(sending, raw, recipients=("a@b.c", "busy@b.c"))
    sending.server.answers = {"busy@b.c": 451}
    sending.run()
    sending.clock.advance(4 * HOUR)
    sweep(sending)
    assert arrived(store) == []
    sending.clock.advance(1)
    for _ in range(3):
        sweep(sending)
    (entry,) = arrived(store)
    assert (entry.subtype, entry.queue, entry.parent_id) == ("InboundReport", "answers", mail.id)
    assert entry.facts.report is not None
    (about,) = entry.facts.report.recipients
    assert (about.address, about.action, about.status) == ("busy@b.c", "delayed", "4.4.7")
    assert b"Will-Retry-Until: Wed, 04 Mar 2026" in store.interactions.raw(entry)


def test_a_late_mail_that_is_sent_again_by_a_person_may_be_told_of_again(make: Make, store: Store) -> None:
    sending = make(delay_notice_after=HOUR, lifetime=DAY)
    sending.server.down = Unreachable("smtp.example:25", "connect", "refused")
    mail = sending.queue("a@b.c")
    sending.run()
    sending.clock.advance(2 * HOUR)
    sweep(sending)
    sending.clock.advance(DAY)
    sweep(sending)
    assert sending.state(mail) is OutboundState.EXPIRED
    store.outbox.retry(mail.id, sending.clock.now())
    sweep(sending)
    assert len(arrived(store)) == 1
    sending.clock.advance(2 * HOUR)
    sweep(sending)
    sweep(sending)
    assert [entry.subtype for entry in arrived(store)] == ["InboundReport"] * 2


def test_a_full_disk_puts_notices_of_late_mails_off(make: Make, store: Store) -> None:
    sending = make(delay_notice_after=HOUR, lifetime=DAY)
    sending.server.down = Unreachable("smtp.example:25", "connect", "refused")
    sending.queue("a@b.c")
    sending.clock.advance(2 * HOUR)
    with no_more_bytes():
        sweep(sending)
    assert arrived(store) == []
    sweep(sending)
    assert len(arrived(store)) == 1


def test_many_late_mails_are_told_of_in_steps(make: Make, store: Store) -> None:
    sending = make(delay_notice_after=HOUR, lifetime=DAY)
    sending.server.down = Unreachable("smtp.example:25", "connect", "refused")
    for _ in range(50):
        sending.queue("a@b.c")
    sending.clock.advance(2 * HOUR)
    sweep(sending)
    assert len(arrived(store)) == 50


@pytest.mark.parametrize(
    ("header", "changes"),
    [
        (b"Auto-Submitted: auto-replied\r\n", {}),
        (b"", {"sender": ""}),
    ],
)
def test_of_automatic_mails_nothing_is_told_for_that_could_loop(
    make: Make, store: Store, said: Said, header: bytes, changes: dict[str, str]
) -> None:
    sending = make(failure_notice=True, delay_notice_after=HOUR, lifetime=DAY)
    raw = b"From: support@example.com\r\nTo: gone@b.c\r\n" + header + b"Subject: x\r\n\r\nhello\r\n"
    refused = queue(sending, raw, **changes)
    refuse(sending, "gone@b.c")
    sending.run()
    sending.server.down = Unreachable("smtp.example:25", "connect", "refused")
    late = queue(sending, raw + b"2\r\n", **changes)
    for _ in range(3):
        sending.clock.advance(DAY / 2)
        sweep(sending)
    assert [sending.state(mail) for mail in (refused, late)] == [OutboundState.FAILED, OutboundState.EXPIRED]
    assert arrived(store) == []
    assert "outbound.notice_failed" not in said.names


def test_a_sender_without_a_mailbox_is_told_in_the_default_queue(make: Make, store: Store) -> None:
    sending = make(failure_notice=True)
    queue(sending, b"From: other@example.com\r\nTo: gone@b.c\r\n\r\nx\r\n", sender="other@example.com")
    refuse(sending, "gone@b.c")
    sending.run()
    (entry,) = arrived(store)
    assert (entry.queue, entry.facts.to) == ("everything", ("other@example.com",))


def test_where_rules_are_to_see_it_programs_wait_for_them(make: Make, store: Store) -> None:
    def held_back(settings: Settings) -> Settings:
        return replace(settings, processing=replace(settings.processing, enable_inbound_submitter=False))

    sending = make(held_back, failure_notice=True)
    sending.queue("gone@b.c")
    refuse(sending, "gone@b.c")
    sending.run()
    (entry,) = arrived(store)
    assert entry.number is None
    assert store.interactions.unsubmitted(5) == [entry]


def test_a_template_that_is_wrong_keeps_no_mail_from_its_state(
    make: Make, store: Store, tmp_path: Path, said: Said
) -> None:
    folder = tmp_path / "own"
    (folder / "notices").mkdir(parents=True)
    (folder / "notices" / "not-delivered.txt").write_text("{{ nothing.here }}", encoding="utf-8")

    def with_folder(settings: Settings) -> Settings:
        return replace(settings, emaild=replace(settings.emaild, templates=folder))

    sending = make(with_folder, failure_notice=True)
    mail = sending.queue("gone@b.c")
    refuse(sending, "gone@b.c")
    sending.run()
    assert sending.state(mail) is OutboundState.FAILED
    assert said.one("outbound.notice_failed")["outbound"] == mail.id
    assert arrived(store) == []


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n", b"\x00" * 5000, b"From: \xff\r\nSubject: =?x?q?=?=\r\n" * 2000], ids=range(4)
)
@pytest.mark.parametrize("words", ["", "5.1.1 gr\u00fc\u00df\x00\r\n\r\n--x", "\ufffd" * 3000], ids=range(3))
def test_whatever_the_mail_and_the_server_say_there_is_a_notice(
    make: Make, store: Store, raw: bytes, words: str
) -> None:
    sending = make(failure_notice=True)
    queue(sending, raw)
    refuse(sending, "gone@b.c")
    sending.server.words = {"gone@b.c": words}
    sending.run()
    (entry,) = arrived(store)
    assert entry.subtype == "InboundNDR"


def test_an_address_beyond_ascii_is_read_back_as_it_is(make: Make, store: Store) -> None:
    sending = make(failure_notice=True)
    sending.queue("gr\u00fc\u00dfe@b.c")
    refuse(sending, "gr\u00fc\u00dfe@b.c")
    sending.run()
    (entry,) = arrived(store)
    assert entry.facts.report is not None
    assert entry.facts.report.recipients[0].address == "gr\u00fc\u00dfe@b.c"
