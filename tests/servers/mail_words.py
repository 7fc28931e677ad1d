"""What the generated mails say, in which charsets, and how their attachments are named."""

import base64
from dataclasses import dataclass
from urllib.parse import quote

_ANY = ("8bit", "quoted-printable", "base64")
_SEVEN_BIT = ("7bit", "quoted-printable", "base64")


@dataclass(frozen=True)
class Tongue:
    """Words that a charset can write, and the transfer encodings that the charset allows."""

    charset: str
    person: str
    subject: str
    lines: tuple[str, ...]
    encodings: tuple[str, ...] = _ANY


TONGUES = (
    Tongue(
        "us-ascii",
        "Alice Example",
        "Question about order",
        (
            "Dear support team,",
            "the parcel has arrived, but the box was open and one of the two lamps is missing.",
            "",
            "From what I can see the label was torn off; please tell me what to do next.",
            "> On Monday you wrote: we will send it again = soon?",
        ),
        _SEVEN_BIT,
    ),
    Tongue(
        "utf-8",
        "Zoë Ünal",
        "Größe falsch geliefert – 送料 😀",
        (
            "Guten Tag, die Größe stimmt leider nicht – bitte um Rückmeldung.",
            "Ευχαριστώ πολύ για την απάντησή σας.",
            "Спасибо, 謝謝, ありがとう 😀👍🏽",
            "Plain words between the others.",
        ),
    ),
    Tongue(
        "iso-8859-1",
        "Jürgen Weiß",
        "Rückfrage zur Rechnung",
        (
            "Sehr geehrte Damen und Herren,",
            "die Prüfung ergab: Zählerstände fehlen für März.",
            "Grüße aus Köln",
        ),
    ),
    Tongue(
        "windows-1252",
        "François Dupré",
        "Facture impayée… 100 €",
        ("Bonjour,", "le montant de 100 € n’a pas été réglé – voir « facture ».", "Cordialement, François"),
    ),
    Tongue(
        "iso-8859-15",
        "Noël Cœur",
        "Remboursement de 20 €",
        ("Le cœur du problème : 20 € de trop.", "Merci d'avance, Noël"),
    ),
    Tongue(
        "koi8-r",
        "Иван Петров",
        "Вопрос о заказе",
        ("Здравствуйте!", "Заказ не пришёл, хотя оплачен две недели назад.", "С уважением, Иван"),
    ),
    Tongue(
        "iso-2022-jp",
        "山田太郎",
        "注文について",
        ("お世話になっております。", "注文した商品がまだ届いていません。", "よろしくお願いいたします。"),
        ("7bit", "base64"),
    ),
    Tongue(
        "shift_jis",
        "鈴木花子",
        "請求書の件",
        ("請求書を再送してください。", "表示ソフトが必要ですか。"),
        _ANY,
    ),
    Tongue("gb18030", "王小明", "关于发票的问题", ("您好,", "请把发票寄到新的地址,谢谢。"), _ANY),
)

ATTACHMENT_NAMES = (
    ("report", ".pdf"),
    ('the "final" version; really', ".zip"),
    ("Übersicht März", ".xlsx"),
    ("résumé d'été", ".doc"),
    ("отчёт за год", ".csv"),
    ("見積書", ".pdf"),
    ("a very long name that no mail program would put on one line of its header, so it continues", ".txt"),
    ("sehr langer Name für eine Übersicht über alle Zählerstände der Abteilung Köln", ".png"),
)


def name_parameter(name: str, way: int) -> str:
    """The `filename` parameter for *name*, written in one of the ways that mail programs have."""
    if name.isascii():
        return _continued(name) if way % 2 and len(name) > 60 else _quoted(name)
    if way % 4 == 0:
        return _encoded_word(name)
    if way % 4 == 1:
        return _continued_and_encoded(name)
    if way % 4 == 2 and not name.encode("iso-8859-1", "replace").count(b"?"):
        return f"filename*=iso-8859-1'de'{quote(name.encode('iso-8859-1'), safe='')}"
    return f"filename*=UTF-8''{quote(name, safe='')}"


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'filename="{escaped}"'


def _continued(name: str) -> str:
    """RFC 2231 §3: a long value in numbered pieces."""
    pieces = [name[start : start + 30] for start in range(0, len(name), 30)]
    return ";\r\n ".join(f'filename*{number}="{piece}"' for number, piece in enumerate(pieces))


def _continued_and_encoded(name: str) -> str:
    """RFC 2231 §4.1: pieces and a charset, which only the first one names."""
    pieces = [quote(name[start : start + 12], safe="") for start in range(0, len(name), 12)]
    pieces[0] = f"utf-8'en'{pieces[0]}"
    return ";\r\n ".join(f"filename*{number}*={piece}" for number, piece in enumerate(pieces))


def _encoded_word(name: str) -> str:
    """Encoded words in quotation marks: forbidden by RFC 2047 §5, and what many programs send."""
    words = [name[start : start + 14] for start in range(0, len(name), 14)]
    encoded = (f"=?UTF-8?B?{base64.b64encode(word.encode()).decode()}?=" for word in words)
    return f'filename="{" ".join(encoded)}"'
