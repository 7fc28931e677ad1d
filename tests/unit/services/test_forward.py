"""Forward and Redirect, and ReplyFromExtResource that brings the answer back."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from emaild.message import Interaction, InteractionState, token
from emaild.services.faults import FaultKind
from emaild.store import Store
from tests.clock import START
from tests.unit.services.bureau import Bureau, body

EXPERT = "expert@lab.example"
FILES = """--b
Content-Type: text/plain

What is this?
--b
Content-Type: image/png; name="p.png"
Content-Disposition: attachment; filename="p.png"
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--b--
""".replace("\n", "\r\n")


@pytest.fixture
def bureau(store: Store) -> Bureau:
    return Bureau(store, ext_resource_incoming_address="experts@shop.example")


def comes_with_files(bureau: Bureau, **fields: str) -> Interaction:
    fields = {"text": FILES, "mime_version": "1.0", "content_type": "multipart/mixed; boundary=b"} | fields
    return bureau.comes("Lamp", **fields)


def test_a_forward_has_the_mail_below_its_files_and_our_mark(bureau: Bureau) -> None:
    question = comes_with_files(bureau)
    result = bureau.call("Forward", question, To=EXPERT, Text="Please look.")
    mail = bureau.mail(result)
    assert result["subtype"] == "OutboundForward"
    assert (mail["To"], mail["From"]) == (EXPERT, "support@shop.example")
    assert mail["Subject"] == f"FW: Lamp {token(result['interaction_id'])}"
    assert mail["Reply-To"] == "experts@shop.example"
    assert mail["Auto-Submitted"] is None
    assert body(mail).startswith("Please look.\n\n-----Original Message-----")
    assert "> What is this?" in body(mail)
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content_type(), file.get_content()) == (
        *("p.png", "image/png", b"\x89PNG\r\n\x1a\n"),
    )


def test_a_forward_needs_no_words_but_somebody_to_go_to(bureau: Bureau) -> None:
    question = comes_with_files(bureau)
    assert body(bureau.mail(bureau.call("Forward", question, To=EXPERT))).startswith("-----Original Message-----")
    bare = bureau.mail(bureau.call("Forward", question, To=EXPERT, Text="See there", IncludeOriginalMessage="no"))
    assert body(bare) == "See there"
    assert list(bare.iter_attachments()) == []
    assert bureau.kind("Forward", question) is FaultKind.NO_RECIPIENT


def test_the_mark_is_found_however_long_the_subject_is(bureau: Bureau) -> None:
    older = token("0" * 16)
    question = bureau.comes(f"{'Very long ' * 200}{older}")
    result = bureau.call("Forward", question, To=EXPERT)
    subject = str(bureau.mail(result)["Subject"])
    assert len(subject) <= 255
    answer = bureau.comes(f"AW: {subject}", sender=EXPERT)
    assert (answer.subtype, answer.parent_id) == ("InboundExternalReply", result["interaction_id"])
    short = bureau.mail(bureau.call("Forward", bureau.comes(f"Hi {older}"), To=EXPERT))
    assert older not in str(short["Subject"])


def test_a_caller_may_have_the_answers_come_elsewhere(bureau: Bureau) -> None:
    mail = bureau.mail(bureau.call("Forward", bureau.comes(), To=EXPERT, Headers__Reply_To="other@shop.example"))
    assert mail.get_all("Reply-To") == ["other@shop.example"]


# Redirect


def test_a_redirected_mail_is_as_it_was(bureau: Bureau) -> None:
    question = comes_with_files(bureau, sender='"Lee, Ann" <ann@example.com>', received="by mx", dkim_signature="v=1")
    result = bureau.call("Redirect", question, To=EXPERT, Cc="c@lab.example")
    mail = bureau.mail(result)
    assert result["subtype"] == "OutboundRedirect"
    assert (mail["To"], mail["Cc"], mail["From"]) == (EXPERT, "c@lab.example", "support@shop.example")
    assert mail["Reply-To"] == '"Lee, Ann" <ann@example.com>'
    assert mail["Subject"] == "Lamp"
    assert (mail["Received"], mail["DKIM-Signature"]) == (None, None)
    assert b"\r\nContent-Type: multipart/mixed; boundary=b\r\n" in bureau.raw(result)
    assert mail["Message-ID"] != question.facts.message_id
    original = bureau.store.interactions.raw(question)
    assert bureau.raw(result).partition(b"\r\n\r\n")[2] == original.partition(b"\r\n\r\n")[2]


def test_answers_to_a_redirected_mail_go_where_the_customer_wants_them(bureau: Bureau) -> None:
    mail = bureau.mail(bureau.call("Redirect", bureau.comes(reply_to="desk@customer.example"), To=EXPERT))
    assert mail["Reply-To"] == "desk@customer.example"
    subject = bureau.mail(bureau.call("Redirect", bureau.comes(), To=EXPERT, Subject="Of <$Contact.FirstName$>"))
    assert subject["Subject"] == "Of Ann"


def test_a_mail_that_was_not_taken_whole_is_not_redirected(bureau: Bureau) -> None:
    deep = "".join(f"--b{n}\r\nContent-Type: multipart/mixed; boundary=b{n + 1}\r\n\r\n" for n in range(300))
    question = bureau.comes(text=deep, mime_version="1.0", content_type="multipart/mixed; boundary=b0")
    assert question.facts.wrapped
    assert bureau.kind("Redirect", question, To=EXPERT) is FaultKind.WRONG_INTERACTION
    (file,) = bureau.mail(bureau.call("Forward", question, To=EXPERT)).iter_attachments()
    assert str(file.get_filename()).endswith(".eml")


# The external resource's answer


def answered(bureau: Bureau, question: Interaction, *, by: str = EXPERT, **fields: str) -> Interaction:
    """What comes back of a forward of that mail."""
    forward = bureau.call("Forward", question, To=EXPERT)
    fields = {
        "subject": f"Re: {bureau.mail(forward)['Subject']}",
        "text": f"It is a <lamp>. {token(forward['interaction_id'])}\r\n\r\n> What is this?",
        "in_reply_to": forward["message_id"],
    } | fields
    return bureau.comes(fields.pop("subject"), sender=by, **fields)


def test_an_external_resources_answer_goes_on_to_the_customer(bureau: Bureau) -> None:
    question = bureau.comes("Lamp", message_id="<q@x>", sender="Ann Lee <ann@example.com>")
    answer = answered(bureau, question)
    result = bureau.call("ReplyFromExtResource", answer, SrlId="external-reply")
    mail = bureau.mail(result)
    assert result["subtype"] == "OutboundReply"
    assert (result["parent_id"], result["thread_id"]) == (question.id, question.thread_id)
    assert (mail["To"], mail["From"]) == ("Ann Lee <ann@example.com>", "support@shop.example")
    assert mail["Subject"] == "RE: Lamp"
    assert (mail["In-Reply-To"], mail["References"]) == ("<q@x>", "<q@x>")
    assert body(mail).startswith("Dear Ann,\n")
    assert "It is a <lamp>." in body(mail)
    assert "What is this?" not in body(mail)
    assert "<blockquote>It is a &lt;lamp&gt;." in body(mail, "html")
    raw = bureau.raw(result)
    assert b"[#" not in raw
    assert EXPERT.encode() not in raw
    assert b"FW:" not in raw


def test_without_a_response_the_customer_gets_the_answer_alone(bureau: Bureau) -> None:
    answer = answered(bureau, bureau.comes("Lamp"))
    mail = bureau.mail(bureau.call("CreateReplyFromExtResource", answer))
    assert body(mail).strip() == "It is a <lamp>."
    assert mail.get_body(("html",)) is None
    own = bureau.mail(bureau.call("ReplyFromExtResource", answer, Text="We heard: [ExtAgentReply]!"))
    assert body(own).startswith("We heard: It is a <lamp>.")


def test_an_answer_in_html_goes_on_made_safe(bureau: Bureau) -> None:
    page = '<p onclick="x()">It is <b>new</b><script>alert(1)</script></p>'
    answer = answered(bureau, bureau.comes("Lamp"), text=page, content_type="text/html", mime_version="1.0")
    mail = bureau.mail(bureau.call("ReplyFromExtResource", answer))
    assert body(mail, "html").strip() == "<p>It is <b>new</b></p>"
    assert "It is new" in body(mail)


def test_the_answers_files_go_along(bureau: Bureau) -> None:
    fields = {"text": FILES, "mime_version": "1.0", "content_type": "multipart/mixed; boundary=b"}
    mail = bureau.mail(bureau.call("ReplyFromExtResource", answered(bureau, bureau.comes("Lamp"), **fields)))
    assert [file.get_filename() for file in mail.iter_attachments()] == ["p.png"]


def test_the_customers_mail_is_closed_where_that_is_asked_for(store: Store) -> None:
    bureau = Bureau(store, enable_stop_initial_emailin_after_extreply=True)
    question = bureau.comes("Lamp")
    answer = answered(bureau, question)
    bureau.call("ReplyFromExtResource", answer)
    assert store.interactions.get(question.id).state is InteractionState.STOPPED
    checked = bureau.comes("Cable")
    lying = bureau.call("ReplyFromExtResource", answered(bureau, checked), Queue="to check")
    assert store.interactions.get(checked.id).state is InteractionState.NEW
    bureau.call("Send", InteractionId=lying["interaction_id"])
    assert store.interactions.get(checked.id).state is InteractionState.STOPPED
    open_still = Bureau(store).comes("Another")
    Bureau(store).call("ReplyFromExtResource", answered(Bureau(store), open_still))
    assert store.interactions.get(open_still.id).state is InteractionState.NEW


def test_only_an_answer_to_a_forward_goes_on(bureau: Bureau) -> None:
    question = bureau.comes()
    assert bureau.kind("ReplyFromExtResource", question) is FaultKind.NOT_FROM_EXT_RESOURCE
    acknowledged = bureau.call("Acknowledge", question, Text="Hi")
    thanks = bureau.comes(in_reply_to=acknowledged["message_id"])
    assert bureau.kind("ReplyFromExtResource", thanks) is FaultKind.NOT_FROM_EXT_RESOURCE


def test_an_absence_notice_is_not_passed_on(bureau: Bureau) -> None:
    answer = answered(bureau, bureau.comes(), auto_submitted="auto-replied")
    assert bureau.kind("ReplyFromExtResource", answer) is FaultKind.AUTOMATIC_MAIL


def test_a_customers_mail_that_is_gone_is_a_fault(bureau: Bureau) -> None:
    question = bureau.comes(at=START - timedelta(seconds=1))
    answer = answered(bureau, question)
    assert bureau.store.interactions.prune(START, 1) == 1
    assert bureau.kind("ReplyFromExtResource", answer) is FaultKind.PARENT_GONE


def test_our_mark_is_sixteen_digits_and_capitals(bureau: Bureau) -> None:
    subject = str(bureau.mail(bureau.call("Forward", bureau.comes(), To=EXPERT))["Subject"])
    assert re.search(r"\[#[0-9A-Z]{16}\]$", subject)
