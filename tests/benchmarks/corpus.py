"""The mails that the benchmarks read: 70 % of 2 KB, 25 % of 20 KB multipart, 5 % of 200 KB with an attachment.

They are the same in every process and on every version of Python: made of a fixed seed, in a fixed order, without the
library's own generator of mails.
"""

from __future__ import annotations

import base64
import quopri
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

SEED = 20250501
BEGUN = datetime(2025, 5, 1, 6, tzinfo=UTC)
BLOCK = 20  # mails in which the mix is exact
MIX = (2,) * 14 + (20,) * 5 + (200,)  # KB
ANSWERS = 0.4  # how many of the mails answer an earlier one
DESK = "desk@shop.example"
DESKS = (DESK, f"Desk <{DESK}>", f'"Shop, Desk" <{DESK}>')

# Name, charsets in which such people write, what they write.
PEOPLE = (
    (
        "Ann Baker",
        ("us-ascii", "utf-8"),
        "the order that I placed on Monday has not come yet could you please tell me where it is and when it will be"
        " delivered thank you for your help with kind regards",
    ),
    (
        "Jörg Müller",
        ("iso-8859-1", "utf-8", "windows-1252"),
        "leider fehlt in der Lieferung von gestern ein Stück und die Größe stimmt auch nicht könnten Sie mir bitte"
        " möglichst bald schreiben was wir tun können vielen Dank für Ihre Mühe mit freundlichen Grüßen",
    ),
    (
        "Éloïse Lefèvre",
        ("iso-8859-1", "utf-8"),
        "je vous écris au sujet de ma commande qui devait être livrée à la fin du mois dernier où est passé le colis"
        " j'espère recevoir très bientôt une réponse merci d'avance",
    ),
    (
        "Ирина Соколова",
        ("koi8-r", "utf-8"),
        "добрый день подскажите пожалуйста когда будет отправлен мой заказ деньги уже списаны с карты жду ответа"
        " заранее большое спасибо",
    ),
    (
        "山田 花子",
        ("iso-2022-jp", "utf-8"),
        "お世話に なって おります 先日 注文 した 品物 が まだ 届いて いません ので 確認 を お願い します よろしく",
    ),
    (
        "Ελένη Παππά",
        ("utf-8",),
        "η παραγγελία μου δεν έχει φτάσει ακόμη θα ήθελα να μάθω πότε θα παραδοθεί ευχαριστώ πολύ για τη βοήθεια",
    ),
)
SUBJECTS = ("Order {}", "Invoice {}", "Return of parcel {}", "Größe für {}", "Livraison n° {}", "Заказ {}", "注文 {}")
MAILERS = ("Mozilla Thunderbird", "Microsoft Outlook 16.0", "Apple Mail (2.3774.500.171)", "Mutt/2.2.9", "")
FILES = (
    ("invoice.pdf", "application/pdf"),
    ("photo.jpg", "image/jpeg"),
    ("Übersicht.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("data.bin", "application/octet-stream"),
)


@dataclass(frozen=True)
class _Written:
    """What later mails need to know of a mail that they answer."""

    message_id: str
    references: tuple[str, ...]
    subject: str


def corpus(count: int = 2000) -> list[bytes]:
    """The first *count* mails, a multiple of 20."""
    if count % BLOCK:
        raise ValueError(f"the mix needs a multiple of {BLOCK} mails, not {count}")
    chance = random.Random(SEED)
    written: list[_Written] = []
    return [
        _mail(chance, number, size * 1000, written)
        for number, size in enumerate(size for _ in range(count // BLOCK) for size in chance.sample(MIX, BLOCK))
    ]


def _mail(chance: random.Random, number: int, size: int, written: list[_Written]) -> bytes:
    name, charsets, words = chance.choice(PEOPLE)
    charset = chance.choice(charsets)
    answered = chance.choice(written[-200:]) if written and chance.random() < ANSWERS else None
    here = _Written(
        f"<{chance.randbytes(9).hex()}.{number}@mail{number % 7}.home.example>",
        (*answered.references[-5:], answered.message_id) if answered else (),
        f"Re: {answered.subject.removeprefix('Re: ')}" if answered else chance.choice(SUBJECTS).format(number + 1000),
    )
    head = _header(chance, number, name, here)
    if size <= 2000:
        body = _text(chance, words, charset, size - len(head) - 90, bool(answered))
    elif size <= 20_000:
        body = _both(chance, words, charset, size - len(head) - 500, bool(answered))
    else:
        both = _both(chance, words, charset, 12_000, bool(answered))
        body = _multipart("mixed", number, both, _file(chance, size - len(head) - len(both) - 500))
    written.append(here)
    return head + body


def _header(chance: random.Random, number: int, name: str, here: _Written) -> bytes:
    at = BEGUN + timedelta(seconds=41 * number)
    date, address = format_datetime(at), f"customer{chance.randrange(400)}@home.example"
    lines = [f"Return-Path: <{address}>", f"Delivered-To: {DESK}"]
    lines += [
        f"Received: from mx{hop}.home.example (mx{hop}.home.example [192.0.2.{hop + 1}])\r\n"
        f"\tby mx{hop + 1}.shop.example (Postfix) with ESMTPS id {chance.randbytes(5).hex()}\r\n\tfor <{DESK}>; {date}"
        for hop in range(chance.choice((1, 2, 2, 3)))
    ]
    lines += [
        f"From: {_word(name)} <{address}>",
        f"To: {chance.choice(DESKS)}",
        f"Subject: {_word(here.subject)}",
        f"Date: {date}",
        f"Message-ID: {here.message_id}",
    ]
    if chance.random() < 0.2:
        lines.append(f"Cc: {_word(chance.choice(PEOPLE)[0])} <friend{number}@home.example>")
    if here.references:
        lines += [f"In-Reply-To: {here.references[-1]}", "References: " + "\r\n ".join(here.references)]
    if mailer := chance.choice(MAILERS):
        lines.append(f"X-Mailer: {mailer}")
    return "\r\n".join([*lines, "MIME-Version: 1.0", ""]).encode()


def _word(text: str) -> str:
    """A text as header fields hold it (RFC 2047); none of ours is longer than one encoded word may be."""
    return text if text.isascii() else f"=?utf-8?b?{base64.b64encode(text.encode()).decode('ascii')}?="


def _text(chance: random.Random, words: str, charset: str, size: int, answers: bool, kind: str = "plain") -> bytes:
    """A part of about that many bytes, encoded."""
    encoding = _encoding(chance, charset)
    growth = {"quoted-printable": 1.0, "base64": 4 / 3}.get(encoding, 1.0)
    lines, left = (["<html><body>"] if kind == "html" else []), size / growth
    while left > 0:
        line = " ".join(chance.choices(words.split(), k=chance.randint(6, 12)))
        if kind == "html":
            line = f'<p style="margin:0">{line}<br></p>'
        elif answers and left < size / growth / 2:
            line = f"> {line}"
        lines.append(line)
        said = (line + "\r\n").encode(charset)
        left -= len(quopri.encodestring(said)) if encoding == "quoted-printable" else len(said)
    lines += ["</body></html>"] if kind == "html" else []
    content = "".join(f"{line}\r\n" for line in lines).encode(charset)
    head = f"Content-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + _encoded(content, encoding)


def _encoding(chance: random.Random, charset: str) -> str:
    if charset in ("us-ascii", "iso-2022-jp"):
        return "7bit"
    return chance.choice(
        ("8bit", "quoted-printable", "base64") if charset == "utf-8" else ("quoted-printable", "base64")
    )


def _encoded(content: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        return base64.encodebytes(content).replace(b"\n", b"\r\n")
    if encoding == "quoted-printable":
        return quopri.encodestring(content.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    return content


def _both(chance: random.Random, words: str, charset: str, size: int, answers: bool) -> bytes:
    """A text in both forms; now and then with a small file."""
    file = _file(chance, 4000) if (with_file := chance.random() < 0.3) else b""
    half = (size - len(file)) // 2
    texts = [_text(chance, words, charset, half, answers, kind) for kind in ("plain", "html")]
    both = _multipart("alternative", chance.randrange(10**9), *texts)
    return _multipart("mixed", chance.randrange(10**9), both, file) if with_file else both


def _file(chance: random.Random, size: int) -> bytes:
    name, kind = chance.choice(FILES)
    named = f'"{name}"' if name.isascii() else f'"{_word(name)}"'
    head = (
        f"Content-Type: {kind}; name={named}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment; filename={named}\r\n\r\n"
    )
    return head.encode() + _encoded(chance.randbytes(max(0, (size - len(head)) * 57 // 78)), "base64")


def _multipart(kind: str, number: int, *parts: bytes) -> bytes:
    boundary = f"=_{kind}_{number:09d}"
    inside = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'
    return head.encode() + inside + f"--{boundary}--\r\n".encode()
