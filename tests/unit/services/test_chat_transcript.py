"""ChatTranscript: to whom, with which subject, and what is not sent."""

from __future__ import annotations

import pytest

from emaild.services.faults import FaultKind
from emaild.settings.processing import Css
from emaild.store import Store
from tests.said import Said
from tests.unit.render.transcript.chats import chat, items, joins, says
from tests.unit.services.bureau import Bureau, body

CLIENT = items(FirstName="Ann", LastName="Lee", EmailAddress="ann@example.com", Subject="My lamp")
CHAT = chat(joins("Ann", more=CLIENT), says("Is <b>this</b> broken? <$Contact.LastName$>", shift=5))
TEXT = "Dear <$Contact.FirstName$>\n<Genesys_Chat_Transcript><Timestamp>{}</Timestamp></Genesys_Chat_Transcript>"


@pytest.fixture
def bureau(store: Store) -> Bureau:
    return Bureau(store, default_from_address="desk@shop.example")


def test_a_transcript_goes_to_the_one_who_chatted(bureau: Bureau) -> None:
    result = bureau.call("ChatTranscript", Chat=CHAT, SrlId="chat-transcript", UseSubjectFromSrl="false")
    mail = bureau.mail(result)
    assert (result["subtype"], result["parent_id"]) == ("OutboundNew", None)
    assert (mail["To"], mail["Subject"], mail["From"]) == ("ann@example.com", "My lamp", "desk@shop.example")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert body(mail).startswith("Dear Ann,")
    assert "Is <b>this</b> broken? <$Contact.LastName$>" in body(mail)
    assert "Is &lt;b&gt;this&lt;/b&gt; broken? &lt;$Contact.LastName$&gt;" in body(mail, "html")
    named = bureau.mail(bureau.call("ChatTranscript", Chat=CHAT, SrlId="chat-transcript", To="bob@x.example"))
    assert (named["To"], named["Subject"]) == ("bob@x.example", "Your chat with us")


def test_a_transcript_may_belong_to_an_interaction(bureau: Bureau) -> None:
    question = bureau.comes("Lamp")
    silent = chat(joins("Ann", more=items(EmailAddress="ann@example.com")))
    result = bureau.call("ChatTranscript", question, Chat=silent, Text="See")
    assert (result["subtype"], result["parent_id"]) == ("OutboundReply", question.id)
    assert bureau.mail(result)["Subject"] == "Lamp"


def test_a_transcript_with_the_style_that_is_asked_for(store: Store) -> None:
    given = {"Chat": CHAT, "Html": "<p>Hi</p>"}
    pages = {}
    for css, dark in ((Css.OWN, False), (Css.STYLE, False), (Css.STYLE, True), (Css.INLINE, False)):
        bureau = Bureau(store, transcript_css=css, transcript_dark_theme=dark, default_from_address="d@shop.example")
        pages[css, dark] = body(bureau.mail(bureau.call("ChatTranscript", **given)), "html")
    assert "<style" not in pages[Css.OWN, False]
    assert "<style" in pages[Css.STYLE, False]
    assert "style=" not in pages[Css.STYLE, False].partition("</style>")[2]
    assert "style=" in pages[Css.INLINE, False]
    assert pages[Css.STYLE, True] != pages[Css.STYLE, False]


def test_a_transcript_that_cannot_be_read_is_not_sent(bureau: Bureau, said: Said) -> None:
    question = bureau.comes()
    fault = bureau.fault("ChatTranscript", question, Chat="<chatTranscript>", SrlId="chat-transcript")
    assert (fault.kind, fault.parameter) == (FaultKind.TRANSCRIPT_UNREADABLE, "Chat")
    event = said.one("transcript.unreadable")
    assert (event["code"], event["interaction"], event["response"]) == (30002, question.id, "chat-transcript")


def test_a_wrong_timestamp_is_told_of_once_it_is_sent(bureau: Bureau, said: Said) -> None:
    result = bureau.call("ChatTranscript", Chat=CHAT, Text=TEXT.format("bogus"))
    event = said.one("transcript.bad_timestamp")
    assert (event["code"], event["pattern"], event["interaction"]) == (30001, "bogus", result["interaction_id"])
    bureau.fault("ChatTranscript", Chat=CHAT, Text=TEXT.format("bogus"), Queue="a\nb")
    assert len(said.all("transcript.bad_timestamp")) == 1


@pytest.mark.parametrize("address", ["", "nobody", "ann@example.com\r\nBcc: x@y.example"])
def test_a_client_without_an_address_that_can_be_written_to(bureau: Bureau, address: str) -> None:
    given = chat(joins("Ann", more=items(EmailAddress=address)))
    kind = bureau.kind("ChatTranscript", Chat=given, Text="See")
    assert kind in (FaultKind.NO_RECIPIENT, FaultKind.WRONG_ADDRESS)


def test_a_transcript_needs_its_chat(bureau: Bureau) -> None:
    fault = bureau.fault("ChatTranscript", Text="See")
    assert (fault.kind, fault.parameter) == (FaultKind.WRONG_PARAMETER, "Chat")
