"""Mail out over Microsoft Graph: what arrives, to whom, and what a refusal means."""

from __future__ import annotations

import hashlib
import re
import tracemalloc
from base64 import encodebytes
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from emaild.errors import Busy, Rejected, Unreachable
from emaild.message import Outbound
from tests.adapters.graph_ways import USER, GivenTokens, Graphs, graphs
from tests.adapters.ways import FAILED, SENT, WAITING, codes, outbound, states
from tests.servers.authority import Authority
from tests.servers.graph import TOKEN
from tests.servers.graph_mailbox import Mailbox, Message

MIB = 1 << 20


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
    return outbound(*(recipients or (to,)), raw=raw, sender=sender)


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
    return replace(outbound("one@example.net", raw=raw, sender=USER), message_id="<files@example.com>")


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


def test_a_file_of_150_megabytes_takes_no_memory_but_its_pieces(graph: Graphs, box: Mailbox) -> None:
    size = 150 * MIB
    piece = Random(10).randbytes(57 * 1024)
    content = (piece * (size // len(piece) + 1))[:size]
    digest = hashlib.sha256(content).hexdigest()
    given = large(file_part(content, "huge.bin"))
    del content
    sink = graph.sink(protocol_timeout=60.0)
    tracemalloc.start()
    try:
        receipts = sink.send(given)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert states(receipts) == [SENT], receipts
    assert [(file.size, file.digest) for file in box.sent[0].attached] == [(size, digest)]
    assert most < 64 * MIB  # the server's pieces are among them; the mail has more than 200


@pytest.mark.parametrize("status", [200, 413])
def test_a_mail_that_graph_finds_too_large_goes_as_a_draft(graph: Graphs, box: Mailbox, status: int) -> None:
    graph.server.fail("sendMail", status)
    assert states(graph.sink().send(large(file_part(b"x" * 100_000, "a.pdf")))) == [SENT]
    assert [file.size for one in box.sent for file in one.attached] == [100_000]


def test_a_mail_that_cannot_be_made_smaller_fails(graph: Graphs, box: Mailbox) -> None:
    (receipt,) = graph.sink().send(mail(body="x" * 5 * MIB))
    assert (receipt.state, receipt.code) == (FAILED, "413")
    assert re.search(r"the mail has 524\d+ bytes, and too few of them are attachments", receipt.text)
    assert box.sent == []


@pytest.mark.parametrize(
    ("fits", "status", "code"),
    [
        ("PUT /upload", 500, "InternalServerError"),
        ("PUT /upload", 404, "ErrorItemNotFound"),
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
    ],
)
def test_a_refusal_of_the_mailbox_is_the_ways(graph: Graphs, status: int, code: str, kind: type[Exception]) -> None:
    graph.server.fail("sendMail", status, code)
    with pytest.raises(kind, match=f"{status} {code}"):
        graph.sink().send(mail())


def test_a_mail_whose_answer_is_lost_is_sent_again(graph: Graphs, box: Mailbox) -> None:
    """At least once: the server has it, and nobody can know."""
    graph.server.fail("sendMail", 504, after=True)
    given, sink = mail(), graph.sink()
    assert states(sink.send(given)) == [WAITING]
    assert states(sink.send(given)) == [SENT]
    assert [one.raw for one in box.sent] == [given.raw] * 2


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
