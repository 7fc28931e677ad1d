"""What services are told by those who mean no good: nothing of it gets into a header, a code or a page."""

from __future__ import annotations

import itertools
import re

import pytest

from emaild.services.call import call, planned
from emaild.services.faults import FaultKind, ServiceFault
from emaild.settings.option import options
from emaild.settings.processing import Css
from emaild.settings.service_parameters import service_named
from emaild.settings.services import SERVICES
from emaild.store import Store
from tests.unit.render.transcript.chats import chat, items, joins
from tests.unit.services.bureau import LATER, Bureau, read

MAKERS = sorted(service.kind.name for service in SERVICES if service.kind.name != "Send")


@pytest.fixture
def bureau(store: Store) -> Bureau:
    return Bureau(store)


EVIL = (
    "x\r\nBcc: evil@x.example",
    "x\nX-Evil: 1",
    "x\r\n\r\n<p>evil</p>",
    "x\u2028X-Evil: 1",
    "x\u0085X-Evil: 1",
    "\0X-Evil: 1",
    "=?utf-8?q?x=0D=0ABcc:_evil@x.example?=",
    "evil@x.example, ",
    "<script>alert(1)</script>",
    "<$Contact.Nope$>",
    "{{ 7 * 7 }}",
)


def told(bureau: Bureau, method: str) -> dict[str, str]:
    """What a service needs to work."""
    question = bureau.comes("Lamp")
    given = {"InteractionId": question.id, "To": "bob@x.example"}
    if method == "ReplyFromExtResource":
        forward = bureau.call("Forward", question, To="expert@lab.example")
        return given | {"InteractionId": bureau.comes("Re", in_reply_to=forward["message_id"]).id}
    if method == "ChatTranscript":
        given["Chat"] = chat(joins("Ann", more=items(EmailAddress="ann@example.com")))
    return given if method == "Redirect" else given | {"Text": "Hi"}


@pytest.mark.parametrize("method", MAKERS)
def test_no_parameter_writes_into_the_header(store: Store, method: str) -> None:
    """Each parameter in turn: the mail is refused, or has the fields and recipients that it would have."""
    bureau = Bureau(store, transcript_css=Css.OWN)
    given, service = told(bureau, method), service_named(method)
    assert service is not None
    usual = {"X-Own", "Cc", "Content-Transfer-Encoding", *bureau.mail(bureau.call(method, **given))}
    names = [one.name for one in options(service) if one.name not in ("Chat", "InteractionId")]
    names += ["Headers.X-Own", "FieldCodes.x", "FieldCodes.Contact.FirstName", "AttachedData.x"]
    texts = EVIL if method == "CreateEmailOut" else (EVIL[0], EVIL[6])  # what they share needs to be tried once
    for name, evil in itertools.product(names, texts):
        try:
            writes = planned(method, given | {name: evil}, bureau.office, LATER).writes
        except ServiceFault:
            continue
        (new,) = writes.created
        header = new.raw.partition(b"\r\n\r\n")[0]
        assert {*read(new.raw)} <= usual, name
        assert re.search(rb"(?im)^(?:x-evil|bcc)|[^\r]\n|\r[^\n]", header) is None, name
        if name not in ("To", "Cc", "Bcc"):
            assert new.interaction.envelope is not None
            assert new.interaction.envelope.recipients == ("bob@x.example",), name


@pytest.mark.parametrize("method", MAKERS)
def test_what_is_no_text_is_refused(bureau: Bureau, method: str) -> None:
    given = told(bureau, method)
    for name in ("Subject", "Queue", "AttachedData__x", "Headers__X_\ud800", "To"):
        assert bureau.kind(method, **given | {name: "a\ud800"}) is FaultKind.WRONG_PARAMETER


@pytest.mark.parametrize(
    "name",
    [
        "Bcc",
        "From",
        "Content-Type",
        "Received",
        "In-Reply-To",
        "Auto-Submitted",
        "X-MS-Exchange-Foo",
        "Sender",
        "a b",
        "",
    ],
)
def test_a_forbidden_header_is_refused_and_named(bureau: Bureau, name: str) -> None:
    given = {"InteractionId": bureau.comes().id, "Text": "Hi", f"Headers.{name or ':'}": "x"}
    with pytest.raises(ServiceFault) as fault:
        call("Acknowledge", given, bureau.office, LATER)
    assert fault.value.kind is FaultKind.FORBIDDEN_HEADER
    assert name in str(fault.value)


def test_a_header_that_the_service_makes_is_refused(bureau: Bureau) -> None:
    own = {"Headers__X_Auto_Response_Suppress": "None"}
    assert bureau.kind("Acknowledge", bureau.comes(), Text="Hi", **own) is FaultKind.FORBIDDEN_HEADER


def test_what_customers_write_is_never_read_as_a_code_or_as_html(bureau: Bureau) -> None:
    evil = '<$"a" + "b"$> {{ 7 * 7 }} <b onclick=x>'
    question = bureau.comes(evil, sender='"<i>Ann</i> {{1}}" <ann@example.com>', text=f"{evil} [ExtAgentReply]")
    codes = "<p><$Interaction.Subject$> <$Contact.FullName$></p>"
    mail = bureau.mail(bureau.call("AutoResponse", question, Html=codes))
    page = str(mail.get_body(("html",)).get_content())  # type: ignore[union-attr]
    assert "&lt;$&quot;a&quot; + &quot;b&quot;$&gt; {{ 7 * 7 }} &lt;b onclick=x&gt;" in page.replace("&#34;", "&quot;")
    assert "<i>" not in page
    assert "<b" not in page.replace("<br>", "").replace("<blockquote", "").replace("<b>", "")
    assert "49" not in page
    assert "[ExtAgentReply]" in page
