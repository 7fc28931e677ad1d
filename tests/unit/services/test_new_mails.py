"""CreateNotification and CreateEmailOut."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.services.faults import FaultKind
from emaild.settings.agent import AgentSection
from emaild.store import Store
from tests.unit.services.bureau import Bureau, body


@pytest.fixture
def bureau(store: Store) -> Bureau:
    return Bureau(store, default_from_address="desk@shop.example")


def test_a_notification_tells_somebody_of_an_interaction(bureau: Bureau) -> None:
    question = bureau.comes("Fire", message_id="<q@x>")
    text = "Look at <$Interaction.Id$> of <$Contact.FullName$>"
    result = bureau.call("CreateNotification", question, To="boss@shop.example", Text=text)
    mail = bureau.mail(result)
    assert result["subtype"] == "OutboundNotification"
    assert (result["thread_id"], result["parent_id"]) == (question.thread_id, question.id)
    assert (mail["To"], mail["Subject"], mail["From"]) == ("boss@shop.example", "RE: Fire", "support@shop.example")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] is None
    assert body(mail) == f"Look at {question.id} of Ann"
    assert "> How are you?" not in body(mail)


def test_a_notification_of_another_medium_looks_for_no_interaction(bureau: Bureau) -> None:
    given = {"InteractionId": "00027aDEQEY00U32", "To": "boss@shop.example", "Text": "A call", "Subject": "Call"}
    result = bureau.call("CreateNotification", **given, OpenMedia="true", AttachedData__Medium="voice")
    assert bureau.made(result).user_data == {"Medium": "voice", "ParentInteractionId": "00027aDEQEY00U32"}
    assert result["parent_id"] is None
    assert result["thread_id"] == result["interaction_id"]
    assert bureau.mail(result)["From"] == "desk@shop.example"
    assert bureau.kind("CreateNotification", **given) is FaultKind.INTERACTION_GONE


def test_a_notification_to_ourselves_would_be_told_of_again(bureau: Bureau) -> None:
    given = {"To": "Support@shop.example", "Text": "Hi"}
    assert bureau.kind("CreateNotification", bureau.comes(), **given) is FaultKind.NO_RECIPIENT


@pytest.mark.parametrize("method", ["CreateNotification", "CreateEmailOut"])
def test_a_new_mail_needs_somebody_to_go_to(bureau: Bureau, method: str) -> None:
    assert bureau.kind(method, bureau.comes(), Text="Hi") is FaultKind.NO_RECIPIENT
    fault = bureau.fault(method, To="ann", Text="Hi")
    assert (fault.kind, fault.parameter) == (FaultKind.WRONG_ADDRESS, "To")


@pytest.mark.parametrize("people", ["a@b.example," * 1000, "(" * 9000 + "a@b.example", '"' * 1000, "," * 10_001])
def test_people_beyond_all_bounds(bureau: Bureau, people: str) -> None:
    for name in ("To", "Cc", "Bcc", "From"):
        fault = bureau.fault("CreateEmailOut", **{"To": "a@b.example", "Text": "Hi"} | {name: people})
        assert (fault.kind, fault.parameter) == (FaultKind.WRONG_ADDRESS, name)


def test_a_subject_beyond_all_bounds(bureau: Bureau) -> None:
    fault = bureau.fault("CreateEmailOut", To="a@b.example", Text="Hi", Subject="x" * 501)
    assert (fault.kind, fault.parameter) == (FaultKind.WRONG_PARAMETER, "Subject")


def test_a_new_mail_to_a_customer(bureau: Bureau) -> None:
    given = {"To": "ann@example.com", "Subject": "Grüße", "Text": "Hällo", "Html": "<p>Hällo</p>"}
    result = bureau.call("CreateEmailOut", **given, Headers__X_Case="17", Headers__Reply_To="Desk <d@shop.example>")
    mail, entry = bureau.mail(result), bureau.made(result)
    assert result["subtype"] == "OutboundNew"
    assert (entry.mailbox, entry.parent_id, entry.thread_id) == ("", None, entry.id)
    assert (mail["Subject"], mail["X-Case"], mail["Reply-To"]) == ("Grüße", "17", "Desk <d@shop.example>")
    assert (body(mail), body(mail, "html")) == ("Hällo", "<p>Hällo</p>")
    assert mail["Auto-Submitted"] is None
    assert mail["In-Reply-To"] is None
    assert bureau.comes(in_reply_to=result["message_id"]).thread_id == entry.thread_id


def test_a_new_mail_may_be_no_interaction(bureau: Bureau) -> None:
    result = bureau.call("CreateEmailOut", To="ann@example.com", Text="Hi", CreateNewInteraction="false")
    assert (result["interaction_id"], result["queue"]) == (None, "send")
    assert bureau.mail(result)["To"] == "ann@example.com"
    assert list(bureau.store.interactions.all(type="Outbound")) == []
    assert bureau.comes(in_reply_to=result["message_id"]).thread_id == result["thread_id"]
    kept = {"To": "ann@example.com", "Text": "Hi", "CreateNewInteraction": "false", "Queue": "drafts"}
    fault = bureau.fault("CreateEmailOut", **kept)
    assert (fault.kind, fault.parameter) == (FaultKind.WRONG_PARAMETER, "CreateNewInteraction")


def test_a_new_mail_may_quote_the_one_that_it_is_about(bureau: Bureau) -> None:
    question = bureau.comes(text="<b>Where?</b>")
    given = {"To": "x@y.example", "Html": "<p>See below</p>", "IncludeOriginalMessage": "true"}
    page = body(bureau.mail(bureau.call("CreateEmailOut", question, **given)), "html")
    assert "&lt;b&gt;Where?" in page


# Words and field codes


def test_a_mail_needs_words(bureau: Bureau) -> None:
    fault = bureau.fault("CreateEmailOut", To="ann@example.com", Text=" ")
    assert fault.kind is FaultKind.WRONG_PARAMETER
    assert "SrlId" in str(fault)
    assert "Text or Html" in str(fault)


def test_html_alone_is_written_as_text_too(bureau: Bureau) -> None:
    mail = bureau.mail(bureau.call("CreateEmailOut", To="ann@example.com", Html="<p>One</p><p>Two</p>"))
    assert body(mail) == "One\n\nTwo"


@pytest.mark.parametrize("name", ["../secret", "a/b", "/etc", "..", "none", "a\0b", ".", "x" * 5000])
def test_a_standard_response_that_is_none(bureau: Bureau, name: str) -> None:
    fault = bureau.fault("CreateEmailOut", To="ann@example.com", SrlId=name)
    assert (fault.kind, fault.parameter) == (FaultKind.RESPONSE_WRONG, "SrlId")


@pytest.mark.parametrize("name", ["Text", "Html", "Subject"])
def test_a_wrong_field_code_names_where_it_stands(bureau: Bureau, name: str) -> None:
    given = {"To": "ann@example.com", "Text": "Hi"} | {name: "a\n<$ Contact.Nope $>"}
    fault = bureau.fault("CreateEmailOut", **given)
    assert (fault.kind, fault.parameter) == (FaultKind.WRONG_PARAMETER, name)
    assert str(fault).startswith(f"{name}:")
    assert "Contact.Nope" in str(fault)


def test_an_agent_signs(store: Store) -> None:
    agents = (
        AgentSection(name="bob", first_name="Bob", last_name="Lee", signature="Yours\nBob"),
        AgentSection(name="robot", first_name="Robot"),
    )
    bureau = Bureau(store, agents=agents, autobot_agent_login_name="robot", default_from_address="d@shop.example")
    given = {"To": "ann@example.com", "Text": "<$Agent.FullName$>, <$Agent.Signature$>"}
    assert body(bureau.mail(bureau.call("CreateEmailOut", **given, Agent="BOB"))) == "Bob Lee, Yours\nBob"
    assert body(bureau.mail(bureau.call("CreateEmailOut", **given))) == "Robot, "
    fault = bureau.fault("CreateEmailOut", **given, Agent="nobody")
    assert (fault.kind, fault.parameter) == (FaultKind.WRONG_PARAMETER, "Agent")


def test_field_codes_of_the_caller_come_before_what_the_mail_says(bureau: Bureau) -> None:
    codes = "<$Contact.FirstName$> <$contact.lastname$> <$my.Own$> <$Interaction.DateCreated : 'yyyy'$>".replace(
        "'", '"'
    )
    given = {
        "FieldCodes__contact.firstname": "Bob",
        "FieldCodes__my.own": "<b>x</b>",
        "FieldCodes__Interaction.DateCreated": "1999-01-01T00:00:00Z",
    }
    question = bureau.comes(sender="Ann Lee <ann@example.com>")
    mail = bureau.mail(bureau.call("Acknowledge", question, Html=codes, **given))
    assert body(mail, "html").startswith("Bob Lee &lt;b&gt;x&lt;/b&gt; 199")


def test_a_callers_own_code_comes_before_the_operators(store: Store, tmp_path: Path) -> None:
    (tmp_path / "field-codes").mkdir()
    (tmp_path / "field-codes/my.sign.txt").write_text("Saved", encoding="utf-8")
    bureau = Bureau(store, templates=tmp_path, default_from_address="desk@shop.example")
    given = {"To": "a@b.example", "Text": "<$my.sign$>"}
    assert body(bureau.mail(bureau.call("CreateEmailOut", **given))) == "Saved"
    mail = bureau.mail(bureau.call("CreateEmailOut", **given, **{"FieldCodes__My.Sign": "<$Given$>"}))
    assert body(mail) == "<$Given$>"


@pytest.mark.parametrize("name", ["Contact.Nope", "Interaction.DateCreated", "Contact.EmailAddresses.Count"])
def test_a_field_code_that_cannot_be_given(bureau: Bureau, name: str) -> None:
    fault = bureau.fault("CreateEmailOut", To="a@b.example", Text="Hi", **{f"FieldCodes__{name}": "x"})
    assert (fault.kind, fault.parameter) == (FaultKind.WRONG_PARAMETER, f"FieldCodes.{name}")


@pytest.mark.parametrize(
    ("personal", "first", "last"),
    [("Ann", "Ann", ""), ("Ann van Lee", "Ann", "van Lee"), ('"Lee, Ann"', "Ann", "Lee"), ("x@y.example", "", "")],
)
def test_a_contacts_names(bureau: Bureau, personal: str, first: str, last: str) -> None:
    question = bureau.comes(sender=f"{personal} <ann@example.com>")
    text = "<$Contact.FirstName$>|<$Contact.LastName$>|<$Contact.PrimaryEmailAddress$>"
    mail = bureau.mail(bureau.call("Acknowledge", question, Text=text))
    assert body(mail) == f"{first}|{last}|ann@example.com"


def test_what_the_mail_is_called_in_field_codes(bureau: Bureau) -> None:
    question = bureau.comes("Lamp", date="Mon, 2 Mar 2026 10:30:00 +0530")
    text = "<$Interaction.FromAddress$> <$Interaction.ToAddress$> <$Interaction.Subject$> <$Interaction.TimeZone$>"
    mail = bureau.mail(bureau.call("Acknowledge", question, Text=text))
    assert body(mail) == "ann@example.com support@shop.example Lamp GMT+05.30"


def test_the_locale_of_dates_and_numbers(bureau: Bureau) -> None:
    given = {"To": "a@b.example", "Text": '<$1234.5 : "#,##0.0"$>'}
    assert body(bureau.mail(bureau.call("CreateEmailOut", **given))) == "1,234.5"
    assert body(bureau.mail(bureau.call("CreateEmailOut", **given, Locale="de_DE"))) == "1.234,5"
    fault = bureau.fault("CreateEmailOut", **given, Locale="tlh")
    assert (fault.kind, fault.parameter) == (FaultKind.WRONG_PARAMETER, "Locale")


def test_a_standard_response_names_its_sender_and_brings_its_files(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "templates/responses/offer"
    (folder / "attachments").mkdir(parents=True)
    (folder / "attachments/prices.csv").write_text("lamp;7\n", encoding="utf-8")
    (folder / "body.txt").write_text("Our offer\n", encoding="utf-8")
    (folder / "response.conf").write_text("[response]\nsubject = Offer\nfrom = Sales <sales@shop.example>\n")
    bureau = Bureau(store, templates=tmp_path / "templates", default_from_address="desk@shop.example")
    result = bureau.call("CreateEmailOut", To="ann@example.com", SrlId="offer", Text="not this")
    mail = bureau.mail(result)
    assert (mail["From"], mail["Subject"], body(mail)) == ("Sales <sales@shop.example>", "Offer", "Our offer")
    assert [file.get_filename() for file in mail.iter_attachments()] == ["prices.csv"]
    given = bureau.call("CreateEmailOut", To="ann@example.com", SrlId="offer", From="boss@shop.example")
    assert bureau.mail(given)["From"] == "boss@shop.example"
    (folder / "body.txt").write_text("<$ Contact.Nope $>\n", encoding="utf-8")
    fault = bureau.fault("CreateEmailOut", To="ann@example.com", SrlId="offer")
    assert fault.kind is FaultKind.RESPONSE_WRONG
    assert f"{folder}/body.txt:1:" in str(fault)


def test_an_operators_list_of_forbidden_headers_counts(store: Store, tmp_path: Path) -> None:
    (tmp_path / "ForbiddenHeaders.properties").write_text("# ours\nX-Case\n", encoding="utf-8")
    bureau = Bureau(store, templates=tmp_path, default_from_address="desk@shop.example")
    given = {"To": "ann@example.com", "Text": "Hi"}
    fault = bureau.fault("CreateEmailOut", **given, Headers__x_case="17")
    assert (fault.kind, fault.parameter) == (FaultKind.FORBIDDEN_HEADER, "Headers.x-case")
    assert f"{tmp_path}/ForbiddenHeaders.properties:2" in str(fault)
    assert bureau.mail(bureau.call("CreateEmailOut", **given, Headers__X_Spam_Flag="no"))["X-Spam-Flag"] == "no"
