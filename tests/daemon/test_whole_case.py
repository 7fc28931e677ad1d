"""A whole case on real servers: question, acknowledgement, external resource, reply, thanks, receipts and a bounce."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTP
from typing import Any, cast

from tests.daemon.harness import Emaild, imap_section, smtp_section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix
from tests.servers.smtp_sink import SmtpSink
from tests.servers.wait import eventually

DESK, ANN, STORE = "case-desk@desk.example", "case-ann@customer.example", "case-store@warehouse.example"
RULES = f"""
[rule-acknowledge]
if-subtype = InboundNew
service = Acknowledge
SrlId = acknowledgement

[rule-answers-of-the-warehouse]
if-subtype = InboundExternalReply
service = ReplyFromExtResource
SrlId = external-reply
Queue = review
then-state = STOPPED

[email-processing]
ext-resource-incoming-address = {DESK}
enable-stop-initial-emailin-after-extreply = true
"""
CHAT = (
    '<chatTranscript startAt="2026-03-05T14:07:09Z" sessionId="00027aDEQEY00U32">'
    '<newParty userId="u" timeShift="0" visibility="ALL" eventId="1"><userInfo personId="" userNick="Änn" '
    'userType="CLIENT" protocolType="FLEX" timeZoneOffset="60"/><userData>'
    f'<item key="EmailAddress">{ANN}</item><item key="FirstName">Änn</item></userData></newParty>'
    '<message userId="u" timeShift="9" visibility="ALL" eventId="2"><msgText>Is it &lt;b&gt;here&lt;/b&gt;?</msgText>'
    "</message></chatTranscript>"
)


class People:
    """Those who write and read mail with programs of their own."""

    def __init__(self, relay: Postfix, boxes: Dovecot) -> None:
        self._relay = relay
        self._boxes = boxes

    def write(self, sender: str, subject: str, text: str, to: str = DESK, **fields: str) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, to, subject
        for name, value in fields.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        self.send(mail)

    def send(self, mail: EmailMessage) -> None:
        with SMTP("127.0.0.1", self._relay.smtp, timeout=10) as client:
            client.send_message(mail)

    def answer(self, sender: str, mail: EmailMessage, text: str) -> None:
        """As mail programs do: quoted, and to Reply-To."""
        quoted = "".join(f"> {line}\n" for line in text_of(mail).splitlines())
        to, said = mail["Reply-To"] or mail["From"], f"{text}\n\nOn Thursday {mail['From']} wrote:\n{quoted}"
        references = f"{mail['References'] or ''} {mail['Message-ID']}".strip()
        self.write(
            sender, f"Re: {mail['Subject']}", said, to, In_Reply_To=str(mail["Message-ID"]), References=references
        )

    def read(self, who: str, count: int) -> EmailMessage:
        """The last mail of that many in somebody's mailbox."""
        eventually(lambda: len(self._boxes.held(who)) >= count, within=25, what=f"mail {count} for {who}")
        held = self._boxes.held(who)
        assert len(held) == count
        return message_from_bytes(held[-1], policy=policy.default)


def text_of(mail: EmailMessage) -> str:
    body = cast(EmailMessage, mail.get_body(("plain",)))
    return str(body.get_content())


class Program:
    """What works with emaild over HTTP."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token

    def ask(self, method: str, path: str, body: object = None) -> Any:
        return json.loads(self.raw(path, method, body))

    def raw(self, path: str, method: str = "GET", body: object = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        header = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), header)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        assert answer.status < 300, said
        return said

    def call(self, service: str, **parameters: object) -> dict[str, Any]:
        return dict(self.ask("POST", f"/v1/services/{service}", parameters))

    def wait_for(self, count: int, **chosen: str) -> list[dict[str, Any]]:
        """That many interactions, in the order of their coming."""
        query = "&".join(f"{name}={value}" for name, value in chosen.items())

        def found() -> list[dict[str, Any]]:
            there = self.ask("GET", f"/v1/interactions?{query}&wait=1")["interactions"]
            return list(there) if len(there) >= count else []

        return eventually(found, within=25, what=f"{count} interactions {chosen}")


def mdn(mail: EmailMessage) -> EmailMessage:
    """The receipt that Ann's program sends when she has read it (RFC 8098)."""
    receipt = EmailMessage()
    receipt["From"], receipt["To"], receipt["Subject"] = ANN, str(mail["Disposition-Notification-To"]), "Read"
    receipt.set_content("It was displayed.")
    receipt.make_mixed()
    receipt.set_type("multipart/report")
    receipt.set_param("report-type", "disposition-notification")
    part = EmailMessage()
    part.set_type("message/disposition-notification")
    part.set_payload(
        f"Final-Recipient: rfc822;{ANN}\r\nOriginal-Message-ID: {mail['Message-ID']}\r\n"
        "Disposition: manual-action/MDN-sent-manually; displayed\r\n"
    )
    receipt.attach(part)
    return receipt


def test_a_whole_case(
    postfix: Callable[..., Postfix],
    smtp_sink: Callable[..., SmtpSink],
    dovecot: Dovecot,
    authority: Authority,
    free_port: Callable[[], int],
    tmp_path: Path,
) -> None:
    boxes, refusing = f"lmtp:inet:127.0.0.1:{dovecot.lmtp}", smtp_sink(refuse=["RCPT"])
    routes = dict.fromkeys(("desk.example", "customer.example", "warehouse.example"), boxes)
    relay = postfix(transport={**routes, "refused.example": f"smtp:[127.0.0.1]:{refusing.smtp}"})
    people, port = People(relay, dovecot), free_port()
    with Emaild(tmp_path) as daemon:
        daemon.configure(
            imap_section("pop-client", dovecot.imaps, DESK, authority, first_fetch="all"),
            smtp_section(relay.smtp),
            RULES,
            f"[api]\nlisten = 127.0.0.1:{port}\n",
        )
        daemon.start()
        program = Program(port, (tmp_path / "state" / "api-token").read_text().strip())

        people.write(ANN, "Where is my parcel?", "I have waited for a week.\n\nAnn", Message_ID="<q1@customer.example>")
        (question,) = program.wait_for(1, subtype="InboundNew")
        acknowledgement = people.read(ANN, 1)
        assert acknowledgement["In-Reply-To"] == "<q1@customer.example>"
        assert acknowledgement["Auto-Submitted"] == "auto-replied"

        passed_on = program.call("Forward", InteractionId=question["id"], To=STORE, Text="Can you look?")
        at_store = people.read(STORE, 1)
        assert "I have waited for a week." in text_of(at_store)
        people.answer(STORE, at_store, "It left today.")
        (answer,) = program.wait_for(1, subtype="InboundExternalReply")
        assert (answer["thread_id"], answer["parent_id"]) == (question["id"], passed_on["interaction_id"])
        assert answer["state"] == "STOPPED"

        (reply,) = program.wait_for(1, queue="review")
        program.call("Send", InteractionId=reply["id"], Mdn=True, Dsn=True)
        assert program.ask("GET", f"/v1/interactions/{question['id']}")["state"] == "STOPPED"
        to_ann = people.read(ANN, 2)
        assert "It left today." in text_of(to_ann)
        assert "Can you look?" not in to_ann.as_string()
        assert STORE not in to_ann.as_string()
        assert to_ann["In-Reply-To"] == "<q1@customer.example>"
        assert dovecot.held(ANN)[1].endswith(program.raw(f"/v1/outbox/{reply['id']}/raw"))

        people.answer(ANN, to_ann, "Thank you!")
        (thanks,) = program.wait_for(1, subtype="InboundCustomerReply")
        assert (thanks["thread_id"], thanks["parent_id"]) == (question["id"], reply["id"])
        people.send(mdn(to_ann))
        (receipt,) = program.wait_for(1, subtype="InboundDisposition")
        assert (receipt["thread_id"], receipt["parent_id"]) == (question["id"], reply["id"])

        chatted = program.call("ChatTranscript", SrlId="chat-transcript", Chat=CHAT, From=DESK)
        transcript = people.read(ANN, 3)
        assert "Änn: Is it <b>here</b>?" in text_of(transcript)
        assert "Is it &lt;b&gt;here&lt;/b&gt;?" in str(cast(EmailMessage, transcript.get_body(("html",))).get_content())
        assert dovecot.held(ANN)[2].endswith(program.raw(f"/v1/outbox/{chatted['outbox_id']}/raw"))

        told = program.call(
            "CreateEmailOut", InteractionId=question["id"], To="gone@refused.example", Subject="Copy", Text="Hello"
        )
        (bounce,) = program.wait_for(1, subtype="InboundNDR")
        assert (bounce["thread_id"], bounce["parent_id"]) == (question["id"], told["interaction_id"])
        (delivered,) = program.wait_for(1, subtype="InboundReport")
        assert delivered["parent_id"] == reply["id"]
