"""Attachments that stay on an IMAP server, by maximum-attachment-size."""

from __future__ import annotations

import re
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from emaild.message import Inbound
from emaild.mime.cut import NOTE
from emaild.mime.view import facts
from emaild.settings.mailbox import FirstFetch, MailboxType
from emaild.settings.properties import ImapProperties
from emaild.settings.server import Security
from tests.adapters.scripts import Answer, ImapScript, together, wanted
from tests.adapters.turns import Sources, mail, subjects, turn
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.scripted import Dialog, Scripted
from tests.servers.wait import eventually

MOST = 20_000


def with_files(*files: tuple[str, int], html: bool = False) -> EmailMessage:
    """A mail with files of these names and sizes."""
    made = EmailMessage(policy=policy.SMTP)
    made["Subject"], made["From"], made["Message-ID"] = "Files", "a@example.com", "<files@example.com>"
    made.set_content("See the files.\r\n")
    if html:
        made.add_alternative("<p>See the <b>files</b>.</p>\r\n", subtype="html")
    for name, size in files:
        made.add_attachment(bytes(range(256)) * (size // 256), maintype="application", subtype="pdf", filename=name)
    return made


def taken(dovecot: Dovecot, imap: Sources, user: str, raw: bytes, **given: Any) -> Inbound:
    dovecot.drop(user, [raw])
    (one,) = turn(imap(user, **({"maximum_attachment_size": MOST} | given))).mails
    return one


def parts(raw: bytes) -> list[tuple[str, str | None, bytes]]:
    """Kind, name and content of all parts but multiparts."""
    read = message_from_bytes(raw, policy=policy.default)
    leaves = [part for part in read.walk() if not part.is_multipart()]
    return [(part.get_content_type(), part.get_filename(), part.get_payload(decode=True)) for part in leaves]  # type: ignore[misc]


def test_a_large_file_stays_and_all_else_comes_as_it_is(dovecot: Dovecot, imap: Sources) -> None:
    raw = with_files(("small.pdf", 5120), ("Überblick.pdf", 511_488), ("last.pdf", 256), html=True).as_bytes()
    one = taken(dovecot, imap, "parts-large", raw)
    assert one.left == "attachments: Überblick.pdf (application/pdf, about 511488 bytes)"
    whole, came = parts(raw), parts(one.raw)
    assert [part[:2] for part in came] == [part[:2] for part in whole]
    assert [came[number] for number in (0, 1, 2, 4)] == [whole[number] for number in (0, 1, 2, 4)]
    instead = "This attachment was left on the server: Überblick.pdf (application/pdf, about 511488 bytes)."
    assert came[3][2].decode() == instead
    assert len(one.raw) < MOST
    assert facts(one.raw).headers[0] == (NOTE, one.left)
    assert facts(one.raw).text.strip() == "See the files."
    assert one.received is not None


def test_the_large_file_is_not_fetched(dovecot: Dovecot, imap: Sources) -> None:
    """The mail is larger than maximum-msg-size would allow, and counts as what comes of it."""
    dovecot.drop("parts-bytes", [with_files(("big.pdf", 4 << 20)).as_bytes()])
    source = imap("parts-bytes", maximum_attachment_size=MOST)
    source.open()
    (key,) = source.look(None).keys
    assert source.sizes([key])[key] < MOST
    ((one,),) = source.fetch([key])
    assert len(one.raw) < MOST
    source.close()
    sent = re.compile(r"parts-bytes.* out=(\d+)")  # what Dovecot notes when a session ends
    found = eventually(lambda: sent.search(dovecot.log()), within=10)
    assert found is not None
    assert int(found[1]) < 50_000


def test_files_up_to_the_limit_come_with_the_mail_byte_for_byte(dovecot: Dovecot, imap: Sources) -> None:
    raw = with_files(("a.pdf", 19_968), ("b.pdf", 19_968)).as_bytes()
    one = taken(dovecot, imap, "parts-fitting", raw)
    assert (one.raw, one.left) == (raw, "")


def test_a_file_of_just_the_limit_comes(dovecot: Dovecot, imap: Sources) -> None:
    """The server says only how large it is in base64, where it may be padded."""
    raw = with_files(("a.pdf", 25_600)).as_bytes()
    assert taken(dovecot, imap, "parts-just", raw, maximum_attachment_size=25_600).raw == raw
    assert taken(dovecot, imap, "parts-above", raw, maximum_attachment_size=25_597).left


def test_a_text_is_no_attachment_however_long_it_is(dovecot: Dovecot, imap: Sources) -> None:
    raw = mail("Long", *["A line of the text."] * 5000)
    assert taken(dovecot, imap, "parts-text", raw).raw == raw


def test_what_a_report_says_is_no_file(dovecot: Dovecot, imap: Sources) -> None:
    said = b"".join(b"Final-Recipient: rfc822; %d@example.com\r\nAction: failed\r\n\r\n" % n for n in range(1000))
    raw = (
        b'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; boundary="b"\r\n\r\n--b\r\n\r\nText\r\n'
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n" + said + b"--b--\r\n"
    )
    assert taken(dovecot, imap, "parts-report", raw).raw == raw


def test_files_deep_in_the_mail_and_enclosed_mails_stay_too(dovecot: Dovecot, imap: Sources) -> None:
    inner = with_files(("inner.pdf", 50_688))
    outer = EmailMessage(policy=policy.SMTP)
    outer["Subject"], outer["From"] = "Outer", "a@example.com"
    outer.set_content("Look.\r\n")
    outer.add_alternative('<img src="cid:x">\r\n', subtype="html")
    outer.get_payload()[1].add_related(b"x" * 50_688, "image", "png", cid="<x>", filename="x.png")  # type: ignore[union-attr,index]
    outer.add_attachment(inner, filename="inner.eml")
    one = taken(dovecot, imap, "parts-deep", outer.as_bytes())
    assert one.left.startswith("attachments: x.png (image/png, about 50688 bytes); inner.eml (message/rfc822, about")
    assert len(one.raw) < 5000
    said = facts(one.raw)
    assert (said.subject, said.text.strip(), len(said.attachments)) == ("Outer", "Look.", 2)


def test_a_mail_that_is_one_file_is_its_header_and_a_line(dovecot: Dovecot, imap: Sources) -> None:
    raw = (
        b"Subject: Fax\r\nMIME-Version: 1.0\r\nContent-Type: image/tiff; name=fax.tif\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUJD" * 18 + b"\r\n" + (b"QUJD" * 18 + b"\r\n") * 1000
    )
    one = taken(dovecot, imap, "parts-single", raw)
    assert one.left.startswith("attachments: fax.tif (image/tiff, about ")
    assert parts(one.raw)[0][2].startswith(b"This attachment was left on the server: fax.tif")


@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64"])
def test_the_line_in_its_place_is_encoded_as_the_part_says(dovecot: Dovecot, imap: Sources, encoding: str) -> None:
    raw = (
        b'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nText\r\n'
        b"--b\r\nContent-Type: text/csv; name=a=3Db.csv\r\nContent-Disposition: attachment\r\n"
        b"Content-Transfer-Encoding: %b" % encoding.encode() + b"\r\n\r\n" + b"QUJD\r\n" * 10_000 + b"--b--\r\n"
    )
    one = taken(dovecot, imap, f"parts-{encoding}", raw)
    assert parts(one.raw)[1][2].strip().startswith(b"This attachment was left on the server: a=3Db.csv (text/csv")


def test_many_files_are_named_as_far_as_anybody_reads(dovecot: Dovecot, imap: Sources) -> None:
    raw = with_files(*((f"{number}.pdf", 25_344) for number in range(30))).as_bytes()
    one = taken(dovecot, imap, "parts-many", raw)
    assert one.left.endswith("19.pdf (application/pdf, about 25344 bytes); and 10 more")


def test_a_mail_of_very_many_parts_comes_whole(dovecot: Dovecot, imap: Sources) -> None:
    raw = with_files(*((f"{number}.pdf", 256) for number in range(150)), ("big.pdf", 50_688)).as_bytes()
    assert taken(dovecot, imap, "parts-very-many", raw).raw == raw


@pytest.mark.parametrize("peek", [True, False])
def test_the_mail_is_marked_as_read_as_others_are(dovecot: Dovecot, imap: Sources, peek: bool) -> None:
    user = f"parts-peek-{peek}".lower()
    raw = with_files(("big.pdf", 50_688)).as_bytes()
    dovecot.drop(user, [raw])
    source = imap(user, maximum_attachment_size=MOST, imap=ImapProperties(peek=peek))
    source.open()
    ((one,),) = source.fetch(source.look(None).keys)
    assert one.left
    source.finish()
    source.close()
    assert dovecot.flags(user) == [() if peek else ("\\Seen",)]


# Servers whose answers make no sense


def structured(structure: str) -> Callable[[ImapScript], Answer]:
    """Answers BODYSTRUCTURE with that."""

    def made(script: ImapScript) -> Answer:
        def answer(dialog: Dialog, tag: str, rest: str) -> None:
            if "BODYSTRUCTURE" not in rest:
                script.fetch(dialog, tag, rest)
                return
            told = [f"* {uid} FETCH (UID {uid} BODYSTRUCTURE {structure})" for uid in wanted(rest)]
            together(dialog, *told, f"{tag} OK done")

        return answer

    return made


LEAF = '("APPLICATION" "PDF" NIL NIL NIL "BASE64" 99999)'
STRANGE = {
    "nothing": "NIL",
    "empty": "()",
    "a text": '"x"',
    "short": '("TEXT")',
    "no size": '("APPLICATION" "PDF" NIL NIL NIL "BASE64" NIL)',
    "no boundary": f'({LEAF}{LEAF} "MIXED")',
    "odd parameters": f'({LEAF}{LEAF} "MIXED" ("BOUNDARY"))',
    "numbers": "(1 2 3 4 5 6 7 8)",
    "deep": "(" * 5000 + LEAF + ' "MIXED" ("BOUNDARY" "b"))' * 5000,
    "not its parts": f'({LEAF}{LEAF} "MIXED" ("BOUNDARY" "b"))',
}


@pytest.mark.parametrize("structure", STRANGE.values(), ids=STRANGE)
def test_a_mail_comes_whole_where_its_structure_makes_no_sense(
    scripted: Callable[..., Scripted], authority: Authority, structure: str
) -> None:
    raw = mail("one", "x" * 30_000)
    script = ImapScript({1: raw})
    script._answers["UID FETCH"] = structured(structure)(script)
    server = scripted(script)
    with Sources(MailboxType.IMAP, server.port, authority) as sources:
        source = sources("joe", security_given=Security.NONE, first_fetch=FirstFetch.ALL, maximum_attachment_size=MOST)
        assert subjects(turn(source).raws) == ["one"]
    assert server.connections == 1
