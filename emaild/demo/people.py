"""The demo's mails that people wrote.

Each function takes the Date and the Message-ID that the mail is to have.
"""

from __future__ import annotations

from base64 import encodebytes
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP

from emaild.demo.enclosures import pdf, png

SUPPORT = "Shop Support <support@shop.example>"


def crlf(text: str, charset: str = "utf-8") -> bytes:
    """Return *text* as it goes over the wire."""
    return text.replace("\n", "\r\n").encode(charset)


def _begun(date: str, message_id: str, sender: str, subject: str) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = SUPPORT
    mail["Subject"] = subject
    mail["Date"] = date
    mail["Message-ID"] = message_id
    return mail


def _ended(mail: EmailMessage) -> bytes:
    # The boundaries that the email package makes up are random; the same `now` is to give the same bytes.
    for number, part in enumerate(mail.walk()):
        if part.get_content_maintype() == "multipart":
            part.set_boundary(f"=_part_{number}_{mail['Message-ID'].strip('<>').partition('@')[0]}")
    return mail.as_bytes()


def question(date: str, message_id: str) -> bytes:
    """A customer's question in plain text."""
    mail = _begun(date, message_id, "Maria Keller <maria.keller@example.com>", "Wrong size in order 20431")
    mail.set_content("""\
Hello,

yesterday I got my order 20431. I ordered the rain jacket in M, but the one in
the parcel is an S. Can I change it, and who pays for the return?

Kind regards
Maria Keller
""")
    return _ended(mail)


def invoice(date: str, message_id: str) -> bytes:
    """A supplier's HTML mail with a PDF whose name is not ASCII."""
    sender = "Jürgen Weiß <buchhaltung@grosshandel.example>"
    mail = _begun(date, message_id, sender, "Rechnung 2026-0815 für Ihre Bestellung")
    mail.set_content("Guten Tag,\n\nanbei die Rechnung über 1.248,50 €.\n\nJürgen Weiß\n")
    mail.add_alternative(
        "<html><body><p>Guten Tag,</p><p>anbei die Rechnung über <b>1.248,50&nbsp;€</b>.</p>"
        "<p>Jürgen Weiß</p></body></html>\n",
        subtype="html",
    )
    mail.add_attachment(
        pdf("Großhandel Weiß", "Rechnung 2026-0815", "", "40 Zelte, olivgrün      1.248,50 EUR"),
        maintype="application",
        subtype="pdf",
        filename="Rechnung Großhandel Weiß 2026-0815.pdf",  # goes as filename*=utf-8'' (RFC 2231 §4)
    )
    return _ended(mail)


def japanese(date: str, message_id: str) -> bytes:
    """A customer's question in ISO-2022-JP, as Japanese clients of the older kind still send it."""
    name = Header("佐藤 花子", "iso-2022-jp").encode()
    subject = Header("注文番号20417の返品について", "iso-2022-jp").encode()
    return crlf(
        f"""\
From: {name} <hanako.sato@tokyo.example>
To: support@shop.example
Subject: {subject}
Date: {date}
Message-ID: {message_id}
MIME-Version: 1.0
Content-Type: text/plain; charset=ISO-2022-JP
Content-Transfer-Encoding: 7bit

サポート担当者様

先週購入したテント(注文番号20417)のポールが一本折れていました。
交換していただくことは可能でしょうか。

よろしくお願いいたします。
佐藤 花子
""",
        "iso-2022-jp",
    )


def unterminated(date: str, message_id: str) -> bytes:
    """A picture that broke off on the way: half of its base64, and no closing boundary."""
    picture = encodebytes(png(640, 480, 0x7A, 0x4B, 0x2C)).decode("ascii")
    return crlf(f"""\
From: "Grace O'Neill" <grace.oneill@example.net>
To: support@shop.example
Subject: Photo of the torn seam, order 20399
Date: {date}
Message-ID: {message_id}
X-Mailer: iPhone Mail (21G93)
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=Apple-Mail-7F3A9C21

--Apple-Mail-7F3A9C21
Content-Type: text/plain; charset=us-ascii
Content-Transfer-Encoding: 7bit

The seam of the backpack tore on the first day. I attach a photo.

Grace O'Neill

--Apple-Mail-7F3A9C21
Content-Type: image/png; name=seam.png
Content-Disposition: attachment; filename=seam.png
Content-Transfer-Encoding: base64

{picture[: len(picture) // 2]}""")


def reply(date: str, message_id: str) -> bytes:
    """An answer to the shop, with what the shop wrote quoted below it."""
    sender = "Samuel Okafor <s.okafor@example.org>"
    mail = _begun(date, message_id, sender, "Re: Order 20410: your delivery address")
    mail["In-Reply-To"] = "<case-20410-3@shop.example>"
    mail["References"] = "<case-20410-1@shop.example> <case-20410-3@shop.example>"
    mail.set_content("""\
Yes, number 17 is right. Please leave it with the neighbour if I am out.

Samuel

On Thu, Shop Support <support@shop.example> wrote:
> Dear Mr Okafor,
>
> the carrier did not find your house. Is 17 Harbour Street right?
>
> > Where is my parcel? It should have been here on Tuesday.
>
> Shop Support
""")
    return _ended(mail)


def inline_image(date: str, message_id: str) -> bytes:
    """A complaint in HTML that shows a picture from within the mail (RFC 2387, RFC 2392)."""
    sender = "Chloé Martin <chloe.martin@example.com>"
    mail = _begun(date, message_id, sender, "The colour is not what I ordered")
    mail.set_content(
        "<html><body><p>Hello, this is the green of the tent that came:</p>"
        '<p><img src="cid:tent-green@example.com" alt="green" width="48" height="48"></p>'
        "<p>In your shop it looks much darker. Chloé</p></body></html>\n",
        subtype="html",
    )
    mail.add_related(
        png(48, 48, 0x6B, 0xC0, 0x4F),
        maintype="image",
        subtype="png",
        cid="<tent-green@example.com>",
        filename="green.png",
        disposition="inline",
    )
    return _ended(mail)


def unlabelled(date: str, message_id: str) -> bytes:
    """A mail in Windows-1252 that does not say so, not even in its header."""
    return crlf(
        f"""\
From: Hélène Dubois <helene.dubois@atelier.example>
To: support@shop.example
Subject: Commande n° 20377 – remboursement
Date: {date}
Message-ID: {message_id}
MIME-Version: 1.0
Content-Type: text/plain
Content-Transfer-Encoding: 8bit

Bonjour,

la gourde « Été » de 24,90 € est arrivée cassée. J’aimerais être remboursée.

Hélène Dubois
""",
        "windows-1252",
    )


def forwarded(date: str, message_id: str) -> bytes:
    """A colleague passes a customer's mail on, whole (message/rfc822)."""
    inner = _begun(
        date,
        message_id.replace("@shop.", "@fjord."),
        "Lars Holm <lars.holm@fjord.example>",
        "Spare pegs for the tent",
    )
    inner.replace_header("To", "sales@shop.example")
    inner.set_content("Hi,\n\ndo you sell the pegs of the tent one by one? I need six.\n\nLars Holm\n")
    mail = _begun(date, message_id, "Nina Berg <sales@shop.example>", "Fwd: Spare pegs for the tent")
    mail.set_content("This one is for you, I think.\n\nNina\n")
    mail.add_attachment(inner)
    return _ended(mail)
