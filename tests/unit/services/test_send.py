"""Send: what waits in a queue goes out, once."""

from __future__ import annotations

from typing import Any

import pytest

from emaild.message import InteractionState, token
from emaild.services.faults import FaultKind
from emaild.settings.way_out import WayOutSection
from emaild.store import Store
from emaild.store.writes import Change, Writes
from tests.clock import START
from tests.said import Said
from tests.samples import leased
from tests.unit.services.bureau import Bureau, read


@pytest.fixture
def bureau(store: Store) -> Bureau:
    return Bureau(store, bcc_address=("archive@shop.example",))


def waiting(bureau: Bureau, method: str = "CreateEmailOut", **given: str) -> dict[str, Any]:
    """A mail in a queue."""
    given = {"To": "bob@x.example", "Text": "Hi", "Queue": "drafts"} | given
    return bureau.call(method, bureau.comes("Lamp"), **given)


def test_a_mail_in_a_queue_goes_out_as_it_was_written(bureau: Bureau, said: Said) -> None:
    draft = waiting(bureau, Bcc="secret@x.example")
    written = bureau.raw(draft)
    sent = bureau.call("Send", bureau.made(draft))
    entry = bureau.made(sent)
    assert (entry.state, entry.queue) == (InteractionState.STOPPED, "send")
    assert sent == {
        "method": "Send",
        "interaction_id": entry.id,
        "outbox_id": entry.id,
        "queue": "send",
        "subtype": "OutboundNew",
        "message_id": draft["message_id"],
        "thread_id": draft["thread_id"],
        "parent_id": draft["parent_id"],
    }
    assert bureau.raw(sent) == written
    assert bureau.recipients(sent) == ["bob@x.example", "secret@x.example", "archive@shop.example"]
    (lease,) = leased(bureau.store, START.replace(year=2027))
    assert lease.mail.notify == ()
    assert bureau.store.known.by_id([entry.id])[entry.id].thread_id == draft["thread_id"]
    assert said.all("service.done")[-1]["outbound"] == entry.id


def test_a_mail_is_sent_once(bureau: Bureau) -> None:
    entry = bureau.made(waiting(bureau))
    bureau.call("SendEmail", entry)
    assert bureau.kind("Send", entry) is FaultKind.ALREADY_SENT
    at_once = bureau.made(bureau.call("CreateEmailOut", To="a@b.example", Text="Hi", From="d@shop.example"))
    assert bureau.kind("Send", at_once) is FaultKind.ALREADY_SENT


def test_a_mail_that_a_program_stopped_is_not_sent(bureau: Bureau) -> None:
    entry = bureau.made(waiting(bureau))
    bureau.store.writing.commit(Writes(changes=(Change(id=entry.id, state=InteractionState.STOPPED),)), START)
    assert bureau.kind("Send", entry) is FaultKind.ALREADY_SENT


def test_only_a_mail_of_ours_is_sent(bureau: Bureau) -> None:
    assert bureau.kind("Send", bureau.comes()) is FaultKind.WRONG_INTERACTION
    assert bureau.kind("Send") is FaultKind.WRONG_PARAMETER
    assert bureau.kind("Send", InteractionId="0" * 16) is FaultKind.INTERACTION_GONE


def test_reports_and_a_read_receipt_are_asked_for(bureau: Bureau) -> None:
    draft = waiting(bureau)
    sent = bureau.call("Send", bureau.made(draft), Dsn="true", Mdn="true")
    assert bureau.mail(sent)["Disposition-Notification-To"] == "<support@shop.example>"
    (lease,) = leased(bureau.store, START.replace(year=2027))
    assert lease.mail.notify == ("SUCCESS", "FAILURE", "DELAY")
    assert read(bureau.raw(draft | {"outbox_id": None}))["Disposition-Notification-To"] is None


def test_another_subject_with_field_codes_of_the_mail_out(bureau: Bureau) -> None:
    sent = bureau.call("Send", bureau.made(waiting(bureau)), Subject="To <$Interaction.ToAddress$>: é")
    assert bureau.mail(sent)["Subject"] == "To bob@x.example: é"
    fault = bureau.fault("Send", bureau.made(waiting(bureau)), Subject="<$Nope$>")
    assert (fault.kind, fault.parameter) == (FaultKind.WRONG_PARAMETER, "Subject")


def test_a_forward_keeps_its_mark(bureau: Bureau) -> None:
    entry = bureau.made(waiting(bureau, "Forward"))
    assert bureau.mail(bureau.call("Send", entry, Subject="Look"))["Subject"] == f"Look {token(entry.id)}"


def test_the_way_out_is_that_of_the_moment(store: Store) -> None:
    draft = waiting(Bureau(store))
    later = Bureau(store, ways_out=(WayOutSection(name="smtp-client-new", server="smtp.example"),))
    sent = later.call("Send", later.made(draft))
    assert store.outbox.get(sent["outbox_id"])[0].way_out == "smtp-client-new"
    other = waiting(Bureau(store))
    none = Bureau(store, ways_out=())
    assert none.kind("Send", none.made(other)) is FaultKind.NO_WAY_OUT
