"""Mail out over Microsoft Graph: what arrives, to whom, and what a refusal means."""

from __future__ import annotations

import hashlib
import re
from base64 import encodebytes
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from emaild.errors import Busy, Rejected, Unreachable
from emaild.message import Outbound, new_id
from emaild.settings.secret import Secret
from tests.adapters.graph_ways import USER, GivenTokens, Graphs, graphs
from tests.adapters.ways import FAILED, SENT, WAITING, codes, outbound, states
from tests.clock import START
from tests.servers.authority import Authority
from tests.servers.graph import TOKEN
from tests.servers.graph_mailbox import Mailbox, Message
from tests.servers.scripted import Dialog, Scripted

MIB = 1 << 20
FRESH = new_id(START + timedelta(seconds=1))  # of a mail that no sink before this one can have tried


@pytest.fixture
def graph(authority: Authority) -> Iterator[Graphs]:
    yield from graphs(authority)


@pytest.fixture
def box(graph: Graphs) -> Mailbox:
    return graph.server.mailbox(USER)


def mail(*recipients: str, to: str = "one@example.net", sender: str = USER, body: str = "Hello\r\n") -> Outbound:
    raw = (
        f"From: {sender}\r\nTo: {to}\r\nSubject: one\r\nMessage-ID: <one@example.com>\r\n"
        f"In-Reply-To: <zero@example.net>\r\n\r\n{body}"
    ).encode()
    return replace(outbound(*(recipients or (to,)), raw=raw, sender=sender), id=FRESH)


def file_part(content: bytes, name: str, more: str = "") -> bytes:
    head = f'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="{name}"\r\n{more}'
    encoded = encodebytes(content).replace(b"\n", b"\r\n")
    return head.encode() + b"Content-Transfer-Encoding: base64\r\n\r\n" + encoded


def large(*parts: bytes) -> Outbound:
    """A mail with a text and these parts."""
    text = b"Content-Type: text/plain; charset=utf-8\r\n\r\nSee the files.\r\n"
    pieces = b"".join(b"\r\n--BB\r\n" + part for part in (text, *parts))
    header = (
        f"From: {USER}\r\nTo: one@example.net\r\nSubject: files\r\nMessage-ID: <files@example.com>\r\n"
        "References: <zero@example.net>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=BB\r\n"
    ).encode()
    raw = header + b"\r\nFor old readers." + pieces + b"\r\n--BB--\r\n"
    return replace(outbound("one@example.net", raw=raw, sender=USER), id=FRESH, message_id="<files@example.com>")


def recipients(one: Message) -> set[str]:
    return set(one.addresses("To", "Cc", "Bcc"))


# What arrives


def test_a_mail_is_taken_byte_for_byte_and_for_all_its_recipients(graph: Graphs, box: Mailbox) -> None:
    sink = graph.sink()
    given = mail(
        "one@example.net", "two@example.net", to="Zwei <TWO@example.net>,\r\n one@example.net", body="Grüße\r\n.\r\n"
    )
    receipts = sink.send(given)
    assert (states(receipts), codes(receipts)) == ([SENT, SENT], ["202", "202"])
    assert [one.raw for one in box.sent] == [given.raw]
    assert sink.rest() == 300.0
    graph.clock.advance(300)
    assert sink.rest() is None


def test_only_those_of_the_envelope_get_it(graph: Graphs, box: Mailbox) -> None:
    to = '"Doe, Ann" <named@example.net>, Stranger <stranger@example.net>'
    raw = mail("named@example.net", "hidden@example.net", "more@example.net", to=to).raw
    raw = raw.replace(b"Subject", b"Cc: other@example.net,\r\n\tanother@example.net\r\nbcc: x@example.net\r\nSubject")
    given = outbound("named@example.net", "hidden@example.net", "more@example.net", raw=raw, sender=USER)
    assert states(graph.sink().send(given)) == [SENT] * 3
    (one,) = box.sent
    assert recipients(one) == set(given.recipients)
    assert one.addresses("Bcc") == ["hidden@example.net", "more@example.net"]
    assert (one.header["Subject"], one.raw.partition(b"\r\n\r\n")[2]) == ("one", raw.partition(b"\r\n\r\n")[2])


def test_another_author_needs_allow_delegate_and_the_right(graph: Graphs, box: Mailbox) -> None:
    given = mail(sender="boss@example.com")
    (receipt,) = graph.sink().send(given)
    assert (receipt.state, receipt.code) == (FAILED, "553")
    assert receipt.text == f"From is boss@example.com and not {USER}; allow-delegate = true would be right"
    assert graph.server.asked == []
    sink = graph.sink(allow_delegate=True)
    (receipt,) = sink.send(given)
    assert (receipt.state, receipt.code) == (FAILED, "403")
    assert "ErrorSendAsDenied" in receipt.text
    assert "Exchange must let the mailbox send as that address" in receipt.text
    box.send_as.add("boss@example.com")
    assert states(sink.send(given)) == [SENT]
    assert [one.raw for one in box.sent] == [given.raw]


# Large mails


def test_a_large_mail_goes_as_a_draft_with_its_files_attached(graph: Graphs, box: Mailbox) -> None:
    chance = Random(7)
    contents = {"grün & blau.pdf": chance.randbytes(7 * MIB + 1), "middle.pdf": chance.randbytes(2 * MIB)}
    small = file_part(b"small" * 100, "small.pdf")
    parts = [file_part(content, name) for name, content in contents.items()]
    given = large(parts[0], small, parts[1])
    assert states(graph.sink().send(given)) == [SENT]
    (one,) = box.sent
    assert [(file.name, file.size, file.content_type, file.digest) for file in one.attached] == [
        ("grün & blau.pdf", 7 * MIB + 1, "application/pdf", hashlib.sha256(contents["grün & blau.pdf"]).hexdigest())
    ]
    rest = given.raw.replace(b"\r\n--BB\r\n" + parts[0], b"")
    assert one.raw == rest
    assert len(box.held("drafts")) == 0


def test_no_more_files_are_taken_out_than_needed_and_small_ones_need_no_session(graph: Graphs, box: Mailbox) -> None:
    chance = Random(8)
    parts = [file_part(chance.randbytes(MIB), f"{number}.pdf", f"Content-ID: <{number}@x>\r\n") for number in range(5)]
    assert states(graph.sink().send(large(*parts))) == [SENT]
    (one,) = box.sent
    assert [(file.name, file.size, file.content_id) for file in one.attached] == [
        (f"{number}.pdf", MIB, f"{number}@x") for number in range(3)
    ]
    assert graph.server.count("createUploadSession") == 0


def test_a_mail_of_nothing_but_a_large_file_keeps_a_part(graph: Graphs, box: Mailbox) -> None:
    given = large(file_part(Random(9).randbytes(4 * MIB), "only.pdf"))
    text = b"\r\n--BB\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nSee the files.\r\n"
    raw = given.raw.replace(text, b"")
    assert states(graph.sink().send(outbound("one@example.net", raw=raw, sender=USER))) == [SENT]
    (one,) = box.sent
    assert one.raw.endswith(b"\r\n--BB\r\nContent-Type: text/plain\r\n\r\n\r\n--BB--\r\n")
    assert [part.get_payload(decode=True) for part in one.header.get_payload()] == [b""]  # type: ignore[union-attr]


@pytest.mark.parametrize("status", [200, 413])
def test_a_mail_that_graph_finds_too_large_goes_as_a_draft(graph: Graphs, box: Mailbox, status: int) -> None:
    graph.server.fail("sendMail", status)
    assert states(graph.sink().send(large(file_part(b"x" * 100_000, "a.pdf")))) == [SENT]
    assert [file.size for one in box.sent for file in one.attached] == [100_000]


def test_a_mail_that_cannot_be_made_smaller_fails(graph: Graphs, box: Mailbox) -> None:
    (receipt,) = graph.sink().send(mail(body="x" * 5 * MIB))
    assert (receipt.state, receipt.code) == (FAILED, "413")
    assert re.search(r"the mail has 524\d+ bytes, more .*, and too few of them are attachments .* SMTP", receipt.text)
    assert box.sent == []


@pytest.mark.parametrize(
    "kind",
    [
        'multipart/signed; protocol="application/pkcs7-signature"; boundary=BB',
        'multipart/encrypted; protocol="application/pgp-encrypted"; boundary=BB',
        "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m",
        "multipart/mixed; boundary=AA",
    ],
)
def test_a_large_mail_whose_bytes_count_fails_before_anything_is_asked(graph: Graphs, box: Mailbox, kind: str) -> None:
    given = large(file_part(b"x" * 4 * MIB, "a.pdf"))
    header, _, body = given.raw.partition(b"\r\n\r\n")
    if kind.endswith("AA"):  # as mailing lists wrap it
        body = b"--AA\r\nContent-Type: multipart/signed; boundary=BB\r\n\r\n" + body + b"\r\n--AA--\r\n"
    raw = header.replace(b"multipart/mixed; boundary=BB", kind.encode()) + b"\r\n\r\n" + body
    (receipt,) = graph.sink().send(replace(given, raw=raw))
    assert (receipt.state, receipt.code) == (FAILED, "413")
    assert receipt.text.endswith("it is signed or encrypted, so that it must not be taken apart; send it by SMTP")
    assert graph.server.connections == 0


def test_a_signed_mail_that_graph_takes_at_once_stays_byte_for_byte(graph: Graphs, box: Mailbox) -> None:
    given = large(file_part(b"x" * 2 * MIB, "a.pdf"))
    given = replace(given, raw=given.raw.replace(b"multipart/mixed", b"multipart/signed"))
    assert states(graph.sink().send(given)) == [SENT]
    assert [one.raw for one in box.sent] == [given.raw]
    graph.server.fail("sendMail", 413)
    (receipt,) = graph.sink().send(given)
    assert (receipt.state, receipt.code) == (FAILED, "413")
    assert len(box.sent) == 1


@pytest.mark.parametrize(
    ("fits", "status", "code"),
    [
        ("PUT /upload", 500, "InternalServerError"),
        ("PUT /upload", 404, "ErrorItemNotFound"),
        ("PUT /upload", 416, "InvalidRange"),
        ("createUploadSession", 500, "InternalServerError"),
        ("POST .*send$", 500, "InternalServerError"),
    ],
)
def test_what_fails_in_the_middle_leaves_no_draft_and_is_tried_again(
    graph: Graphs, box: Mailbox, fits: str, status: int, code: str
) -> None:
    given, sink = large(file_part(Random(11).randbytes(8 * MIB), "a.pdf")), graph.sink()
    graph.server.fail(fits, status, code)
    (receipt,) = sink.send(given)
    assert receipt.state is WAITING
    assert f"{status} {code}" in f"{receipt.code} {receipt.text}"
    assert (box.held("drafts"), box.sent) == ([], [])
    assert states(sink.send(given)) == [SENT]
    assert [len(one.attached) for one in box.sent] == [1]


@pytest.mark.parametrize(
    ("fits", "status", "said", "wrong"),
    [
        ("createUploadSession", 201, {}, "no usable address"),
        ("createUploadSession", 201, {"uploadUrl": "http://localhost/upload"}, "no usable address"),
        ("createUploadSession", 201, {"uploadUrl": "https://localhost/a b"}, "no usable address"),
        ("PUT /upload", 200, {"nextExpectedRanges": ["7-"]}, "took another part of the file"),
    ],
)
def test_an_upload_that_leads_nowhere_is_tried_again(
    graph: Graphs, box: Mailbox, fits: str, status: int, said: object, wrong: str
) -> None:
    given, sink = large(file_part(Random(17).randbytes(8 * MIB), "a.pdf")), graph.sink()
    graph.server.fail(fits, status, said=said)
    (receipt,) = sink.send(given)
    assert receipt.state is WAITING
    assert wrong in receipt.text
    assert (box.held("drafts"), box.sent) == ([], [])
    assert states(sink.send(given)) == [SENT]


def test_a_draft_that_a_killed_daemon_left_goes_before_the_next(graph: Graphs, box: Mailbox) -> None:
    given = large(file_part(Random(12).randbytes(4 * MIB), "a.pdf"))
    box.draft(given.raw[:300])
    other = box.draft(mail().raw)
    assert states(graph.sink().send(given)) == [SENT]
    assert box.held("drafts") == [other]


def test_throttling_in_the_middle_stops_the_way_and_leaves_no_draft_for_long(graph: Graphs, box: Mailbox) -> None:
    given, sink = large(file_part(Random(13).randbytes(8 * MIB), "a.pdf")), graph.sink()
    graph.server.fail("PUT /upload", 429, "ApplicationThrottled", Retry_After="60")
    with pytest.raises(Busy) as failure:
        sink.send(given)
    assert failure.value.retry_after == 60
    graph.clock.advance(60)
    assert states(sink.send(given)) == [SENT]
    assert (box.held("drafts"), len(box.sent)) == ([], 1)


# What is refused


@pytest.mark.parametrize(
    ("status", "code", "state"),
    [
        (400, "ErrorMimeContentInvalid", FAILED),
        (400, "ErrorInvalidRecipients", FAILED),
        (403, "ErrorSendAsDenied", FAILED),
        (409, "ErrorIrresolvableConflict", WAITING),
        (500, "InternalServerError", WAITING),
        (502, "BadGateway", WAITING),
        (504, "GatewayTimeout", WAITING),
        (400, "ErrorMailboxMoveInProgress", WAITING),
        (201, "", WAITING),
        (302, "Found", WAITING),
    ],
)
def test_a_refusal_of_the_mail_is_the_mails(graph: Graphs, box: Mailbox, status: int, code: str, state: object) -> None:
    graph.server.fail("sendMail", status, code)
    (receipt,) = graph.sink().send(mail())
    assert (receipt.state, receipt.code) == (state, str(status))
    assert code in receipt.text
    assert box.sent == []


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "ErrorAccessDenied", Rejected),
        (404, "ErrorInvalidUser", Rejected),
        (400, "MailboxNotEnabledForRESTAPI", Rejected),
        (429, "ApplicationThrottled", Busy),
        (503, "ServiceUnavailable", Busy),
        (509, "BandwidthLimitExceeded", Busy),
    ],
)
def test_a_refusal_of_the_mailbox_is_the_ways(graph: Graphs, status: int, code: str, kind: type[Exception]) -> None:
    graph.server.fail("sendMail", status, code)
    with pytest.raises(kind, match=f"{status} {code}"):
        graph.sink().send(mail())


# Whether it was sent before


@pytest.mark.parametrize("fits", ["sendMail", "POST .*send$"])
def test_a_mail_whose_answer_was_lost_is_found_in_sent_items_and_not_sent_again(
    graph: Graphs, box: Mailbox, fits: str
) -> None:
    given = large(file_part(Random(15).randbytes(4 * MIB), "a.pdf")) if "$" in fits else mail(to="O'Neil <o'n@x.org>")
    raw, name = given.raw.replace(b"Message-ID: <", b"Message-ID: <it's-"), given.message_id.replace("<", "<it's-")
    given = replace(given, raw=raw, message_id=name, recipients=("o'n@x.org", "hidden@example.net"))
    sink = graph.sink()
    graph.server.fail(fits, 504, "GatewayTimeout", after=True)
    assert states(sink.send(given)) == [WAITING] * 2
    again = sink.send(replace(given, attempts=1))
    assert (states(again), codes(again)) == ([SENT] * 2, ["202"] * 2)
    assert "it lies in Sent Items" in again[0].text
    assert box.held("sentitems") == box.sent
    assert (len(box.sent), box.held("drafts")) == (1, [])


@pytest.mark.parametrize("status", [429, 503])
def test_a_mail_that_was_sent_though_graph_said_to_be_too_busy_is_not_sent_again(
    graph: Graphs, box: Mailbox, status: int
) -> None:
    graph.server.fail("sendMail", status, "ApplicationThrottled", after=True, Retry_After="60")
    first, second = graph.sink(), graph.sink()
    with pytest.raises(Busy):
        first.send(mail())
    graph.clock.advance(60)
    for sink in (second, first):  # the mail was given back untouched, and whoever is free takes it
        assert states(sink.send(mail())) == [SENT]
        assert len(box.sent) == (1 if sink is second else 2)


@pytest.mark.parametrize(("name", "found"), [("0" * 16, 1), (FRESH, 0)], ids=["older", "fresh"])
def test_only_a_mail_that_is_older_than_the_sink_or_was_tried_is_looked_for(
    graph: Graphs, box: Mailbox, name: str, found: int
) -> None:
    sink = graph.sink()
    assert states(sink.send(mail())) == [SENT]
    assert states(sink.send(replace(mail(), id=name))) == [SENT]
    assert graph.server.count("sentitems") == found
    assert len(box.sent) == 2 - found


def test_a_mail_that_went_to_others_under_its_message_id_is_none_that_was_sent(graph: Graphs, box: Mailbox) -> None:
    sink = graph.sink()
    sink.send(mail())
    assert states(sink.send(replace(mail("one@example.net", "two@example.net"), attempts=1))) == [SENT] * 2
    assert len(box.sent) == 2


def test_an_application_that_may_not_look_sends_again_and_one_that_cannot_now_waits(
    graph: Graphs, box: Mailbox
) -> None:
    sink, given = graph.sink(), replace(mail(), attempts=1)
    graph.server.fail("sentitems", 500, "InternalServerError")
    assert states(sink.send(given)) == [WAITING]
    assert box.sent == []
    graph.server.fail("sentitems", 403, "ErrorAccessDenied")
    assert states(sink.send(given)) == [SENT]
    assert len(box.sent) == 1


def test_a_connection_that_was_closed_meanwhile_costs_no_try(graph: Graphs, box: Mailbox) -> None:
    sink = graph.sink()
    for number in (1, 2):
        assert states(sink.send(mail())) == [SENT]
        assert graph.server.connections == number
        graph.server.close_all()


def test_a_server_that_is_down_touches_no_mail(graph: Graphs, authority: Authority) -> None:
    sink = graph.sink()
    graph.server.__exit__(None, None, None)
    try:
        with pytest.raises(Unreachable, match="connect: Connection refused"):
            sink.send(mail())
    finally:
        graph.server.__enter__()


def test_a_refused_token_is_replaced_and_no_mail_is_sent_twice(graph: Graphs, box: Mailbox) -> None:
    tokens = GivenTokens(USER, "revoked", TOKEN)
    assert states(graph.sink(tokens=tokens).send(mail())) == [SENT]
    assert (tokens.refusals, len(box.sent)) == (["revoked"], 1)
    with pytest.raises(Rejected, match="the token was refused"):
        graph.sink(tokens=GivenTokens(USER, "one", "two", "three")).send(mail())


def test_a_draft_that_cannot_be_deleted_goes_with_the_next_try(graph: Graphs, box: Mailbox) -> None:
    given, sink = large(file_part(Random(14).randbytes(4 * MIB), "a.pdf")), graph.sink()
    graph.server.fail("PUT /upload", 500)
    graph.server.fail("DELETE", 500)
    assert states(sink.send(given)) == [WAITING]
    assert len(box.held("drafts")) == 1
    assert states(sink.send(given)) == [SENT]
    assert (box.held("drafts"), len(box.sent)) == ([], 1)


# When the way itself does not work


class EndedTokens(GivenTokens):
    """One token, and then an authority that is down."""

    def token(self) -> Secret:
        if self.refusals:
            raise Unreachable("login.example.com", "sign in", "Connection refused")
        return super().token()


def test_a_mail_waits_untouched_where_a_new_token_is_not_to_be_had(graph: Graphs, box: Mailbox) -> None:
    sink = graph.sink(tokens=EndedTokens(USER, "a revoked one"))
    with pytest.raises(Unreachable, match=r"login\.example\.com: sign in: Connection refused"):
        sink.send(mail())
    assert box.sent == []


def test_a_mail_waits_untouched_where_the_connection_went_before_it_was_offered(
    graph: Graphs, scripted: Callable[..., Scripted], authority: Authority
) -> None:
    def closes(dialog: Dialog) -> None:
        if dialog.number == 1:
            dialog.start_tls()
            while dialog.readline():
                pass
            answer = "HTTP/1.1 200 OK", "Connection: close", "Content-Length: 12", "", '{"value":[]}'
            dialog.send_raw("\r\n".join(answer).encode())

    server = scripted(closes, authority=authority)
    sink = graph.sink(server=f"https://localhost:{server.port}/v1.0")
    with pytest.raises(Unreachable):
        sink.send(replace(mail(), attempts=1))
    assert server.connections == 2


def test_an_upload_that_is_refused_is_told_without_its_address(graph: Graphs, box: Mailbox) -> None:
    given, sink = large(file_part(Random(18).randbytes(8 * MIB), "a.pdf")), graph.sink()
    said = {"error": {"code": "Bad eyJ0.a", "message": "authtoken=eyJ0.a is bad"}}
    graph.server.fail("PUT /upload", 400, said=said)
    (receipt,) = sink.send(given)
    assert (receipt.state, receipt.text) == (FAILED, "Bad *** *** is bad")
