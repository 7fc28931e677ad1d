"""Mail out over Microsoft Graph: what arrives, and to whom."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from random import Random

import pytest

from emaild.errors import Busy
from tests.adapters.graph_mails import MIB, file_part, large, mail, recipients
from tests.adapters.graph_ways import USER, Graphs
from tests.adapters.ways import FAILED, SENT, WAITING, codes, outbound, states
from tests.servers.graph_mailbox import Mailbox

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
