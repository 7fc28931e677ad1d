"""Acknowledge and AutoResponse: who is answered, how the answer looks, and who is never answered."""

from __future__ import annotations

from datetime import timedelta
from email.utils import getaddresses

import pytest

from emaild.message import InteractionState
from emaild.services.faults import FaultKind
from emaild.settings.properties import SessionProperties
from emaild.store import Store
from emaild.store.writes import Change, Writes
from tests.clock import START
from tests.said import Said
from tests.samples import in_outbox
from tests.unit.services.bureau import LATER, Bureau, body

METHODS = ("Acknowledge", "AutoResponse")


@pytest.fixture
def bureau(store: Store) -> Bureau:
    return Bureau(store)


def addresses(value: object) -> list[str]:
    return [address for _, address in getaddresses([str(value)])]


def test_an_acknowledgement_goes_to_the_one_who_wrote(bureau: Bureau, said: Said) -> None:
    question = bureau.comes("Broken lamp", message_id="<q@x>", references="<a@x> <b@x>")
    result = bureau.call("Acknowledge", question, SrlId="acknowledgement")
    mail, entry = bureau.mail(result), bureau.made(result)
    assert mail["From"] == "support@shop.example"
    assert mail["To"] == "Ann <ann@example.com>"
    assert mail["Subject"] == "We have your mail: Broken lamp"
    assert mail["In-Reply-To"] == "<q@x>"
    assert mail["References"] == "<a@x> <b@x> <q@x>"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert mail["Message-ID"] == result["message_id"]
    assert str(mail["Message-ID"]).startswith(f"<{result['interaction_id']}.")
    assert str(mail["Message-ID"]).endswith("@shop.example>")
    assert mail["Date"].datetime == LATER
    assert {name.lower() for name in mail} == {
        *("from", "to", "subject", "date", "message-id", "in-reply-to", "references", "auto-submitted"),
        *("x-auto-response-suppress", "mime-version", "content-type"),
    }
    assert body(mail).startswith("Dear Ann,\n")
    assert question.id in body(mail)
    assert f"<b>{question.id}</b>" in body(mail, "html")
    assert result == {
        "method": "Acknowledge",
        "interaction_id": entry.id,
        "outbox_id": entry.id,
        "queue": "send",
        "subtype": "OutboundAcknowledgement",
        "message_id": entry.facts.message_id,
        "thread_id": question.thread_id,
        "parent_id": question.id,
    }
    assert (entry.type, entry.state, entry.mailbox) == ("Outbound", InteractionState.STOPPED, "pop-client")
    assert (entry.facts.subject, entry.facts.to) == ("We have your mail: Broken lamp", ("ann@example.com",))
    assert entry.envelope is not None
    assert entry.envelope.recipients == ("ann@example.com",)
    assert bureau.recipients(result) == ["ann@example.com"]
    done = said.one("service.done")
    assert (done["interaction"], done["created"], done["outbound"]) == (question.id, entry.id, entry.id)


def test_the_subject_is_the_callers_the_responses_or_the_mails(bureau: Bureau) -> None:
    question = bureau.comes("Re: Broken lamp")
    given = {"SrlId": "acknowledgement", "UseSubjectFromSrl": "no"}
    assert bureau.mail(bureau.call("Acknowledge", question, **given))["Subject"] == "RE: Broken lamp"
    given["Subject"] = "Of <$Interaction.Subject$>"
    assert bureau.mail(bureau.call("Acknowledge", question, **given))["Subject"] == "Of Re: Broken lamp"


def test_an_automatic_response_quotes_the_mail(bureau: Bureau) -> None:
    question = bureau.comes(text="Where is it?")
    result = bureau.call("AutoResponse", question, Text="Soon.")
    assert result["subtype"] == "OutboundAutoResponse"
    text = body(bureau.mail(result))
    assert text.startswith("Soon.\n\n-----Original Message-----\nFrom: Ann <ann@example.com>\n")
    assert "> Where is it?" in text
    assert bureau.mail(result).get_body(("html",)) is None
    plain = bureau.call("AutoResponse", question, Text="Soon.", IncludeOriginalMessage="false")
    assert body(bureau.mail(plain)) == "Soon."
    both = bureau.mail(bureau.call("AutoResponse", question, Html="<html><body><p>Soon.</p></body></html>"))
    assert body(both).startswith("Soon.\n\n-----Original Message-----")
    page = body(both, "html")
    assert page.index("<p>Soon.</p>") < page.index("Where is it?") < page.index("</body>")


def test_an_answer_goes_where_reply_to_says_unless_to_does(bureau: Bureau) -> None:
    question = bureau.comes(reply_to="desk@customer.example")
    assert bureau.mail(bureau.call("Acknowledge", question, Text="Hi"))["To"] == "desk@customer.example"
    elsewhere = bureau.call("Acknowledge", question, Text="Hi", To='"Lee, Bob" <bob@x.example>', Cc="c@x.example")
    assert bureau.mail(elsewhere)["To"] == '"Lee, Bob" <bob@x.example>'
    assert bureau.mail(elsewhere)["Cc"] == "c@x.example"


def test_a_response_to_all_leaves_us_out_and_has_nobody_twice(store: Store) -> None:
    others = "Support@Shop.example, shop@other.example, bob@x.example, ann@example.com"
    bureau = Bureau(store, box={"session": SessionProperties(alternates=("shop@other.example",))})
    question = bureau.comes(to=others, cc="cee@x.example, bob@x.example")
    mail = bureau.mail(bureau.call("AutoResponse", question, Text="Hi", ReplyToAll="true"))
    assert addresses(mail["To"]) == ["ann@example.com", "bob@x.example"]
    assert addresses(mail["Cc"]) == ["cee@x.example"]


def test_replyallcc_puts_the_others_into_cc(store: Store) -> None:
    bureau = Bureau(store, box={"session": SessionProperties(replyallcc=True)})
    question = bureau.comes(to="support@shop.example, bob@x.example", cc="cee@x.example")
    mail = bureau.mail(bureau.call("AutoResponse", question, Text="Hi", ReplyToAll="true"))
    assert addresses(mail["To"]) == ["ann@example.com"]
    assert addresses(mail["Cc"]) == ["bob@x.example", "cee@x.example"]


def test_excluded_addresses_and_domains_get_nothing(bureau: Bureau) -> None:
    question = bureau.comes()
    given = {"Text": "Hi", "Cc": "a@one.example, b@two.example", "Bcc": "c@one.example"}
    result = bureau.call("Acknowledge", question, **given, ExcludeEmailAddresses="@ONE.example")
    assert bureau.recipients(result) == ["ann@example.com", "b@two.example"]
    nobody = bureau.fault("Acknowledge", question, Text="Hi", ExcludeEmailAddresses="Ann@example.com")
    assert nobody.kind is FaultKind.NO_RECIPIENT


def test_bcc_is_in_the_envelope_alone(store: Store) -> None:
    bureau = Bureau(store, bcc_address=("archive@shop.example", "ANN@example.com"))
    result = bureau.call("Acknowledge", bureau.comes(), Text="Hi", Bcc="secret@x.example")
    assert bureau.recipients(result) == ["ann@example.com", "secret@x.example", "archive@shop.example"]
    assert b"secret@" not in bureau.raw(result)
    assert b"archive@" not in bureau.raw(result)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "fields",
    [
        {"auto_submitted": "auto-replied"},
        {"precedence": "bulk"},
        {"return_path": "<>"},
        {"sender": "MAILER-DAEMON@mx.example"},
        {"sender": "Us <support@shop.example>"},
    ],
)
def test_automatic_mail_is_answered_by_nobody(bureau: Bureau, method: str, fields: dict[str, str]) -> None:
    assert bureau.kind(method, bureau.comes(**fields), Text="Hi") is FaultKind.AUTOMATIC_MAIL


def test_a_persons_mail_that_a_program_stopped_is_answered(bureau: Bureau) -> None:
    question = bureau.comes()
    bureau.store.writing.commit(Writes(changes=(Change(id=question.id, state=InteractionState.STOPPED),)), START)
    assert bureau.call("Acknowledge", question, Text="Hi")["outbox_id"]


def test_an_answer_never_goes_to_a_mailbox_of_ours(store: Store) -> None:
    bureau = Bureau(store, enable_mail_loops=True)
    question = bureau.comes(sender="support@shop.example")
    assert bureau.kind("Acknowledge", question, Text="Hi") is FaultKind.NOBODY_TO_ANSWER
    mail = bureau.mail(bureau.call("Acknowledge", bureau.comes(reply_to="Support@shop.EXAMPLE"), Text="Hi"))
    assert mail["To"] == "Ann <ann@example.com>"


def test_one_mail_makes_us_write_to_one_person(bureau: Bureau) -> None:
    """Whoever could name hundreds in Reply-To could have us send his words to them, under our name."""
    many = ", ".join(f"victim{number}@x.example" for number in range(200))
    question = bureau.comes(reply_to=many)
    for service in ("Acknowledge", "AutoResponse"):
        assert addresses(bureau.mail(bureau.call(service, question, Text="Hi"))["To"]) == ["victim0@x.example"]


def test_a_mail_without_a_sender_is_answered_by_nobody(bureau: Bureau) -> None:
    assert bureau.kind("Acknowledge", bureau.comes(sender=""), Text="Hi") is FaultKind.NOBODY_TO_ANSWER
    fault = bureau.fault("Acknowledge", bureau.comes(sender="jörg@müller.example"), Text="Hi")
    assert str(fault).startswith("'jörg@müller.example' is an address beyond ASCII (RFC 6531)")


def test_addresses_that_nobody_can_write_to_stop_no_answer(bureau: Bureau) -> None:
    question = bureau.comes(to=f"support@shop.example, c@\u2026d.example, {'x' * 600}@y.example, bob@x.example, @")
    mail = bureau.mail(bureau.call("AutoResponse", question, Text="Hi", ReplyToAll="true"))
    assert addresses(mail["To"]) == ["ann@example.com", "bob@x.example"]


def test_a_war_of_answers_ends(store: Store) -> None:
    bureau = Bureau(store, autowar_max_reply_count=2, autowar_scan_all_threads_of_contact=False)
    question = bureau.comes()
    for _ in range(2):
        bureau.call("Acknowledge", question, Text="Hi")
    assert bureau.kind("AutoResponse", question, Text="Hi") is FaultKind.AUTO_REPLY_WAR
    later = bureau.comes("Again", at=LATER + timedelta(minutes=11))
    assert bureau.call("Acknowledge", later, Text="Hi")["outbox_id"]
    peace = Bureau(store, enable_autowar_detect=False, autowar_max_reply_count=1)
    assert peace.call("Acknowledge", question, Text="Hi")["outbox_id"]


def test_a_war_is_seen_over_all_threads_where_that_is_asked_for(store: Store) -> None:
    bureau = Bureau(store, autowar_max_reply_count=1, autowar_scan_all_threads_of_contact=False)
    bureau.call("Acknowledge", bureau.comes(), Text="Hi")
    other = bureau.comes("Another")
    everywhere = Bureau(store, autowar_max_reply_count=1, autowar_scan_all_threads_of_contact=True)
    assert everywhere.kind("Acknowledge", other, Text="Hi") is FaultKind.AUTO_REPLY_WAR
    assert bureau.call("Acknowledge", other, Text="Hi")["outbox_id"]


def test_a_mail_of_ours_is_acknowledged_by_nobody(bureau: Bureau) -> None:
    ours = bureau.made(bureau.call("Acknowledge", bureau.comes(), Text="Hi", Queue="drafts"))
    assert bureau.kind("Acknowledge", ours, Text="Hi") is FaultKind.WRONG_INTERACTION


def test_a_queue_keeps_the_mail_until_it_is_sent(bureau: Bureau) -> None:
    result = bureau.call("Acknowledge", bureau.comes(), Text="Hi", OutputQueue="to check")
    entry = bureau.made(result)
    assert (result["queue"], result["outbox_id"]) == ("to check", None)
    assert (entry.state, entry.queue) == (InteractionState.NEW, "to check")
    assert in_outbox(bureau.store) == []
    assert bureau.mail(result)["To"] == "Ann <ann@example.com>"
    assert bureau.call("Acknowledge", bureau.comes(), Text="Hi", Queue="SEND")["queue"] == "send"
    assert bureau.kind("Acknowledge", bureau.comes(), Text="Hi", Queue="a\nb") is FaultKind.WRONG_PARAMETER
    assert bureau.kind("Acknowledge", bureau.comes(), Text="Hi", Queue="q" * 201) is FaultKind.WRONG_PARAMETER


def test_attached_data_go_with_the_new_interaction(bureau: Bureau) -> None:
    given = {"AttachedData__Case": "17", "AttachedData__Where to": "Ulm"}
    result = bureau.call("Acknowledge", bureau.comes(), Text='<$Interaction.AttachedData("Case")$>', **given)
    assert bureau.made(result).user_data == {"Case": "17", "Where to": "Ulm"}
    assert body(bureau.mail(result)) == "17"
