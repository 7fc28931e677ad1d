"""A mail to several: each try has its cause, and the mail has that of whoever fares worst of all its recipients."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emaild.documents.outbox import causes_of, diagnosed, logged_json
from emaild.errors import Unreachable
from emaild.message import OutboundState
from emaild.store import Store
from emaild.store.outbox_entries import Choice
from tests.clock import ManualClock
from tests.sending import Sending

GONE, LATE, HOUR = "5.1.1 User unknown", "4.7.1 Recipient address rejected: Greylisted", 3600.0


@pytest.fixture
def sending(store: Store, clock: ManualClock) -> Sending:
    return Sending(store, clock)


def says(sending: Sending, **answers: tuple[int, str]) -> None:
    sending.server.answers = {f"{name}@b.c": code for name, (code, _) in answers.items()}
    sending.server.words = {f"{name}@b.c": words for name, (_, words) in answers.items()}


def test_who_failed_goes_before_who_waits(sending: Sending) -> None:
    mail = sending.queue("late@b.c", "gone@b.c", "ok@b.c")
    says(sending, late=(451, LATE), gone=(550, GONE))
    sending.run()
    entry, (first,) = sending.store.outbox.get(mail.id)
    assert (entry.state, entry.cause, first.cause) == (OutboundState.DEFERRED, "mailbox-unknown", "mailbox-unknown")


def test_who_failed_before_is_not_forgotten_when_another_waits_again(sending: Sending) -> None:
    mail = sending.queue("late@b.c", "gone@b.c")
    says(sending, late=(451, LATE), gone=(550, GONE))
    sending.run()
    sending.passed(HOUR)
    entry, (_, second) = sending.store.outbox.get(mail.id)
    assert (entry.state, entry.cause, second.cause) == (OutboundState.DEFERRED, "mailbox-unknown", "greylisted")
    assert entry.diagnosis == f"gone@b.c: 550 {GONE}; late@b.c: 451 {LATE}"
    assert second.outcome == f"late@b.c: 451 {LATE}"


def test_who_failed_before_is_not_forgotten_when_another_gets_it(sending: Sending) -> None:
    mail = sending.queue("late@b.c", "gone@b.c")
    says(sending, late=(451, LATE), gone=(550, GONE))
    sending.run()
    says(sending)
    sending.passed(HOUR)
    entry, (_, second) = sending.store.outbox.get(mail.id)
    assert (entry.state, entry.cause, second.cause) == (OutboundState.PARTLY_SENT, "mailbox-unknown", "")
    assert entry.diagnosis == f"gone@b.c: 550 {GONE}"
    assert second.outcome == "sent to 1"


def test_a_mail_that_all_got_in_the_end_has_no_cause(sending: Sending) -> None:
    mail = sending.queue("late@b.c", "ok@b.c")
    says(sending, late=(451, LATE))
    sending.run()
    assert sending.store.outbox.get(mail.id)[0].cause == "greylisted"
    says(sending)
    sending.passed(HOUR)
    entry = sending.store.outbox.get(mail.id)[0]
    assert (entry.state, entry.cause, entry.diagnosis) == (OutboundState.SENT, "", "")


def test_each_recipient_has_its_own_cause(sending: Sending) -> None:
    mail = sending.queue("late@b.c", "gone@b.c", "ok@b.c")
    says(sending, late=(451, LATE), gone=(550, GONE))
    sending.run()
    sending.passed(HOUR)
    entry, attempts = sending.store.outbox.get(mail.id)
    document = logged_json(entry, attempts, mail.raw, {})
    recipients = document["recipients"]
    assert isinstance(recipients, list)
    assert [one["cause"] for one in recipients] == ["greylisted", "mailbox-unknown", ""]
    assert document["cause"] == "mailbox-unknown"


def test_all_causes_are_told_those_of_who_waits_first(sending: Sending) -> None:
    mail = sending.queue("gone@b.c", "late@b.c", "ok@b.c", "away@b.c")
    says(sending, late=(451, LATE), gone=(550, GONE), away=(550, GONE))
    sending.run()
    found = [(one.cause, addresses) for one, addresses in causes_of(*sending.store.outbox.get(mail.id))]
    assert found == [("greylisted", ["late@b.c"]), ("mailbox-unknown", ["gone@b.c", "away@b.c"])]
    sending.server.down = Unreachable("smtp.example:25", "connect", "Connection refused")
    sending.passed(HOUR)
    found = [(one.cause, addresses) for one, addresses in causes_of(*sending.store.outbox.get(mail.id))]
    assert found[0] == ("connection-refused", [])


def test_a_mail_is_found_by_the_cause_of_each_who_did_not_get_it(sending: Sending) -> None:
    mail = sending.queue("late@b.c", "gone@b.c", "full@b.c", "ok@b.c")
    says(sending, late=(451, LATE), gone=(550, GONE), full=(452, "4.2.2 Mailbox full"))
    sending.run()

    def found(cause: str) -> list[str]:
        return [one.id for one in sending.store.outbox.newest(Choice(cause=cause))]

    assert found("greylisted") == found("mailbox-unknown") == found("mailbox-full") == [mail.id]
    assert found("spam") == []
    says(sending)
    sending.passed(HOUR)
    assert found("greylisted") == found("mailbox-full") == []
    assert found("mailbox-unknown") == [mail.id]


def test_a_mail_of_former_versions_has_the_cause_of_who_failed(sending: Sending) -> None:
    mail = sending.queue("late@b.c", "gone@b.c")
    says(sending, late=(451, LATE), gone=(550, GONE))
    sending.run()
    entry, attempts = sending.store.outbox.get(mail.id)
    found = diagnosed(replace(entry, cause=""), attempts)
    assert found is not None
    assert found.cause == "mailbox-unknown"


def test_who_failed_and_is_tried_again_by_a_person_counts_by_what_is_said_then(sending: Sending) -> None:
    mail = sending.queue("gone@b.c", "ok@b.c")
    says(sending, gone=(550, GONE))
    sending.run()
    sending.store.outbox.retry(mail.id, sending.clock.now())
    says(sending, gone=(451, LATE))
    sending.passed(1.0)
    assert sending.store.outbox.get(mail.id)[0].cause == "greylisted"
