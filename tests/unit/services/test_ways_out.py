"""Which way the mails of services and of rules take, in whose name, and what no way takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emaild.message import Interaction, InteractionState
from emaild.services.faults import FaultKind
from emaild.settings.routes import COMMAND_LINE, Caller
from emaild.settings.way_out import WayOutSection
from emaild.store import Store
from emaild.store.writes import Change, Writes
from tests.clock import START, ManualClock
from tests.conf_files import ConfFiles
from tests.ruling import ACK, Ruling
from tests.said import Said
from tests.understanding import letter
from tests.unit.services.bureau import Bureau

PLAIN = WayOutSection(name="smtp-client", server="smtp.example")
VIP = WayOutSection(name="smtp-client-vip", server="smtp.example", queues=("VIP", "the board"))
SMALL = 200_000
BIG = b"\0" * (3 * SMALL)


@pytest.fixture
def bureau(store: Store) -> Bureau:
    return Bureau(store, ways_out=(PLAIN, VIP))


@pytest.fixture
def ruling(store: Store, conf: ConfFiles, clock: ManualClock) -> Ruling:
    return Ruling(store, conf, clock)


def by(bureau: Bureau, **caller: Any) -> Bureau:
    """The same office as that caller finds it."""
    bureau.office = replace(bureau.office, caller=Caller(**caller))
    return bureau


def lies_in(bureau: Bureau, queue: str, entry: Interaction | None = None) -> Interaction:
    """A mail, moved to that queue by a program."""
    entry = entry or bureau.comes()
    bureau.store.writing.commit(Writes(changes=(Change(id=entry.id, queue=queue),)), START)
    return bureau.store.interactions.get(entry.id)


def way_of(bureau: Bureau, result: dict[str, Any]) -> str:
    return bureau.store.outbox.get(result["outbox_id"])[0].way_out


# Queues


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("Acknowledge", {"Text": "Hi"}),
        ("AutoResponse", {"Text": "Hi"}),
        ("Forward", {"To": "x@lab.example"}),
        ("RedirectEmail", {"To": "x@lab.example"}),
        ("CreateEmailOut", {"To": "x@lab.example", "Text": "Hi"}),
        ("CreateNotification", {"To": "x@lab.example", "Text": "Hi"}),
    ],
)
def test_what_answers_a_mail_of_a_queue_goes_the_way_of_the_queue(
    bureau: Bureau, method: str, given: dict[str, str]
) -> None:
    assert way_of(bureau, bureau.call(method, lies_in(bureau, "vip"), **given)) == "smtp-client-vip"
    assert way_of(bureau, bureau.call(method, lies_in(bureau, "other"), **given)) == "smtp-client"


def test_a_draft_goes_the_way_of_the_queue_that_it_lies_in(bureau: Bureau) -> None:
    draft = bureau.call("CreateEmailOut", To="x@y.example", Text="Hi", From="desk@shop.example", Queue="the board")
    assert way_of(bureau, bureau.call("Send", bureau.made(draft))) == "smtp-client-vip"


def test_a_reviewed_answer_goes_the_way_of_the_queue_of_the_question(bureau: Bureau) -> None:
    given = {"To": "x@y.example", "Text": "Hi", "Queue": "review"}
    draft = bureau.call("CreateEmailOut", lies_in(bureau, "vip"), **given)
    assert way_of(bureau, bureau.call("Send", bureau.made(draft))) == "smtp-client-vip"


def test_the_queue_that_a_draft_lies_in_counts_more_than_that_of_the_question(store: Store) -> None:
    review = WayOutSection(name="smtp-client-review", server="smtp.example", queues=("review",))
    bureau = Bureau(store, ways_out=(PLAIN, VIP, review))
    given = {"To": "x@y.example", "Text": "Hi", "Queue": "review"}
    draft = bureau.call("CreateEmailOut", lies_in(bureau, "vip"), **given)
    assert way_of(bureau, bureau.call("Send", bureau.made(draft))) == "smtp-client-review"


def test_a_rule_answers_by_the_way_of_the_queue_in_which_it_finds_the_mail(ruling: Ruling) -> None:
    ways = "[smtp-client-in]\nserver = a\nqueues = inbound\n[smtp-client-done]\nserver = b\nqueues = done\n"
    ruling.rules(ways, ACK, "then-queue = done\n")
    assert ruling.take(letter()).queue == "done"
    (name,) = ruling.outbox()
    assert ruling.store.outbox.get(name)[0].way_out == "smtp-client-in"


# Callers, and who waits


def test_a_rule_is_a_caller_and_nobody_waits_for_its_mail(ruling: Ruling) -> None:
    usual = "interactive-way-out = smtp-client-people\nbatch-way-out = smtp-client-batch\n"
    ways = "[smtp-client-people]\nserver = a\n[smtp-client-batch]\nserver = b\n"
    ruling.rules(ways, ACK, "if-subject = plain\n", processing=usual)
    ruling.take(letter("plain"))
    own = "[smtp-client-own]\nserver = c\ncallers = Rule-Ack\n"
    ruling.rules(ways, own, ACK, processing=usual)
    ruling.take(letter("own"))
    there = [ruling.store.outbox.get(name)[0] for name in ruling.outbox()]
    assert {(one.way_out, one.interactive) for one in there} == {
        ("smtp-client-batch", False),
        ("smtp-client-own", False),
    }


def test_dynamics_1_a_service_goes_the_way_of_who_waits_or_of_who_does_not(store: Store) -> None:
    people = WayOutSection(name="smtp-client-people", server="smtp.example")
    bureau = Bureau(store, ways_out=(PLAIN, people), interactive_way_out="smtp-client-people")
    waits = by(bureau, interactive=True).call("Acknowledge", bureau.comes(), Text="Hi")
    nobody = by(bureau, interactive=False).call("Acknowledge", bureau.comes(), Text="Hi")
    found = [store.outbox.get(one["outbox_id"])[0] for one in (waits, nobody)]
    assert [(one.way_out, one.interactive) for one in found] == [
        ("smtp-client-people", True),
        ("smtp-client", False),
    ]


def test_the_command_line_is_a_caller(store: Store) -> None:
    own = WayOutSection(name="smtp-client-own", server="smtp.example", callers=("command-line",))
    bureau = by(Bureau(store, ways_out=(PLAIN, own)), name=COMMAND_LINE)
    assert way_of(bureau, bureau.call("Acknowledge", bureau.comes(), Text="Hi")) == "smtp-client-own"


def test_a_way_that_rests_is_taken_and_its_mails_wait(store: Store) -> None:
    resting = replace(VIP, enable_client=False)
    bureau = Bureau(store, ways_out=(PLAIN, resting))
    result = bureau.call("Acknowledge", lies_in(bureau, "vip"), Text="Hi")
    assert way_of(bureau, result) == "smtp-client-vip"


# In whose name


def test_dynamics_10_an_override_wins_and_answers_still_come_to_the_desk(store: Store) -> None:
    way = replace(PLAIN, sender_override="Büro <office@corp.example>")
    bureau = Bureau(store, ways_out=(way,))
    question = bureau.comes()
    result = bureau.call("CreateEmailOut", question, To="ann@example.com", Text="Hi", From="Desk <desk@shop.example>")
    mail = bureau.mail(result)
    assert (mail["From"], mail["Reply-To"]) == ("Büro <office@corp.example>", "Desk <desk@shop.example>")
    assert mail["In-Reply-To"] == question.facts.message_id
    kept = bureau.made(result)
    assert (kept.facts.sender, kept.thread_id) == ("desk@shop.example", question.thread_id)
    answer = bureau.comes("Re", sender="ann@example.com", in_reply_to=str(mail["Message-ID"]))
    assert answer.thread_id == question.thread_id


def test_the_override_of_a_caller_counts_more_than_that_of_the_way(store: Store) -> None:
    bureau = Bureau(store, ways_out=(replace(PLAIN, sender_override="way@corp.example"),))
    by(bureau, sender_override="crm@corp.example")
    assert bureau.mail(bureau.call("Acknowledge", bureau.comes(), Text="Hi"))["From"] == "crm@corp.example"


def test_the_override_of_a_caller_chooses_the_way(store: Store) -> None:
    own = WayOutSection(name="smtp-client-corp", server="smtp.example", senders=("@corp.example",))
    bureau = by(Bureau(store, ways_out=(PLAIN, own)), sender_override="CRM <crm@Corp.example>")
    assert way_of(bureau, bureau.call("Acknowledge", bureau.comes(), Text="Hi")) == "smtp-client-corp"


def test_a_draft_gets_the_override_when_it_is_sent(store: Store) -> None:
    bureau = Bureau(store, ways_out=(replace(PLAIN, sender_override="office@corp.example"),))
    draft = bureau.call("CreateEmailOut", bureau.comes(), To="x@y.example", Text="Hi", Queue="drafts")
    assert bureau.mail(draft)["From"] == "support@shop.example"
    sent = bureau.call("Send", bureau.made(draft), Mdn="true")
    assert bureau.mail(sent)["From"] == "office@corp.example"
    assert bureau.mail(sent)["Disposition-Notification-To"] == "<support@shop.example>"
    assert bureau.store.outbox.get(sent["outbox_id"])[0].sender == "office@corp.example"


@pytest.mark.parametrize("sender", ["nobody", "a@x.example, b@x.example"])
def test_dynamics_10_a_response_whose_own_sender_is_none_is_not_sent(store: Store, tmp_path: Path, sender: str) -> None:
    folder = response(tmp_path, sender)
    bureau = Bureau(store, templates=folder)
    fault = bureau.fault("Acknowledge", bureau.comes(), SrlId="thanks")
    assert fault.kind is FaultKind.RESPONSE_WRONG
    assert "from: " in str(fault)


def response(folder: Path, sender: str) -> Path:
    """Templates with a response that names its sender."""
    own = folder / "responses" / "thanks"
    own.mkdir(parents=True)
    (own / "response.conf").write_text(f"[response]\nsubject = Thanks\nfrom = {sender}\n", encoding="utf-8")
    (own / "body.txt").write_text("Thank you", encoding="utf-8")
    return folder


def test_dynamics_10_a_response_is_from_its_own_sender_unless_an_override_wins(store: Store, tmp_path: Path) -> None:
    folder = response(tmp_path, "Sales <sales@shop.example>")
    bureau = Bureau(store, templates=folder)
    mail = bureau.mail(bureau.call("Acknowledge", bureau.comes(), SrlId="thanks"))
    assert (mail["From"], mail["Reply-To"]) == ("Sales <sales@shop.example>", None)
    by(bureau, sender_override="crm@corp.example")
    mail = bureau.mail(bureau.call("Acknowledge", bureau.comes(), SrlId="thanks"))
    assert (mail["From"], mail["Reply-To"]) == ("crm@corp.example", "Sales <sales@shop.example>")


# What no way takes


@pytest.mark.parametrize("limit", ["maximum_message_size", "maximum_attachment_size"])
@pytest.mark.parametrize("queue", ["send", "drafts"])
def test_dynamics_2_a_service_does_not_make_what_is_too_big(
    store: Store, tmp_path: Path, limit: str, queue: str
) -> None:
    (response(tmp_path, "a@shop.example") / "responses/thanks/attachments").mkdir()
    (tmp_path / "responses/thanks/attachments/plan.bin").write_bytes(BIG)
    limited: dict[str, Any] = {limit: SMALL}
    bureau = Bureau(store, templates=tmp_path, ways_out=(WayOutSection(name="smtp-client", server="a", **limited),))
    fault = bureau.fault("Acknowledge", bureau.comes(), SrlId="thanks", Queue=queue)
    assert fault.kind is FaultKind.TOO_BIG
    assert f"[smtp-client] {limit.replace('_', '-')} is 195.3 KiB (200000 bytes)" in str(fault)


def test_dynamics_2_a_draft_that_is_too_big_for_the_way_of_the_moment_stays_in_its_queue(store: Store) -> None:
    given = {"To": "x@y.example", "Text": "word " * SMALL, "Queue": "drafts"}
    draft = Bureau(store).call("CreateEmailOut", Bureau(store).comes(), **given)
    bureau = Bureau(store, ways_out=(replace(PLAIN, maximum_message_size=SMALL),))
    assert bureau.kind("Send", bureau.made(draft)) is FaultKind.TOO_BIG
    assert bureau.made(draft).state is InteractionState.NEW


def test_dynamics_2_a_rule_whose_mail_is_too_big_leaves_the_mail_to_programs(ruling: Ruling, said: Said) -> None:
    ruling.rules("[smtp-client-in]\nserver = a\nqueues = inbound\nmaximum-message-size = 1 KiB\n", ACK)
    ruling.settings = replace(
        ruling.settings,
        rules={"rule-ack": replace(ruling.settings.rules["rule-ack"], parameters={"Text": "word " * 1000})},
    )
    entry = ruling.take(letter())
    assert (entry.state, entry.queue) == (InteractionState.NEW, "inbound")
    assert ruling.outbox() == []
    assert [one.id for one in ruling.given] == [entry.id]
    assert "maximum-message-size is" in said.one("rule.failed")["reason"]


@pytest.mark.parametrize("address", ["ann@localhost", "ann@contoso"])
def test_dynamics_12_office_365_gets_no_recipient_whose_domain_has_no_dot(store: Store, address: str) -> None:
    office_365 = replace(PLAIN, server="SMTP.office365.com")
    bureau = Bureau(store, ways_out=(office_365,))
    given = {"To": "x@y.example", "Cc": address, "Text": "Hi"}
    fault = bureau.fault("CreateEmailOut", bureau.comes(), **given)
    assert fault.kind is FaultKind.WRONG_ADDRESS
    assert str(fault) == (
        f"{address} has a domain without a dot, which Office 365 does not take; expected one as example.com, or"
        " another way out than [smtp-client]"
    )
    elsewhere = Bureau(store, ways_out=(PLAIN,))
    assert elsewhere.recipients(elsewhere.call("CreateEmailOut", elsewhere.comes(), **given))[1:] == [address]


def test_dynamics_12_the_copy_for_the_archive_counts_too(store: Store) -> None:
    office_365 = replace(PLAIN, server="smtp.office365.com")
    bureau = Bureau(store, ways_out=(office_365,), bcc_address=("archive@intern",))
    assert bureau.kind("Acknowledge", bureau.comes(), Text="Hi") is FaultKind.WRONG_ADDRESS
