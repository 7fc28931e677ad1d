"""Valid mails of all kinds, each small, from which the broken ones are made."""

from __future__ import annotations

import base64
import binascii
import quopri

HEAD = (
    "Return-Path: <ann@example.com>\n"
    "Received: from mx.example.com (mx.example.com [192.0.2.1])\n"
    "\tby mx.example.org with ESMTPS id 4X\n\tfor <b@example.org>;"
    "\n\tMon, 02 Mar 2026 10:30:00 +0100 (CET)\n"
    "Date: Mon, 02 Mar 2026 10:30:00 +0100\n"
    "From: =?utf-8?q?Ann_M=C3=BCller?= <ann@example.com>\n"
    'To: "Sales, Europe" <sales@example.org>, Team: x@example.org, y@example.org;\n'
    "Cc: (a (nested) comment) <z@example.org>\n"
    "Subject: =?iso-8859-1?q?Gr=FC=DFe?= =?utf-8?b?w7w=?= order 12\n"
    "Message-ID: <1@example.com>\nIn-Reply-To: <0@example.org>\nReferences: <-1@example.org>\n <0@example.org>\n"
    "MIME-Version: 1.0\n"
)


def part(kind: str, body: str, *more: str) -> str:
    return "\n".join([f"Content-Type: {kind}", *more, "", body])


def encoded(content: bytes) -> str:
    return base64.encodebytes(content).decode()


def multipart(kind: str, boundary: str, *parts: str) -> str:
    inside = "".join(f"--{boundary}\n{one}\n" for one in parts)
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\nThis is a message in MIME format.\n'
    return f"{head}{inside}--{boundary}--\n"


def uuencoded(content: bytes) -> str:
    lines = [binascii.b2a_uu(content[at : at + 45]).decode() for at in range(0, len(content), 45)]
    return "begin 644 data.bin\n" + "".join(lines) + "`\nend\n"


TEXT = (
    "Hello,\n\nwhere is my order?\n\nAnn\n-- \nAnn Miller\nExample Ltd.\n\n"
    "On Mon, 2 Mar 2026 Bob wrote:\n> Dear Ann,\n>> old\n"
)
HTML = (
    '<html><head><meta charset="utf-8"><style>p {color: red}</style></head><body><p>Hello&nbsp;<b>Grüße</b></p>'
    '<ul><li>one<li>two</ul><table><tr><td>a<td>b</table><img src="cid:logo"><blockquote type="cite">old</blockquote>'
)
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
STATUS = (
    "Reporting-MTA: dns; mx.example.org\nOriginal-Envelope-Id: 77\nArrival-Date: Mon, 02 Mar 2026 10:30:00 +0100\n\n"
    "Original-Recipient: rfc822;gone@example.org\nFinal-Recipient: rfc822; gone@example.org\nAction: failed\n"
    "Status: 5.1.1\nRemote-MTA: dns; mail.example.org\nDiagnostic-Code: smtp; 550 5.1.1 No such\n user\n\n"
    "Final-Recipient: rfc822; late@example.org\nAction: delayed\nStatus: 4.4.1\n"
)
ORIGINAL = "From: sales@example.org\nTo: gone@example.org\nSubject: offer\nMessage-ID: <2@example.org>\n"
DISPOSITION = (
    "Reporting-UA: mail.example.com; Example\nFinal-Recipient: rfc822; ann@example.com\n"
    "Original-Message-ID: <2@example.org>\nDisposition: manual-action/MDN-sent-manually; displayed\n"
)
FEEDBACK = (
    "Feedback-Type: abuse\nUser-Agent: Example/1\nVersion: 1\nOriginal-Rcpt-To: ann@example.com\nSource-IP: 192.0.2.1\n"
)
OLD_BOUNCE = (
    "Your mail could not be brought to these addresses.\n\n<gone@example.org>:\nNo such user. (#5.1.1)\n\n"
    "--- A copy of the message follows below this line.\n\n"
)
TRANSCRIPT = (
    "Failed addresses:\n<gone@example.org>\n    (reason: 550 5.1.1 User unknown)\n\nTranscript:\n... talking:\n"
)
DAEMON = HEAD.replace("=?utf-8?q?Ann_M=C3=BCller?= <ann@", "Mail Delivery System <MAILER-DAEMON@")
TNEF = (
    b"\x78\x9f\x3e\x22\x01\x00"
    + b"\x01\x06\x90\x08\x00\x04\x00\x00\x00\x00\x00\x01\x00\x01\x00\x02\x00"
    + b"\x02\x0f\x80\x06\x00\x05\x00\x00\x00hello\x14\x02"
)
JAPANESE = "注文した商品はまだ届いていません。"
RUSSIAN = "Добрый день! Когда будет доставлен мой заказ?"


def _texts() -> list[bytes]:
    plain = HEAD + "Content-Type: text/plain; charset={}\nContent-Transfer-Encoding: {}\n\n"
    return [
        (HEAD + "\n" + TEXT).encode(),
        (plain.format("utf-8", "quoted-printable") + quopri.encodestring(TEXT.encode()).decode()).encode(),
        (plain.format("utf-8", "base64") + encoded(TEXT.encode() * 5)).encode(),
        plain.format("iso-2022-jp", "7bit").encode() + JAPANESE.encode("iso2022_jp"),
        plain.format("gb2312", "8bit").encode() + "您好，我的订单什么时候发货".encode("gb18030"),
        HEAD.encode() + b"X-Raw: " + RUSSIAN.encode("koi8-r") + b"\n\n" + RUSSIAN.encode("windows-1251"),
        plain.format("utf-16", "base64").encode() + base64.encodebytes(TEXT.encode("utf-16")),
        plain.format("utf-7", "7bit").encode() + "Grüße".encode("utf-7"),
        (HEAD + 'Content-Type: text/plain; format=flowed; delsp="yes"\n\n> one \n> two\nthree \nfour\n').encode(),
        (HEAD + "\nsee the file\n\n" + uuencoded(PNG) + "\nbye\n").encode(),
        (plain.format("utf-8", "x-uuencode") + uuencoded(PNG)).encode(),
        (plain.format("utf-8", "x-yenc")).encode() + b"=ybegin line=128 size=3 name=a\n\x8b\x8c=}\n=yend size=3\n",
        (HEAD + part("text/html; charset=utf-8", HTML)).encode(),
        b"From ann Mon Mar  2 10:30:00 2026\n" + (HEAD + "\n" + TEXT.replace("Hello", ">From here")).encode(),
        (HEAD.replace("\n", "\r\n") + "\r\n" + TEXT.replace("\n", "\r\n")).encode(),
    ]


def _multiparts() -> list[bytes]:
    plain, html = part("text/plain; charset=utf-8", TEXT), part("text/html; charset=utf-8", HTML)
    both = multipart("alternative", "inner", plain, html)
    image = part("image/png", encoded(PNG), "Content-Transfer-Encoding: base64", "Content-ID: <logo>")
    name = "Content-Disposition: attachment; filename*0*=utf-8''Gr%C3%BC; filename*1*=%C3%9Fe; filename*2=.pdf"
    pdf = part('application/pdf; name="=?utf-8?q?Gr=C3=BC=C3=9Fe.pdf?="', encoded(b"%PDF" * 50), name)
    deep = plain
    for number in range(6):
        deep = multipart("mixed", f"b{number}", deep, image)
    packed = part("application/ms-tnef; name=winmail.dat", encoded(TNEF), "Content-Transfer-Encoding: base64")
    enclosed = part("message/rfc822", HEAD + both)
    signature = part("application/pgp-signature", "-----BEGIN PGP SIGNATURE-----\nAAAA\n-----END PGP SIGNATURE-----")
    secret = part("application/octet-stream", "-----BEGIN PGP MESSAGE-----\nAAAA\n-----END PGP MESSAGE-----")
    smime = part("application/pkcs7-mime; smime-type=signed-data; name=smime.p7m", encoded(b"\x30\x80" * 40))
    meeting = part("text/calendar; method=REQUEST", "BEGIN:VCALENDAR\nSUMMARY:Meeting\nEND:VCALENDAR")
    mails = [
        both,
        multipart("mixed", "outer", multipart("related", "rel", both, image), pdf),
        multipart("digest", "d", "\n" + HEAD + "\none", part("message/rfc822", HEAD + "\ntwo")),
        deep,
        multipart("mixed", "t", plain, packed),
        multipart("mixed", "e", plain, enclosed),
        multipart("signed; micalg=pgp-sha256; protocol=application/pgp-signature", "s", plain, signature),
        multipart("encrypted", "c", part("application/pgp-encrypted", "Version: 1"), secret),
        smime,
        multipart("alternative", "m", plain, meeting),
    ]
    return [(HEAD + mail).encode() for mail in mails]


def _automatic() -> list[bytes]:
    said = part("text/plain", "I'm sorry to have to inform you that your message could not\nbe delivered.\n")
    status = part("message/delivery-status", STATUS)
    original = part("text/rfc822-headers", ORIGINAL)
    everywhere = status.replace("/delivery", "/global-delivery")  # RFC 6533
    receipt = part("message/disposition-notification", DISPOSITION)
    abuse = part("message/feedback-report", FEEDBACK)
    complained = multipart("report; report-type=feedback-report", "f", said, abuse, part("message/rfc822", ORIGINAL))
    reports = [
        (DAEMON, multipart("report; report-type=delivery-status", "r", said, status, original)),
        (DAEMON, multipart("report; report-type=delivery-status", "g", said, everywhere)),
        (HEAD, multipart("report; report-type=disposition-notification", "n", said, receipt)),
        (HEAD, complained),
        (DAEMON, f"\n{OLD_BOUNCE}{ORIGINAL}"),
        (DAEMON, f"\n{TRANSCRIPT}"),
        (HEAD, "Auto-Submitted: auto-replied\nPrecedence: bulk\nX-Autoreply: yes\n\nI am out until Monday.\n"),
        (HEAD, "List-Id: <list.example.org>\nList-Unsubscribe: <mailto:u@example.org>\n\nNews\n"),
    ]
    return [(head + mail).encode() for head, mail in reports]


SEEDS: tuple[bytes, ...] = (*_texts(), *_multiparts(), *_automatic())
